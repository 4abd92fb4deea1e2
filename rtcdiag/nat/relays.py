"""What was seen from TURN relays in one family: where they stood, who sent to them, and what they sent."""

from collections.abc import Iterator

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress
from rtcdiag.evidence import Evidence, VantageBinding, VantageKnock, VantageOpening, VantagePoint
from rtcdiag.nat.answers import known
from rtcdiag.nat.samples import Sample


class Relays(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence that TURN relays gave, in the order of the plan."""

    points: tuple[VantagePoint, ...] = ()
    openings: tuple[VantageOpening, ...] = ()
    knocks: tuple[VantageKnock, ...] = ()
    bindings: tuple[VantageBinding, ...] = ()

    @property
    def hosts(self) -> tuple[tuple[str, str], ...]:
        """Servers, each with an IP address of theirs."""
        at = ((point.server, address) for point in self.points for address in (point.destination, point.relayed))
        return tuple((server, address.host) for server, address in at if address is not None)


def relays_of(evidence: Evidence, family: Family) -> Relays:
    """Return a family's part of the evidence."""
    return Relays(
        points=evidence.of(VantagePoint, lambda item: item.destination.family is family),
        openings=evidence.of(VantageOpening, lambda item: item.relayed.family is family),
        knocks=evidence.of(VantageKnock, lambda item: item.relayed.family is family),
        bindings=evidence.of(VantageBinding, lambda item: item.relayed.family is family),
    )


def within(relays: Relays, scope: Scope, local: IPAddress | None) -> Relays:
    """Return what relays of one scope showed of one address of this computer, None for any.

    A server that gave no relayed address stays, for its reason.
    """
    return Relays(
        points=tuple(item for item in relays.points if (item.relayed or item.destination).scope is scope),
        openings=tuple(item for item in relays.openings if item.relayed.scope is scope and _left_by(item, local)),
        knocks=tuple(item for item in relays.knocks if item.relayed.scope is scope and _left_by(item, local)),
        bindings=tuple(item for item in relays.bindings if item.relayed.scope is scope),
    )


def _left_by(item: VantageOpening | VantageKnock, local: IPAddress | None) -> bool:
    return local is None or item.local is None or item.local.ip == local


def relay_samples(relays: Relays, operators: dict[str, str]) -> Iterator[Sample]:
    """Yield the mapped addresses that relays saw: each is a destination like any server."""
    for item in relays.openings:
        mapped = known(item.mapped)
        if mapped is None or item.seen_ms is None or mapped.family is not item.relayed.family:
            continue
        yield Sample(
            id=item.id,
            server=item.server,
            operator=operators.get(item.server, item.server),
            socket=(item.socket, known(item.local)),
            purpose="mapping",
            change="none",
            destination=item.relayed,
            local=known(item.local),
            interface=item.interface,
            mapped=mapped,
            prompt=sum(sent_ms <= item.seen_ms for sent_ms in item.sent_ms) <= 1,
            sent_ms=min(item.sent_ms, default=item.t_ms),
            t_ms=item.seen_ms,
        )


def told_wrong(relays: Relays, operators: dict[str, str]) -> dict[str, str]:
    """Return the STUN servers that told a relay another address than its own, where another operator told that one.

    Without anybody who confirms the relayed address, it may be the TURN server that names a wrong one.
    """
    answered = [item for item in relays.bindings if item.told is not None]
    right = {(item.relayed, operators.get(item.server)) for item in answered if item.told == item.relayed}
    return {
        item.server: f"told the relay at {item.relayed} that it is at {item.told}"
        for item in answered
        if item.told != item.relayed
        and any(relayed == item.relayed and by != operators.get(item.server) for relayed, by in right)
    }


def vouched(relays: Relays) -> frozenset[str]:
    """Return the servers that told the truth where it is known.

    A STUN server that told a relay its own address; a TURN server where something sent to the mapped address that its
    relay saw got in.
    """
    truthful = {item.server for item in relays.bindings if item.told == item.relayed}
    reached = {item.server for item in relays.knocks if arrived(item) and _was_seen(relays, item)}
    return frozenset(truthful | reached)


def _was_seen(relays: Relays, knock: VantageKnock) -> bool:
    seen = openings_seen(relays, knock.socket).get(knock.relayed)
    return seen is not None and seen.mapped == knock.peer


def arrived(knock: VantageKnock) -> bool:
    """Tell whether any datagram of it got in, from the relayed address."""
    return any(item.source == knock.relayed for item in knock.arrivals)


def openings_seen(relays: Relays, socket: str) -> dict[TransportAddress, VantageOpening]:
    """Return a socket's datagrams that arrived at relays, by relayed address."""
    return {item.relayed: item for item in relays.openings if item.socket == socket and item.mapped is not None}
