"""Mapping behavior (RFC 4787 section 4) from the mapped addresses that one socket has towards several destinations."""

from collections.abc import Sequence

import msgspec

from rtcdiag.address import IPAddress, Scope, TransportAddress
from rtcdiag.nat.behavior import BEHAVIORS, Behavior
from rtcdiag.nat.claims import doubt
from rtcdiag.nat.judgement import CONTRADICTION, Class, Judgement
from rtcdiag.nat.lots import LIMIT, chance_of_lots
from rtcdiag.nat.relays import vouched
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
    is_hint: bool = False
    """Whether it excludes nothing by itself, and only contradicts what excludes it."""


def mapping_of(view: View, behind_nat: Judgement[bool]) -> Class:
    """Classify the mapping: no NAT is endpoint-independent; else what all sockets with two destinations leave."""
    if behind_nat.value is False:
        p_wrong = P_OPERATOR_WRONG ** _count_operators(view.samples)
        return Class(possible=("endpoint-independent",), p_wrong=p_wrong, evidence=behind_nat.evidence)
    readings = sorted((read(samples, view) for samples in _by_socket(view)), key=lambda item: -len(item.samples))
    if not readings:
        return Class(why=view.silent or "no mapping test was made")
    contradiction = next((item for item in readings if item.contradiction), None)
    if contradiction is not None:
        return Class(why=contradiction.why, evidence=_ids([contradiction]))
    return _unless_drawn(_together(readings), view)


def _together(readings: list[Reading]) -> Class:
    telling = [reading for reading in readings if reading.possible != BEHAVIORS]
    if not _common(telling):
        told = (f"{' or '.join(item.possible)} on {item.samples[0].socket[0]}" for item in telling)
        return Class(why=f"the sockets are inconsistent: {', '.join(told)}", evidence=_ids(telling))
    telling = [reading for reading in telling if not reading.is_hint]
    possible = _common(telling)
    if len(possible) > 1:
        return Class(possible=possible, why=readings[0].why, evidence=_ids(telling))
    return Class(possible=possible, p_wrong=_p_wrong(telling, possible[0]), evidence=_ids(telling))


def _unless_drawn(found: Class, view: View) -> Class:
    """Take back what rests on mapped addresses that agree, where a NAT that draws them by lot may make them agree."""
    if found.behavior in ("undetermined", "address-and-port-dependent"):
        return found
    chance = chance_of_lots(view.samples, found.possible[0])
    if chance <= LIMIT:
        return msgspec.structs.replace(found, p_wrong=(found.p_wrong or 0.0) + chance)
    possible = BEHAVIORS if found.behavior == "endpoint-independent" else _DEPENDENT
    why = "one server saw several external addresses with the same port, so that mappings may agree by chance"
    return Class(possible=possible, why=f"{' or '.join(possible)}; {why}", evidence=found.evidence)


