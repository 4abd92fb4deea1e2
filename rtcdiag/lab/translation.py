"""One address family of a middlebox: which packet crosses it, and between which endpoints it then goes on."""

from enum import StrEnum
from random import Random
from typing import NamedTuple

import msgspec

from rtcdiag.lab.assignment import Ports
from rtcdiag.lab.mappings import Assign, Mapping, Mappings
from rtcdiag.lab.packet import ICMP, ICMP6, TCP, UDP, Endpoint, Packet
from rtcdiag.lab.spec import NatSpec
from rtcdiag.nat import Behavior

TCP_LIFETIME_S = 7440.0
"""RFC 5382 section 5: an idle connection lives for 2 hours and 4 minutes at least."""
ICMP_LIFETIME_S = 60.0
"""RFC 5508 section 3.2."""


class Side(StrEnum):
    """A side of the middlebox."""

    INSIDE = "inside"
    OUTSIDE = "outside"


class Crossing(NamedTuple):
    """To which side a packet goes, between which endpoints."""

    to: Side
    source: Endpoint
    destination: Endpoint


def port_assignments(spec: NatSpec, pool: tuple[bytes, ...], first_host: bytes, random: Random) -> dict[int, Assign]:
    """Return who chooses external endpoints, by protocol; echo identifiers are kept where possible."""
    echoes = msgspec.structs.replace(spec, port="preserving", ports=(0, 65535), parity=False)
    kinds = {UDP: spec, TCP: spec, ICMP: echoes}
    return {protocol: Ports(kind, pool, first_host, random) for protocol, kind in kinds.items()}


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
        )
        tcp = _connections("address-and-port-dependent", TCP_LIFETIME_S, assign[TCP])
        echoes = _connections("address-dependent", ICMP_LIFETIME_S, assign[ICMP])
        self._tables = {UDP: udp, TCP: tcp, ICMP: echoes, ICMP6: echoes}

    def cross(self, side: Side, packet: Packet, now_s: float) -> Crossing | None:
        """Return how a packet goes on, or None when it is dropped."""
        table = self._tables.get(packet.protocol)
        if table is None or packet.source[1] < 0 or (packet.is_echo and packet.asks != (side is Side.INSIDE)):
            return None
        if side is Side.OUTSIDE:
            return self._inward(table, packet.source, packet.destination, now_s)
        hairpin = packet.destination[0] in self._pool
        if hairpin and self._hairpin == "none":
            return None
        mapping = table.outbound(packet.source, packet.destination, now_s)
        if mapping is None:
            return None
        if not hairpin:
            return Crossing(Side.OUTSIDE, mapping.external, packet.destination)
        return self._turn_back(table, mapping, packet.destination, now_s)

    def _turn_back(self, table: Mappings, sender: Mapping, destination: Endpoint, now_s: float) -> Crossing | None:
        """Deliver to an inside host what another one sent to its external endpoint (RFC 4787 section 6)."""
        crossing = self._inward(table, sender.external, destination, now_s)
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
        mapping = table.of_inside(inner.destination, inner.source, now_s)
        if mapping is None or packet.destination[0] in self._pool:
            return None
        outer = Crossing(Side.OUTSIDE, (mapping.external[0], -1), packet.destination)
        return outer, Crossing(Side.OUTSIDE, inner.source, mapping.external)

    @staticmethod
    def _inward(table: Mappings, source: Endpoint, destination: Endpoint, now_s: float) -> Crossing | None:
        mapping = table.inbound(destination, source, now_s)
        return Crossing(Side.INSIDE, source, mapping.inside) if mapping is not None else None


def _connections(filtering: Behavior, lifetime_s: float, assign: Assign) -> Mappings:
    return Mappings(
        mapping="endpoint-independent", filtering=filtering, lifetime_s=lifetime_s, refresh="both", assign=assign
    )
