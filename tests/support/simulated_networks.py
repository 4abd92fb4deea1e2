"""The networks that the NAT probe is simulated in: every NAT of RFC 4787, no NAT and no UDP, on lines good and bad."""

from random import Random
from typing import Any, NamedTuple

import msgspec

from rtcdiag.lab.spec import Link
from rtcdiag.nat import BEHAVIORS
from support.nat_model import ModelNat, ModelServer
from support.simulation import Verdict, World, judged


class Kind(NamedTuple):
    """What is wrong with a network beside its NAT; ``both`` directions of the line have it."""

    name: str
    both: Link = Link()
    server: ModelServer = ModelServer("stun:198.51.100.1", "198.51.100.1", "198.51.100.2")


_LOSSY = Link(loss=0.05)
_SERVER = Kind("").server


def _burst(percent: int, mean: int) -> Kind:
    return Kind(f"{percent} % loss in bursts of {mean}", Link(loss=percent / 100, burst=mean))


def _server(name: str, **odd: Any) -> Kind:
    return Kind(f"{name}, 5 % loss", _LOSSY, ModelServer(**{**vars(_SERVER), **odd}))


KINDS: tuple[Kind, ...] = (
    Kind("good"),
    *(Kind(f"{percent} % loss", Link(loss=percent / 100)) for percent in (1, 2, 5, 10, 15, 20)),
    *(_burst(percent, mean) for percent, mean in ((2, 10), (5, 3), (5, 5), (10, 3), (10, 5), (20, 5))),
    Kind("20 % reordered, 20 % doubled", Link(reorder=0.2, duplicate=0.2)),
    Kind("the same and 10 % loss", Link(reorder=0.2, duplicate=0.2, loss=0.1)),
    Kind("jitter, 5 % loss", Link(jitter_s=0.05, loss=0.05)),
    Kind("late answers, 5 % loss", Link(reorder=0.1, hold_s=0.6, loss=0.05)),
    _server("dead alternates", alternates_up=False),
    _server("ignores CHANGE-REQUEST", obedience="ignores"),
    _server("refuses CHANGE-REQUEST", obedience="refuses"),
    _server("drops CHANGE-REQUEST", obedience="drops"),
    _server("answers from elsewhere", obedience="answers-from-elsewhere"),
    _server("no RESPONSE-PORT", response_port="refuses"),
    _server("no alternates", other_ip=None),
)
NATS: tuple[str, ...] = (
    *(f"{mapping}/{filtering}" for mapping in BEHAVIORS for filtering in BEHAVIORS),
    "none",
    "blocked",
)
RTTS_MS = (10, 40, 40, 100, 300)
_SECOND = ModelServer("stun:192.0.2.1", "192.0.2.1", "192.0.2.2")


def _nat(name: str, random: Random) -> ModelNat:
    if name == "none":
        return ModelNat(translates=False, random=random)
    if name == "blocked":
        return ModelNat(blocks_udp=True, random=random)
    mapping, filtering = (behavior for text in name.split("/") for behavior in BEHAVIORS if behavior == text)
    return ModelNat(mapping, filtering, random=random, ports=random.choice(("random", "kept")))


def world(kind: Kind, nat: str, random: Random) -> World:
    """Return one such network; chance says how far its servers are, and whether there is a second one."""
    rtt_ms = random.choice(RTTS_MS)
    link = msgspec.structs.replace(kind.both, delay_s=rtt_ms / 2000)
    servers = (kind.server, _SECOND) if random.random() < 0.25 else (kind.server,)
    return World(_nat(nat, random), servers, random, link, link)


def simulate(kind: Kind, nat: str, seed: object) -> Verdict:
    """Return whether one run behind one network is judged rightly; the same seed gives the same run."""
    return judged(world(kind, nat, Random(f"{kind.name}/{nat}/{seed}")))  # noqa: S311  a model, no secret
