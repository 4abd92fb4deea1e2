"""A NAT, a firewall or a router as a function: a packet in, packets out. No I/O, no clock.

State and impairments are decided when a packet arrives, so the line is thought of as behind the middlebox in either
direction: a packet that the line to the outside loses has made its mapping all the same.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from rtcdiag.lab import icmp
from rtcdiag.lab.alg import rewrite_payload
from rtcdiag.lab.assignment import Prefix, unchanged
from rtcdiag.lab.fragments import Fragments, split
from rtcdiag.lab.impairments import Line
from rtcdiag.lab.mappings import Assign
from rtcdiag.lab.networks import Networks
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


class _State(NamedTuple):
    """What a restart forgets."""

    translators: dict[int, Translator | None]
    fragments: Fragments


class Middlebox:
    """What a specification says, between two sides."""

    def __init__(self, spec: NatSpec, addresses: Addresses, random: Random) -> None:
        """Raise ValueError where the addresses do not suffice for the specification."""
        self._spec = spec
        self._inside = Networks((*addresses.inside, *((addresses.inside6,) if addresses.inside6 else ())))
        # Each consumer has numbers of its own: a lost packet must not change the next port.
        ports, up, down = (Random(random.getrandbits(64)) for _ in range(3))  # noqa: S311  a model, no secret
        self._lines = {Side.OUTSIDE: Line(spec.up, up), Side.INSIDE: Line(spec.down, down)}
        routers = _router_addresses(addresses)
        self._own = _own_addresses(routers, addresses)
        self._routers = frozenset((*routers[4], *routers[6]))
        self._state: Callable[[], _State] = lambda: _State(
            {4: _translator4(spec, addresses, ports), 6: _translator6(spec, addresses, ports)}, Fragments()
        )
        self._translators, self._fragments = self._state()
        self._started_s: float | None = None
        self.lost = 0
        """How many packets the line lost of what came of the last one that was received."""

    def receive(self, side: Side, packet: bytes, now_s: float) -> list[Emission]:
        """Return what comes out, and when, of a packet that arrives; nothing for what is dropped, odd or hostile."""
        self.lost = 0
        parsed = parse(packet)
        if parsed is None or not self._belongs(side, parsed):
            return []
        if self._spec.restart_s is not None:
            self._restart(now_s, self._spec.restart_s)
        emissions = []
        for to, out in self._outcome(side, parsed, now_s):
            delays_s = self._lines[to].delays_s(now_s)
            self.lost += not delays_s
            emissions += [Emission(to, out, delay_s) for delay_s in delays_s]
        return emissions

    def _belongs(self, side: Side, packet: Packet) -> bool:
        """Return whether a packet is for a router at all."""
        source, destination = packet.source[0], packet.destination[0]
        if not (_is_unicast(source) and _is_unicast(destination)):
            return False
        from_inside = self._inside.has(source)
        if from_inside != (side is Side.INSIDE):
            return False
        return not from_inside or destination in self._routers or not self._inside.has(destination)

    def _restart(self, now_s: float, every_s: float) -> None:
        if self._started_s is None:
            self._started_s = now_s
        if now_s >= self._started_s + every_s:
            self._started_s += (now_s - self._started_s) // every_s * every_s
            self._translators, self._fragments = self._state()

    def _outcome(self, side: Side, packet: Packet, now_s: float) -> list[tuple[Side, bytes]]:
        if side is Side.INSIDE and packet.destination[0] in self._routers:
            return self._tell(side, icmp.answer(packet))
        if not self._is_open(side, packet):
            return self._tell(side, self._refusal(packet)) if side is Side.INSIDE else []
        return self._forward(side, packet, now_s)

    def _tell(self, side: Side, message: bytes | None) -> list[tuple[Side, bytes]]:
        return [(side, message)] if message and self._spec.icmp else []

    def _is_open(self, side: Side, packet: Packet) -> bool:
        spec = self._spec
        if (packet.fragment and not spec.fragments) or (packet.version == 6 and spec.v6 == "blocked"):
            return False
        if packet.protocol in {ICMP, ICMP6}:
            return spec.icmp
        ports = {UDP: spec.udp, TCP: spec.tcp}.get(packet.protocol)
        server = packet.destination if side is Side.INSIDE else packet.source
        # A later fragment has no ports: it passes where its first one has passed.
        return ports is None or bool(ports and packet.later) or server[1] in ports

    def _refusal(self, packet: Packet) -> bytes | None:
        """Return what tells the sender that a packet does not pass."""
        if self._spec.blocked == "silent" or packet.protocol not in {UDP, TCP}:
            return None
        say = icmp.prohibited if self._spec.blocked == "prohibited" else icmp.unreachable
        return say(packet, self._own[packet.version, Side.INSIDE])

    def _forward(self, side: Side, packet: Packet, now_s: float) -> list[tuple[Side, bytes]]:
        mtu, own = self._spec.mtu or 65535, self._own[packet.version, side]
        too_big = len(packet.data) > mtu
        if packet.hops <= 1 or (too_big and not packet.may_split):
            error = icmp.time_exceeded(packet, own) if packet.hops <= 1 else icmp.too_big(packet, own, mtu)
            return self._tell(side, error)
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
        if self._inside.has(packet.destination[0]) != (side is Side.OUTSIDE):
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


def _router_addresses(addresses: Addresses) -> dict[int, tuple[bytes, ...]]:
    """Return its own addresses on the inside, by IP version."""
    inside6 = () if addresses.inside6 is None else (addresses.inside6,)
    unless_said = [network.network_address + 1 for network in (*addresses.inside, *inside6)]
    return {
        version: tuple(
            one.packed
            for one in (
                [said for said in addresses.routers if said.version == version]
                or [first for first in unless_said if first.version == version]
            )
        )
        for version in (4, 6)
    }


def _own_addresses(routers: dict[int, tuple[bytes, ...]], addresses: Addresses) -> dict[tuple[int, Side], bytes]:
    """Return from where errors are sent, by IP version and side."""
    inside, inside6 = (routers[version][0] if routers[version] else bytes(size) for version, size in ((4, 4), (6, 16)))
    outside = addresses.external[0].packed if addresses.external else inside
    return {(4, Side.INSIDE): inside, (4, Side.OUTSIDE): outside, (6, Side.INSIDE): inside6, (6, Side.OUTSIDE): inside6}


def _translator4(spec: NatSpec, addresses: Addresses, random: Random) -> Translator | None:
    if spec.kind == "none":
        return None
    if spec.kind == "firewall":
        return Translator(spec, _UNCHANGED, frozenset(), translates=False)
    pool = tuple(address.packed for address in addresses.external[: spec.pool])
    if len(pool) < spec.pool or not addresses.inside:
        raise ValueError(f"pool={spec.pool} needs {spec.pool} external addresses and an inside network")
    assign = port_assignments(spec, pool, addresses.inside, random)
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
    assign = port_assignments(spec, (address,), (inside,), random)
    return Translator(spec, assign, frozenset((address,)), translates=True)