def _common(readings: list[Reading]) -> tuple[Behavior, ...]:
    return tuple(item for item in BEHAVIORS if all(item in reading.possible for reading in readings))


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
    others is a contradiction. That it changes takes one server's own two addresses or three operators: of two, one may
    be wrong, unless relays showed that both tell the truth. Two ports of one IP address tell whether the port counts.
    """
    unsupported = _unsupported(samples, view)
    if unsupported:
        return Reading(samples=samples, why=unsupported)
    if len({sample.mapped for sample in samples}) == 1:
        return Reading(samples=samples, possible=("endpoint-independent",))
    agreeing = _agreeing(samples)
    if agreeing is not None:
        return Reading(samples=samples, why=CONTRADICTION + _disagreement(agreeing, samples), contradiction=True)
    if not (_count_operators(samples) > 2 or _has_own_alternate(samples, view) or _vouched_disagree(samples, view)):
        told = _disagreement(samples[:1], samples)
        why = f"servers disagree: {told}; a third operator, or one with RFC 5780, has to tell who is right"
        return Reading(samples=samples, possible=_DEPENDENT, is_hint=True, why=why)
    if _count_operators(samples) == 1 and _gives_each_address_another(samples, view):
        told = _disagreement(samples[:1], samples)
        why = f"{told}; no second operator tells of two external addresses, and no single address saw both"
        return Reading(samples=samples, possible=_DEPENDENT, is_hint=True, why=why)
    found = _by_ports(samples)
    why = doubt(samples, view) if _count_operators(samples) == 1 else ""
    return Reading(samples=samples, possible=found.possible, is_hint=True, why=why) if why else found


def _gives_each_address_another(samples: tuple[Sample, ...], view: View) -> bool:
    """Tell whether the mapped IP address goes by the destination's, and always the same way.

    A NAT with several addresses outside takes them by lot or by the internal address (RFC 4787 section 4.1), so that
    several sockets show one destination several. What one server's two addresses tell so neatly may be one's lie.
    """
    if len({sample.mapped.ip for sample in samples}) == 1:
        return False
    seen: dict[IPAddress, set[IPAddress]] = {}
    for sample in view.samples:
        seen.setdefault(sample.destination.ip, set()).add(sample.mapped.ip)
    return all(len(mapped) == 1 for mapped in seen.values())


def _vouched_disagree(samples: tuple[Sample, ...], view: View) -> bool:
    """Tell whether two IP addresses saw different mapped addresses, of operators that were shown to tell the truth."""
    truthful = [sample for sample in samples if sample.server in vouched(view.relays)]
    told = {(sample.operator, sample.destination.ip, sample.mapped) for sample in truthful}
    return any(a[0] != b[0] and a[1] != b[1] and a[2] != b[2] for a in told for b in told)


def _by_ports(samples: tuple[Sample, ...]) -> Reading:
    """Say whether the port counts, where the IP address is known to."""
    verdicts = {_ports_verdict(ports) for ports in _by_address(samples).values() if len(ports) > 1}
    known = tuple(item for item in verdicts if item)
    if len(verdicts) == len(known) == 1:
        return Reading(samples=samples, possible=known)
    why = "servers disagree on whether the port counts" if verdicts else "no two ports of one server address answered"
    return Reading(samples=samples, possible=_DEPENDENT, why=f"{' or '.join(_DEPENDENT)}: {why}")


def _by_address(samples: tuple[Sample, ...]) -> dict[IPAddress, list[TransportAddress]]:
    """Return the mapped addresses towards the ports of each IP address."""
    found: dict[IPAddress, list[TransportAddress]] = {}
    for sample in samples:
        found.setdefault(sample.destination.ip, []).append(sample.mapped)
    return found


def _ports_verdict(mapped: list[TransportAddress]) -> Behavior | None:
    """Say what the ports of one IP address tell: all the same, all different, or nothing that a NAT does."""
    different = len(set(mapped))
    if different == 1:
        return "address-dependent"
    return "address-and-port-dependent" if different == len(mapped) else None


def _agreeing(samples: tuple[Sample, ...]) -> tuple[Sample, Sample] | None:
    """Return two samples of different IP addresses with one mapped address, None where there are none."""
    first: dict[TransportAddress, Sample] = {}
    for sample in samples:
        before = first.setdefault(sample.mapped, sample)
        if before.destination.ip != sample.destination.ip:
            return before, sample
    return None


def _disagreement(agreeing: Sequence[Sample], samples: tuple[Sample, ...]) -> str:
    common = agreeing[0].mapped
    odd = next(sample for sample in samples if sample.mapped != common)
    sides = " and ".join(_named(sample) for sample in agreeing)
    return f"{sides} saw {common}, {_named(odd)} saw {odd.mapped} from the same socket"


def _named(sample: Sample) -> str:
    return f"{sample.server} at {sample.destination}"


def _unsupported(samples: tuple[Sample, ...], view: View) -> str:
    if len({sample.destination.ip for sample in samples}) < 2:
        return "only one server address answered; two are needed"
    if view.scope is not Scope.GLOBAL or _count_operators(samples) > 1 or _has_own_alternate(samples, view):
        return ""
    return "all servers that answered belong to one operator; two, or one with RFC 5780, are needed"


def _has_own_alternate(samples: tuple[Sample, ...], view: View) -> bool:
    """Tell whether two addresses of one RFC 5780 server are among those that answered."""
    addresses = {sample.destination.ip for sample in samples}
    others = (other_address(view, sample.destination).value for sample in samples)
    return any(other is not None and other.ip in addresses for other in others)


def _count_operators(samples: tuple[Sample, ...]) -> int:
    return len({sample.operator for sample in samples})


def _p_wrong(readings: list[Reading], behavior: Behavior) -> float:
    """Add what the servers may get wrong to the chance that mapped addresses agree although chosen anew."""
    samples = tuple(sample for reading in readings for sample in reading.samples)
    chance = 0.0 if behavior == "address-and-port-dependent" else P_SAME_PORT ** _coincidences(readings, behavior)
    return P_OPERATOR_WRONG ** _count_operators(samples) + chance


def _coincidences(readings: list[Reading], behavior: Behavior) -> int:
    """Count how often ports were the same that another behavior would have chosen anew."""
    by_address = [_by_address(reading.samples) for reading in readings]
    if behavior == "endpoint-independent":
        return sum(len(addresses) - 1 for addresses in by_address)
    return sum(len(ports) - 1 for addresses in by_address for ports in addresses.values())


def _ids(readings: list[Reading]) -> tuple[str, ...]:
    return tuple(sample.id for reading in readings for sample in reading.samples)
