"""Why two sides connect directly or not, in one sentence each."""

from typing import NamedTuple

from rtcdiag.nat import BEHAVIORS, Behavior
from rtcdiag.traversal.checks import connects
from rtcdiag.traversal.sides import EIM, Endpoint, predict
from rtcdiag.traversal.world import Side


class Names(NamedTuple):
    """What the two sides are called within a sentence."""

    here: str
    of_here: str
    """Its possessive."""
    at: str
    """Where it is."""
    peer: str
    of_peer: str
    at_peer: str

    @property
    def reversed(self) -> "Names":
        """The same, seen from the other side."""
        return Names(self.peer, self.of_peer, self.at_peer, self.here, self.of_here, self.at)


_ONE_ADDRESS = "keeps one public address"
"""What paired pooling does always, and arbitrary pooling by chance."""
HERE = Names("this side", "this side's", "here", "the peer", "the peer's", "at the peer")
"""In a report, which knows one side."""


def explain(here: Endpoint, peer: Endpoint, names: Names = HERE) -> str:
    """Say in one sentence what decides between two sides that are not on one network."""
    for side, owner in ((here, names.of_here), (peer, names.of_peer)):
        if side.udp is False:
            return f"no UDP gets out of {owner} network: only a relay over TCP or TLS is left"
    match predict(here, peer):
        case "yes":
            return _why_yes(here, peer, names)
        case "no":
            return _why_no(here, peer, names)
        case "unknown" if predict(here.untracked, peer.untracked) == "yes":
            return _order_decides(here, peer, names)
        case "unknown":
            return f"direct {_condition(here, peer, names)}"


def _why_yes(here: Endpoint, peer: Endpoint, names: Names) -> str:
    if other := _of_other_family(here, peer, names):
        return f"{other} has no IPv4 of its own, but its NAT64 lets packets in from anywhere, and it answers them"
    if here.mappings == EIM and peer.mappings == EIM:
        return "both sides keep one public address for all destinations, so each can be told where to send"
    if peer.filterings == EIM:
        return f"{names.peer} lets packets in from anywhere, so it learns which port {names.here} really uses"
    if here.filterings == EIM:
        return f"{names.here} lets packets in from anywhere, so it learns which port {names.peer} really uses"
    side = names.here if here.mappings == EIM else names.peer
    return f"{side} lets in every port of an address that it contacted, so it learns which port the other really uses"


def _of_other_family(here: Endpoint, peer: Endpoint, names: Names) -> str:
    """Name the side whose own address is of the other family; empty where there is none."""
    return names.here if here.other_family else names.peer if peer.other_family else ""


def _why_no(here: Endpoint, peer: Endpoint, names: Names) -> str:
    if other := _of_other_family(here, peer, names):
        return f"{other} has no IPv4 of its own, and ICE pairs IPv6 with IPv6 only: left are IPv6 or a relay"
    if here.mappings == EIM:
        return _stopped(names.of_peer, names.of_here)
    if peer.mappings == EIM:
        return _stopped(names.of_here, names.of_peer)
    return "both sides use another port towards each other than the one that they told"


def _stopped(sender: str, receiver: str) -> str:
    return f"{sender} checks come from a port that it uses towards no one else, and {receiver} filter drops them"


def _order_decides(here: Endpoint, peer: Endpoint, names: Names) -> str:
    """Say who must not be first."""
    sides = ((here, names.of_here), (peer, names.of_peer))
    first, *second = [owner for side, owner in sides if True in side.tracks]
    whose = "either" if second else first
    other = "the other side's" if second else names.of_peer if first == names.of_here else names.of_here
    return (
        f"direct depends on the order of the first packets: {other} checks, where they arrive first, "
        f"cost {whose} NAT its port"
    )


def proviso(granted: tuple[bool, bool], names: Names = HERE) -> str:
    """Say when a yes does not hold that takes something for granted of one side or both; empty where it does not."""
    match granted:
        case True, True:
            return "one side's checks come first and cost the other's NAT its port, which is not known"
        case True, False:
            return f"{names.of_peer} checks come first and cost {names.of_here} NAT its port, which is not known"
        case False, True:
            return f"{names.of_here} checks come first and cost {names.of_peer} NAT its port, which is not known"
        case _:
            return ""


def _condition(here: Endpoint, peer: Endpoint, names: Names) -> str:
    """Say which of the possibilities of one side make it direct whatever the other is."""
    one, two = _good(here, peer), _good(peer, here)
    if one:
        return _told(one, here, names.at)
    return _told(two, peer, names.at_peer) if two else f"if {names.of_peer} NAT is a permissive one"


def _good(here: Endpoint, peer: Endpoint) -> set[Side]:
    return {side for side in here.sides if all(connects(side, other) for other in peer.sides)}


def _told(good: set[Side], here: Endpoint, at: str) -> str:
    """Name the good possibilities by one property where one decides, else the first of them."""
    for name in ("mapping", "filtering", "pooling"):
        values = tuple(dict.fromkeys(getattr(side, name) for side in here.sides if side in good))
        if good == {side for side in here.sides if getattr(side, name) in values}:
            return f"if the NAT {at} {_ONE_ADDRESS}" if name == "pooling" else f"if {name} {at} {_is(values)}"
    told = [_alternative(mappings, limits, at) for limits, mappings in _alternatives(good, here).items()]
    return f"{'at least ' if len(told) > 1 else ''}if {told[0]}"


def _is(values: tuple[Behavior, ...]) -> str:
    """Say that a behavior is one of these; of three, two are all but the third."""
    left = [behavior for behavior in BEHAVIORS if behavior not in values]
    return f"is not {left[0]}" if len(left) == 1 else f"is {' or '.join(values)}"


def _alternatives(good: set[Side], here: Endpoint) -> dict[str, list[Behavior]]:
    """Return the good mappings by what has to come with them."""
    found: dict[str, list[Behavior]] = {}
    for mapping in here.mappings:
        sides = [side for side in here.sides if side in good and side.mapping == mapping]
        if sides:
            found.setdefault(_limits(sides, here), []).append(mapping)
    return found


def _alternative(mappings: list[Behavior], limits: str, at: str) -> str:
    return f"mapping {at} {_is(tuple(mappings))}" + (f" and {limits}" if limits else "")


def _limits(sides: list[Side], here: Endpoint) -> str:
    """Name the properties that have to be narrower than what is known of them."""
    filterings = tuple(dict.fromkeys(side.filtering for side in sides))
    limits = [] if filterings == here.filterings else [f"filtering {_is(filterings)}"]
    limits += [f"the NAT {_ONE_ADDRESS}"] if {side.pooling for side in sides} != set(here.poolings) else []
    return " and ".join(limits)
