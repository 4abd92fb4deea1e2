"""A NAT, a firewall or a router as a function: a packet in, packets out. No I/O, no clock.

State and impairments are decided when a packet arrives, so the line is thought of as behind the middlebox in either
direction: a packet that the line to the outside loses has made its mapping all the same.
"""

from ipaddress import IPv4Network, IPv6Network
from random import Random
from typing import NamedTuple

from rtcdiag.lab import icmp
from rtcdiag.lab.alg import rewrite_payload
from rtcdiag.lab.assignment import Prefix, unchanged
from rtcdiag.lab.fragments import Fragments, split
from rtcdiag.lab.impairments import Line
from rtcdiag.lab.mappings import Assign
from rtcdiag.lab.packet import ICMP, ICMP6, TCP, UDP, Packet, parse, rewrite
from rtcdiag.lab.spec import Addresses, NatSpec
from rtcdiag.lab.translation import Side, Translator, port_assignments

__all__ = ["Emission", "Middlebox", "Side"]

_UNCHANGED: dict[int, Assign] = {UDP: unchanged, TCP: unchanged, ICMP: unchanged}


class Emission(NamedTuple):
    """A whole IP packet, to be put on a side after a delay."""

    to: Side
    packet: bytes
    delay_s: float


class _Network(NamedTuple):
    """An inside network, in numbers."""

    prefix: int
    shift: int

    def has(self, address: bytes) -> bool:
        return int.from_bytes(address) >> self.shift == self.prefix


def _network(network: IPv4Network | IPv6Network) -> _Network:
    shift = network.max_prefixlen - network.prefixlen
    return _Network(int(network.network_address) >> shift, shift)


class Middlebox:
    """What a specification says, between two sides."""

    def __init__(self, spec: NatSpec, addresses: Addresses, random: Random) -> None:
        """Raise ValueError where the addresses do not suffice for the specification."""
        self._spec = spec
        self._inside = {
            4: [_network(network) for network in addresses.inside],
            6: [_network(addresses.inside6)] if addresses.inside6 else [],
        }
        # Each consumer has numbers of its own: a lost packet must not change the next port.
        ports, up, down = (Random(random.getrandbits(64)) for _ in range(3))  # noqa: S311  a model, no secret
        self._lines = {Side.OUTSIDE: Line(spec.up, up), Side.INSIDE: Line(spec.down, down)}
        self._translators = {4: _translator4(spec, addresses, ports), 6: _translator6(spec, addresses, ports)}
        self._own = _own_addresses(addresses)
        self._fragments = Fragments()

    def receive(self, side: Side, packet: bytes, now_s: float) -> list[Emission]:
        """Return what comes out, and when, of a packet that arrives; nothing for what is dropped, odd or hostile."""
        parsed = parse(packet)
        if parsed is None or not self._passes(side, parsed):
            return []
        return [
            Emission(to, out, delay_s)
            for to, out in self._forward(side, parsed, now_s)
            for delay_s in self._lines[to].delays_s(now_s)
        ]

    def _passes(self, side: Side, packet: Packet) -> bool:
        """Return whether a packet is for a router at all, and not blocked."""
        spec, version = self._spec, packet.version
        source, destination = packet.source[0], packet.destination[0]
        if not (_is_unicast(source) and _is_unicast(destination)):
            return False
        from_inside = self._is_inside(version, source)
        if from_inside != (side is Side.INSIDE) or (from_inside and self._is_inside(version, destination)):
            return False
        if (packet.fragment and not spec.fragments) or (version == 6 and spec.v6 == "blocked"):
            return False
        if packet.protocol in {ICMP, ICMP6}:
            return spec.icmp
        ports = {UDP: spec.udp, TCP: spec.tcp}.get(packet.protocol)
        # A later fragment has no ports: it passes where its first one has passed.
        return (
            ports is None
            or bool(ports and packet.later)
            or (packet.destination if from_inside else packet.source)[1] in ports
        )

    def _is_inside(self, version: int, address: bytes) -> bool:
        return any(network.has(address) for network in self._inside[version])

    def _forward(self, side: Side, packet: Packet, now_s: float) -> list[tuple[Side, bytes]]:
        mtu, own = self._spec.mtu or 65535, self._own[packet.version, side]
        too_big = len(packet.data) > mtu
        if packet.hops <= 1 or (too_big and not packet.may_split):
            error = icmp.time_exceeded(packet, own) if packet.hops <= 1 else icmp.too_big(packet, own, mtu)
            return [(side, error)] if error and self._spec.icmp else []
        crossed = self._cross(side, packet, now_s)
        if crossed is None:
            return []
        to, out = crossed
        return [(to, part) for part in split(out, mtu)] if too_big else [crossed]

    def _cross(self, side: Side, packet: Packet, now_s: float) -> tuple[Side, bytes] | None:
        translator = self._translators[packet.version]
        if translator is None:
            return self._route(side, packet)
        if packet.later:
            crossing = self._fragments.recall(side, packet, now_s)
        elif packet.is_error:
            return self._cross_error(translator, side, packet, now_s)
        else:
            crossing = translator.cross(side, packet, now_s)
        if crossing is None:
            return None
        if packet.fragment and not packet.later:
            self._fragments.remember(side, packet, crossing, now_s)
        out = rewrite(packet, crossing.source, crossing.destination)
        return crossing.to, rewrite_payload(packet, crossing, out) if self._spec.alg else out

    def _route(self, side: Side, packet: Packet) -> tuple[Side, bytes] | None:
        """Pass on without translation or filter what belongs on the other side."""
        if self._is_inside(packet.version, packet.destination[0]) != (side is Side.OUTSIDE):
            return None
        to = Side.OUTSIDE if side is Side.INSIDE else Side.INSIDE
        return to, rewrite(packet, packet.source, packet.destination)

    @staticmethod
    def _cross_error(translator: Translator, side: Side, packet: Packet, now_s: float) -> tuple[Side, bytes] | None:
        inner = icmp.quoted(packet)
        crossings = translator.cross_error(side, packet, inner, now_s) if inner is not None else None
        if inner is None or crossings is None:
            return None
        outer, about = crossings
        ends = (outer.source[0], outer.destination[0])
        return outer.to, icmp.rewrite_error(packet, ends, inner, (about.source, about.destination))


