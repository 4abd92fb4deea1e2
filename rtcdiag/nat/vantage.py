"""Filtering behavior (RFC 4787 section 5) as a TURN server's relay sees it, without any help of RFC 5780.

Relays send datagrams to the mapped addresses of test sockets of this computer. One socket never sent anything to the
relays' IP address; one has sent to another relay at the same IP address; one to the very relay. What gets in to the
first shows endpoint-independent filtering, to the second address-dependent. That nothing got in is the filter's doing
only where all else is excluded:

* the relay: in the same moments it sent to the socket that had sent to it, and that got in;
* the mapped address: where a relay saw it, something sent back to it got in. Where a STUN server told it, that server
  is checked: it told the same address as a relay saw on another socket, or told the relay its own, known address;
* loss: ``loss.p_all_lost`` of what was sent and waited for is below one in a thousand.
"""

from collections.abc import Iterator
from statistics import median

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import VantageKnock
from rtcdiag.nat.behavior import Behavior
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.loss import NEAR_MS, Tally, not_excluded, p_all_lost
from rtcdiag.nat.opinion import Opinion, without_port
from rtcdiag.nat.relays import arrived, openings_seen
from rtcdiag.nat.samples import Sample
from rtcdiag.nat.view import View

LIMIT = 1e-3
"""Silence that is loss with this probability or more decides nothing."""
LEAST_WAIT_MS = 250.0
P_TWO_FACED = 5e-4
"""How often a server that told a relay the truth is taken to tell this computer something else; assumed."""

_FAILED = {
    "unreachable": "the TURN server could not be reached",
    "refused": "the TURN server refused an allocation",
    "no-relayed-address": "the TURN server named no relayed address",
    "implausible-relayed-address": "the TURN server named a relayed address that cannot be reached from outside",
    "no-other-server": "no server at another IP address than the relay's was named, to tell a socket's mapped address",
    "no-mapped-address": "no server at another IP address than the relay's told a socket's mapped address",
    "peer-refused": "the TURN server refuses to send to this network's own address",
}


_NO_PAIR = "it gave no second relay at the same IP address, so nothing tells whether ports count"


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """What one TURN server's relays showed."""

    view: View
    uri: str
    knocks: tuple[VantageKnock, ...]
    lost: Tally


def relay_opinions(view: View, lost: Tally) -> tuple[Opinion, ...]:
    """Return what each TURN server's relays say of the filter, in the order asked; ``lost`` is of the whole run."""
    lost = added(lost, knock_tally(view.relays.knocks))
    servers = dict.fromkeys(point.server for point in view.relays.points)
    return tuple(_opinion(_case(view, uri, lost)) for uri in servers)


def knock_tally(knocks: tuple[VantageKnock, ...]) -> Tally:
    """Count what was lost, and what was not, of knocks that the filter does not stop: some of them got in."""
    heard, awaited_ms = [knock for knock in knocks if arrived(knock)], wait_ms(knocks)
    answered = sum(len(knock.arrivals) for knock in heard)
    return sum(max(waited(knock, awaited_ms), len(knock.arrivals)) for knock in heard) - answered, answered


def added(one: Tally, other: Tally) -> Tally:
    """Return both together."""
    return one[0] + other[0], one[1] + other[1]


def wait_ms(knocks: tuple[VantageKnock, ...]) -> float:
    """Return how long to wait for a datagram: three times as long as those took that got in."""
    trips = [t_ms - sent_ms for knock in knocks for sent_ms, t_ms in _trips(knock)]
    return max(3 * median(trips), LEAST_WAIT_MS) if trips else 2 * LEAST_WAIT_MS


def _trips(knock: VantageKnock) -> Iterator[tuple[float, float]]:
    """Yield when each datagram that got in was sent, and when it came."""
    for item in knock.arrivals:
        if 0 <= item.number < len(knock.sent_ms):
            yield knock.sent_ms[item.number], item.t_ms


def waited(knock: VantageKnock, awaited_ms: float) -> int:
    """Return how many datagrams were given so long to arrive, but for what a busy computer is late."""
    end_ms = knock.t_ms + (knock.duration_ms or 0.0)
    return sum(sent_ms + 0.9 * awaited_ms <= end_ms for sent_ms in knock.sent_ms)


def _case(view: View, uri: str, lost: Tally) -> _Case:
    return _Case(view=view, uri=uri, knocks=tuple(k for k in view.relays.knocks if k.server == uri), lost=lost)


def _opinion(case: _Case) -> Opinion:
    operator = case.view.operators.get(case.uri, case.uri)
    closed = tuple(knock for knock in case.knocks if _reached(case, knock) == "nothing")
    near = tuple(knock for knock in case.knocks if _reached(case, knock) == "address")
    let_in = tuple(knock.id for knock in closed if arrived(knock))
    if let_in:
        doubts: dict[Behavior, float] = {"address-dependent": 0.0, "address-and-port-dependent": 0.0}
        return Opinion(uri=case.uri, operator=operator, doubts=doubts, evidence=let_in)
    doubts, whys, evidence = {}, [_why_not_ready(case)], tuple(knock.id for knock in near if arrived(knock))
    if evidence:
        doubts["address-and-port-dependent"] = 0.0
    if not whys[0]:
        free = _silence(case, closed, "no believable mapped address of a socket was told that it could send to")
        doubts |= {} if free.value is None else {"endpoint-independent": free.value}
        port = Judgement(why="") if evidence else _silence(case, near, _NO_PAIR)
        doubts |= {} if port.value is None else without_port(doubts, port.value)
        whys, evidence = [free.why, port.why], evidence + free.evidence + port.evidence
    why = "; ".join(dict.fromkeys(filter(None, whys)))
    return Opinion(uri=case.uri, operator=operator, doubts=doubts, why=why, evidence=evidence)


