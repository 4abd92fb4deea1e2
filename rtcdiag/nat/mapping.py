"""Mapping behavior (RFC 4787 section 4) from the mapped addresses that one socket has towards several destinations."""

from itertools import combinations

import msgspec

from rtcdiag.address import IPAddress, Scope
from rtcdiag.nat.behavior import BEHAVIORS, Behavior
from rtcdiag.nat.judgement import Class, Judgement
from rtcdiag.nat.samples import Sample, Socket
from rtcdiag.nat.servers import other_address
from rtcdiag.nat.view import View

P_OPERATOR_WRONG = 0.02
"""How often one operator's servers are taken to tell a wrong mapped address unnoticed; assumed, not measured."""
P_SAME_PORT = 1 / 1024
"""How often a mapping that was chosen anew falls on the same port: NATs choose among at least so many."""
_DEPENDENT: tuple[Behavior, ...] = ("address-dependent", "address-and-port-dependent")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one socket's samples leave possible."""

    samples: tuple[Sample, ...]
    possible: tuple[Behavior, ...] = BEHAVIORS
    why: str = ""
    contradiction: bool = False
    """Whether the servers contradict each other, so that no other socket can settle it."""


def mapping_of(view: View, behind_nat: Judgement[bool]) -> Class:
    """Classify the mapping: no NAT is endpoint-independent; else what all sockets with two destinations leave."""
    if behind_nat.value is False:
        p_wrong = P_OPERATOR_WRONG ** _count_operators(view.samples)
        return Class(possible=("endpoint-independent",), p_wrong=p_wrong, evidence=behind_nat.evidence)
    readings = sorted((read(samples, view) for samples in _by_socket(view)), key=lambda item: -len(item.samples))
    if not readings:
        return Class(why=view.silent or "not tested")
    contradiction = next((item for item in readings if item.contradiction), None)
    if contradiction is not None:
        return Class(why=contradiction.why, evidence=_ids([contradiction]))
    return _together(readings)


def _together(readings: list[Reading]) -> Class:
    possible = tuple(item for item in BEHAVIORS if all(item in reading.possible for reading in readings))
    telling = [reading for reading in readings if reading.possible != BEHAVIORS]
    if not possible:
        told = (f"{' or '.join(item.possible)} on {item.samples[0].socket[0]}" for item in telling)
        return Class(why=f"the sockets are inconsistent: {', '.join(told)}", evidence=_ids(telling))
    if len(possible) > 1:
        return Class(possible=possible, why=readings[0].why, evidence=_ids(telling))
    return Class(possible=possible, p_wrong=_p_wrong(telling, possible[0]), evidence=_ids(telling))


def _by_socket(view: View) -> list[tuple[Sample, ...]]:
    """Return the plain samples of each socket that sent no CHANGE-REQUEST, one for each destination."""
    found: dict[Socket, dict[object, Sample]] = {}
    for sample in view.samples:
        if sample.purpose in ("mapping", "reach") and sample.change == "none":
            found.setdefault(sample.socket, {}).setdefault(sample.destination, sample)
    return [tuple(samples.values()) for samples in found.values()]


def read(samples: tuple[Sample, ...], view: View) -> Reading:
    """Say what one socket's mapped addresses leave possible; ``samples`` has each destination once, and is not empty.

    Two IP addresses have to have answered, of one server whose alternate is valid or of two operators. A mapping that
    changes with the destination gives every IP address another mapped address; one address for some and another for
    others is a contradiction. Two ports of one IP address tell whether the port counts.
    """
    unsupported = _unsupported(samples, view)
    if unsupported:
        return Reading(samples=samples, why=unsupported)
    if len({sample.mapped for sample in samples}) == 1:
        return Reading(samples=samples, possible=("endpoint-independent",))
    far, near = _pairs(samples)
    agreeing = next((pair for pair in far if _agree(pair)), None)
    if agreeing is not None:
        return Reading(samples=samples, why=_disagreement(agreeing, samples), contradiction=True)
    if not near:
        why = f"{' or '.join(_DEPENDENT)}: no two ports of one server address answered"
        return Reading(samples=samples, possible=_DEPENDENT, why=why)
    ports_agree = {_agree(pair) for pair in near}
    if len(ports_agree) > 1:
        why = f"{' or '.join(_DEPENDENT)}: servers disagree on whether the port counts"
        return Reading(samples=samples, possible=_DEPENDENT, why=why)
    return Reading(samples=samples, possible=(_DEPENDENT[0] if True in ports_agree else _DEPENDENT[1],))


Pair = tuple[Sample, Sample]


def _pairs(samples: tuple[Sample, ...]) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs of samples at different IP addresses, and those at two ports of one."""
    pairs = list(combinations(samples, 2))
    far = [pair for pair in pairs if pair[0].destination.ip != pair[1].destination.ip]
    return far, [pair for pair in pairs if pair[0].destination.ip == pair[1].destination.ip]


def _agree(pair: Pair) -> bool:
    return pair[0].mapped == pair[1].mapped


def _disagreement(agreeing: Pair, samples: tuple[Sample, ...]) -> str:
    common = agreeing[0].mapped
    odd = next(sample for sample in samples if sample.mapped != common)
    return (
        f"servers disagree: {_named(agreeing[0])} and {_named(agreeing[1])} saw {common}, "
        f"{_named(odd)} saw {odd.mapped} from the same socket"
    )


def _named(sample: Sample) -> str:
    return f"{sample.server} at {sample.destination}"


def _unsupported(samples: tuple[Sample, ...], view: View) -> str:
    addresses = {sample.destination.ip for sample in samples}
    if len(addresses) < 2:
        return "only one server address answered; two are needed"
    if view.scope is not Scope.GLOBAL or _count_operators(samples) > 1 or _has_own_alternate(addresses, samples, view):
        return ""
    return "all servers that answered belong to one operator; two, or one with RFC 5780, are needed"


def _has_own_alternate(addresses: set[IPAddress], samples: tuple[Sample, ...], view: View) -> bool:
    others = (other_address(view, sample.destination).value for sample in samples)
    return any(other is not None and other.ip in addresses for other in others)


def _count_operators(samples: tuple[Sample, ...]) -> int:
    return len({sample.operator for sample in samples})


def _p_wrong(readings: list[Reading], behavior: Behavior) -> float:
    """Add what the servers may get wrong to the chance that mapped addresses agree although chosen anew."""
    samples = tuple(sample for reading in readings for sample in reading.samples)
    chance = 0.0
    if behavior == "endpoint-independent":
        chance = P_SAME_PORT ** sum(len({sample.destination.ip for sample in item.samples}) - 1 for item in readings)
    elif behavior == "address-dependent":
        chance = P_SAME_PORT ** sum(len(_pairs(item.samples)[1]) for item in readings)
    return P_OPERATOR_WRONG ** _count_operators(samples) + chance


def _ids(readings: list[Reading]) -> tuple[str, ...]:
    return tuple(sample.id for reading in readings for sample in reading.samples)
