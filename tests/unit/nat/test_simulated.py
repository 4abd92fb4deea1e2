"""The NAT probe and its judgement together, in simulated networks; `bench/classifier` does the same many times over."""

from random import Random
from typing import Any

import msgspec
import pytest

from rtcdiag.evidence import Binding, Evidence
from rtcdiag.lab.spec import Link
from rtcdiag.targets import Transport
from support.nat_model import ModelNat, ModelServer
from support.simulated_networks import KINDS, NATS, Kind, simulate, world
from support.simulation import World, observed

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("nat", NATS)
def test_without_loss_every_network_is_judged_rightly(nat: str) -> None:
    assert simulate(BY_NAME["good"], nat, 1) == "right"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_line_and_no_server_makes_a_wrong_class(kind: Kind) -> None:
    found = [simulate(kind, nat, 1) for nat in NATS[::4]]

    assert "wrong" not in found


def test_five_percent_loss_leaves_nearly_nothing_undetermined() -> None:
    found = [simulate(BY_NAME["5 % loss"], nat, seed) for nat in NATS[:9] for seed in range(2)]

    assert found.count("right") >= len(found) - 1


@pytest.mark.parametrize("name", ["good", "20 % loss", "dead alternates, 5 % loss", "20 % loss in bursts of 5"])
def test_the_experiment_ends_in_time_and_asks_no_address_too_often(name: str) -> None:
    for nat in NATS[::5]:
        evidence = observed(world(BY_NAME[name], nat, Random(nat)))  # noqa: S311  a model, no secret
        asked = evidence.of(Binding)
        assert max(item.t_ms + (item.duration_ms or 0.0) for item in asked) <= 2300
        began: dict[str, list[float]] = {}
        for item in sorted(asked, key=lambda item: item.t_ms):
            began.setdefault(item.destination.host, []).append(item.t_ms)
        assert all(
            later - earlier >= 1000
            for times in began.values()
            for earlier, later in zip(times, times[10:], strict=False)
        )


def test_the_same_seed_is_the_same_run() -> None:
    kind = BY_NAME["20 % loss"]
    twice = [observed(world(kind, NATS[4], Random(7))) for _ in range(2)]  # noqa: S311  a model, no secret

    assert len({tuple(item.exchange.sent_ms for item in seen.of(Binding)) for seen in twice}) == 1


LINES = {
    "good": Link(),
    "20 % loss": Link(loss=0.2),
    "10 % loss in bursts of 5": Link(loss=0.1, burst=5),
    "20 % held back": Link(reorder=0.2, hold_s=0.4),
}


def _one_server(
    link: Link = LINES["good"], rtt_ms: int = 40, seed: int = 1, *, blocked: bool = False, tcp: bool = True, **odd: Any
) -> Evidence:
    random, both = Random(seed), msgspec.structs.replace(link, delay_s=rtt_ms / 2000)  # noqa: S311  a model
    server = ModelServer("stun:198.51.100.1", "198.51.100.1", "198.51.100.2", tcp=tcp)
    return observed(World(ModelNat(random=random, blocks_udp=blocked), (server,), random, both, both, **odd))


def _heard(evidence: Evidence) -> bool:
    return any(item.transport is Transport.UDP and item.exchange.answers for item in evidence.of(Binding))


def _ended_ms(evidence: Evidence) -> float:
    return max(item.t_ms + (item.duration_ms or 0.0) for item in evidence.of(Binding))


@pytest.mark.parametrize("link", LINES.values(), ids=LINES)
@pytest.mark.parametrize("rtt_ms", [40, 600])
def test_no_silence_is_taken_for_proof_while_an_answer_may_come(link: Link, rtt_ms: int) -> None:
    for seed in range(3):
        evidence = _one_server(link, rtt_ms, seed)
        assert _heard(evidence) or _ended_ms(evidence) >= 1990


def test_udp_that_passes_only_after_a_while_is_heard() -> None:
    assert _heard(_one_server(udp_after_s=0.79))


def test_udp_that_is_blocked_is_sure_before_the_time_out_where_tcp_tells_the_round_trip_and_the_loss() -> None:
    evidence = _one_server(blocked=True)

    assert _ended_ms(evidence) < 1300
    tcp, udp = (
        [item for item in evidence.of(Binding) if item.transport is kind] for kind in (Transport.TCP, Transport.UDP)
    )
    answered = [item.exchange.sent_ms[0] for item in tcp if item.exchange.answers]
    for address in ("198.51.100.1", "198.51.100.2"):
        sent = [at for item in udp if item.destination.host == address for at in item.exchange.sent_ms]
        assert sum(any(abs(at - other) < 5 for other in answered) for at in sent) >= 4


@pytest.mark.parametrize("odd", [{"tcp": False}, {"rtt_ms": 300}], ids=["no TCP", "far away"])
def test_udp_that_is_blocked_is_waited_for_to_the_end_where_tcp_does_not_tell_enough(odd: dict[str, Any]) -> None:
    assert _ended_ms(_one_server(blocked=True, **odd)) >= 1990