def _why_not_ready(case: _Case) -> str:
    points = [point for point in case.view.relays.points if point.server == case.uri]
    if any(point.outcome == "ready" for point in points):
        return "" if case.knocks else "the run ended before its relay could send"
    worst = points[-1]
    code = f" (error {worst.error_code})" if worst.error_code is not None else ""
    return _FAILED[worst.outcome] + code


def _reached(case: _Case, knock: VantageKnock) -> str:
    """Return what of the relay the knocked socket had sent to: ``nothing``, its ``address``, or ``all`` of it."""
    relays = case.view.relays.openings
    sent_to = {item.relayed for item in relays if item.socket == knock.socket}
    sent_to |= case.view.contacted.get(knock.socket, set()) | case.view.contacted.get(knock.local, set())
    if knock.relayed in sent_to:
        return "all"
    return "address" if any(item.ip == knock.relayed.ip for item in sent_to) else "nothing"


def _silence(case: _Case, knocks: tuple[VantageKnock, ...], why_none: str) -> Judgement[float]:
    """Return the least probability that nothing got in for another reason than the filter, or why it tells nothing."""
    judged = [_dropped(case, knock) for knock in knocks]
    proven = [item for item in judged if item.value is not None]
    if proven:
        return min(proven, key=lambda item: item.value or 0.0)
    if judged:
        return judged[0]
    return Judgement(why=why_none)


def _dropped(case: _Case, knock: VantageKnock) -> Judgement[float]:
    strange = next((item.source for item in knock.arrivals), None)
    if strange is not None:
        return Judgement(why=f"what its relay at {knock.relayed} sent came from {strange}")
    control = [item for item in case.knocks if item.relayed == knock.relayed and arrived(item)]
    if not control:
        return Judgement(
            why=f"nothing that its relay at {knock.relayed} sent got in, not even where this computer had sent to it"
        )
    trust = _trusted(case, knock)
    if trust.value is None:
        return trust
    sends = counted(knock, control, wait_ms(case.knocks))
    p_loss = p_all_lost(case.lost, sends)
    if p_loss >= LIMIT:
        return Judgement(why=not_excluded(sends, case.lost))
    return Judgement(value=p_loss + trust.value, evidence=(knock.id, control[0].id, *trust.evidence))


def counted(knock: VantageKnock, control: list[VantageKnock], awaited_ms: float) -> int:
    """Return how many of a silent knock's datagrams went out for certain, and were given so long to arrive.

    Those beside which all that was to get in was lost tell nothing: they are one burst of loss, or stuck on a stream.
    """
    got_in = [sent_ms for item in control for sent_ms, _ in _trips(item)]
    beside = [sent_ms for item in control for sent_ms in item.sent_ms]
    last_ms = knock.t_ms + (knock.duration_ms or 0.0) - 0.9 * awaited_ms
    return sum(
        sent_ms <= last_ms and (not _near(sent_ms, beside) or _near(sent_ms, got_in)) for sent_ms in knock.sent_ms
    )


def _near(sent_ms: float, others: list[float]) -> bool:
    return any(abs(other - sent_ms) <= NEAR_MS for other in others)


def _trusted(case: _Case, knock: VantageKnock) -> Judgement[float]:
    """Return the probability that the knocked address is not the socket's, or why nobody can vouch for it."""
    if _seen_and_answered(case, knock.socket, knock.peer):
        return Judgement(value=0.0)
    told = [item for item in case.view.samples if item.socket[0] == knock.socket and item.mapped == knock.peer]
    for sample in told:
        same = next(_confirmed_by_sight(case, sample), None)
        if same is not None:
            return Judgement(value=0.0, evidence=(sample.id, same))
    for sample in told:
        right = next(_confirmed_by_relay(case, sample), None)
        if right is not None:
            return Judgement(value=P_TWO_FACED, evidence=(sample.id, right))
    named = ", ".join(dict.fromkeys(sample.server for sample in told)) or "nobody who is believed"
    return Judgement(why=f"{named} told the mapped address {knock.peer}, and nothing confirms that it is right")


def _seen_and_answered(case: _Case, socket: str, mapped: TransportAddress) -> bool:
    """Tell whether a relay saw this mapped address on a socket, and what it sent back to it got in."""
    seen = openings_seen(case.view.relays, socket)
    return any(
        arrived(item) and item.peer == mapped == seen[item.relayed].mapped
        for item in case.view.relays.knocks
        if item.socket == socket and item.relayed in seen
    )


def _confirmed_by_sight(case: _Case, told: Sample) -> Iterator[str]:
    """Yield where the server told on another socket just what a relay saw, and proved, of it."""
    for sample in case.view.samples:
        same_server = (sample.server, sample.destination) == (told.server, told.destination)
        if same_server and _seen_and_answered(case, sample.socket[0], sample.mapped):
            yield sample.id


def _confirmed_by_relay(case: _Case, told: Sample) -> Iterator[str]:
    """Yield where the server told a relay its own address, which is known."""
    for item in case.view.relays.bindings:
        if (item.server, item.destination) == (told.server, told.destination) and item.told == item.relayed:
            yield item.id
