"""One address family of a middlebox: which packet crosses it, and between which endpoints it then goes on."""

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import NamedTuple

import msgspec

from rtcdiag.lab.assignment import Inside, Ports
from rtcdiag.lab.connections import LIFETIME_S
from rtcdiag.lab.mappings import Assign, Mapping, Mappings
from rtcdiag.lab.packet import ICMP, ICMP6, TCP, UDP, Endpoint, Packet
from rtcdiag.lab.spec import NatSpec
from rtcdiag.nat import Behavior

_ECHO_LIFETIME_S = 60.0
"""RFC 5508 section 3.2."""
_FLAGS_AT = 13
"""In a TCP header."""


class Side(StrEnum):
    """A side of the middlebox."""

    INSIDE = "inside"
    OUTSIDE = "outside"


class Crossing(NamedTuple):
    """To which side a packet goes, between which endpoints."""

    to: Side
    source: Endpoint
    destination: Endpoint


def port_assignments(
    spec: NatSpec, pool: tuple[bytes, ...], inside: Sequence[Inside], random: Random
) -> dict[int, Assign]:
    """Return who chooses external endpoints, by protocol; echo identifiers are kept where possible."""
    echoes = msgspec.structs.replace(spec, port="preserving", ports=(0, 65535), parity=False)
    kinds = {UDP: spec, TCP: spec, ICMP: echoes}
    return {protocol: Ports(kind, pool, inside, random) for protocol, kind in kinds.items()}


class Translator:
    """Mappings and filters of one address family: a NAT, or with unchanged endpoints a stateful firewall."""

    def __init__(self, spec: NatSpec, assign: dict[int, Assign], pool: frozenset[bytes], *, translates: bool) -> None:
        self._pool = pool
        """The external addresses that hairpinning is about."""
        self._hairpin = spec.hairpin
        udp = Mappings(
            mapping=spec.mapping if translates else "endpoint-independent",
            filtering=spec.filtering,
            lifetime_s=spec.lifetime_s,
            refresh=spec.refresh,
            assign=assign[UDP],
            overloads=translates and spec.port == "overloading",
            tracks=translates and spec.inbound == "tracked",
        )
        tcp = _connections("address-and-port-dependent", LIFETIME_S, assign[TCP])
        echoes = _connections("address-dependent", _ECHO_LIFETIME_S, assign[ICMP])
        self._tables = {UDP: udp, TCP: tcp, ICMP: echoes, ICMP6: echoes}

    def cross(self, side: Side, packet: Packet, now_s: float) -> Crossing | None:
        """Return how a packet goes on, or None when it is dropped."""
        table = self._tables.get(packet.protocol)
        if table is None or packet.source[1] < 0 or (packet.is_echo and packet.asks != (side is Side.INSIDE)):
            return None
        flags = packet.data[packet.start + _FLAGS_AT] if packet.protocol == TCP else None
        if side is Side.OUTSIDE:
            return self._inward(table, packet.source, packet.destination, now_s, flags)
        hairpin = packet.destination[0] in self._pool
        if hairpin and self._hairpin == "none":
            return None
        mapping = table.outbound(packet.source, packet.destination, now_s, flags)
        if mapping is None:
            return None
        if not hairpin:
            return Crossing(Side.OUTSIDE, mapping.external, packet.destination)
        return self._turn_back(table, mapping, packet.destination, now_s, flags)

    def _turn_back(
        self, table: Mappings, sender: Mapping, destination: Endpoint, now_s: float, flags: int | None
    ) -> Crossing | None:
        """Deliver to an inside host what another one sent to its external endpoint (RFC 4787 section 6)."""
        crossing = self._inward(table, sender.external, destination, now_s, flags)
        if crossing is None or self._hairpin == "external":
            return crossing
        return crossing._replace(source=sender.inside)

    def cross_error(self, side: Side, packet: Packet, inner: Packet, now_s: float) -> tuple[Crossing, Crossing] | None:
        """Return how an ICMP error goes on and between which endpoints what it quotes (RFC 5508 section 4)."""
        table = self._tables.get(inner.protocol)
        if table is None or inner.source[1] < 0:
            return None
        if side is Side.OUTSIDE:
            mapping = table.of_external(inner.source, inner.destination, now_s)
            if mapping is None or packet.destination[0] != mapping.external[0]:
                return None
            outer = Crossing(Side.INSIDE, packet.source, (mapping.inside[0], -1))
            return outer, Crossing(Side.INSIDE, mapping.inside, inner.destination)
        mapping = table.of_receiver(inner.destination, inner.source, now_s)
        if mapping is None:
            return None
        if packet.destination[0] in self._pool:
            return self._turn_error_back(table, mapping, inner.source, now_s)
        outer = Crossing(Side.OUTSIDE, (mapping.external[0], -1), packet.destination)
        return outer, Crossing(Side.OUTSIDE, inner.source, mapping.external)

    def _turn_error_back(
        self, table: Mappings, receiver: Mapping, seen_source: Endpoint, now_s: float
    ) -> tuple[Crossing, Crossing] | None:
        """Bring an error about what turned back to who sent it (RFC 5508)."""
        sender = table.of_external(seen_source, receiver.external, now_s)
        if sender is None or self._hairpin != "external":
            return None
        outer = Crossing(Side.INSIDE, (receiver.external[0], -1), (sender.inside[0], -1))
        return outer, Crossing(Side.INSIDE, sender.inside, receiver.external)

    @staticmethod
    def _inward(
        table: Mappings, source: Endpoint, destination: Endpoint, now_s: float, flags: int | None
    ) -> Crossing | None:
        mapping = table.inbound(destination, source, now_s, flags)
        return Crossing(Side.INSIDE, source, mapping.inside) if mapping is not None else None


def _connections(filtering: Behavior, lifetime_s: float, assign: Assign) -> Mappings:
    return Mappings(
        mapping="endpoint-independent", filtering=filtering, lifetime_s=lifetime_s, refresh="both", assign=assign
    )