def _is_unicast(address: bytes) -> bool:
    """Return whether a router forwards packets from or to an address: neither multicast nor of this link or host."""
    if len(address) == 4:
        return 0 < address[0] < 224 and address[0] != 127 and address[:2] != b"\xa9\xfe"
    return address[0] != 0xFF and address[:15] != bytes(15) and not (address[0] == 0xFE and address[1] >> 6 == 2)


def _own_addresses(addresses: Addresses) -> dict[tuple[int, Side], bytes]:
    """Return from where errors are sent, by IP version and side."""
    inside = (addresses.inside[0].network_address + 1).packed if addresses.inside else bytes(4)
    outside = addresses.external[0].packed if addresses.external else inside
    inside6 = (addresses.inside6.network_address + 1).packed if addresses.inside6 else bytes(16)
    return {(4, Side.INSIDE): inside, (4, Side.OUTSIDE): outside, (6, Side.INSIDE): inside6, (6, Side.OUTSIDE): inside6}


def _translator4(spec: NatSpec, addresses: Addresses, random: Random) -> Translator | None:
    if spec.kind == "none":
        return None
    if spec.kind == "firewall":
        return Translator(spec, _UNCHANGED, frozenset(), translates=False)
    pool = tuple(address.packed for address in addresses.external[: spec.pool])
    if len(pool) < spec.pool or not addresses.inside:
        raise ValueError(f"pool={spec.pool} needs {spec.pool} external addresses and an inside network")
    assign = port_assignments(spec, pool, addresses.inside[0].network_address.packed, random)
    return Translator(spec, assign, frozenset(pool), translates=True)


def _translator6(spec: NatSpec, addresses: Addresses, random: Random) -> Translator | None:
    inside, outside = addresses.inside6, addresses.external6
    if inside is None or spec.v6 == "none":
        return None
    if spec.v6 in {"firewall", "blocked"}:
        return Translator(spec, _UNCHANGED, frozenset(), translates=False)
    if outside is None:
        raise ValueError(f"v6={spec.v6} needs an external IPv6 prefix")
    if spec.v6 == "prefix":
        prefix = Prefix(outside.network_address.packed, max(inside.prefixlen, outside.prefixlen))
        return Translator(spec, {UDP: prefix, TCP: prefix, ICMP: prefix}, frozenset(), translates=False)
    address = (outside.network_address + 1).packed
    assign = port_assignments(spec, (address,), inside.network_address.packed, random)
    return Translator(spec, assign, frozenset((address,)), translates=True)
