"""IP packets: what a NAT reads in them, and what it rewrites (RFC 791, RFC 8200, RFC 3022 section 4.2).

An ICMP echo has its identifier where the others have a port: the asker's. Checksums are changed by what changed, so a
packet that was broken stays broken.
"""

import struct
from typing import NamedTuple

ICMP, TCP, UDP, FRAGMENT, ICMP6 = 1, 6, 17, 44, 58
_EXTENSIONS = {0, 43, 60}
"""Hop-by-hop options, routing header and destination options."""
_MAX_EXTENSIONS = 8
_LEAST = {UDP: 8, TCP: 20, ICMP: 8, ICMP6: 8}
_QUOTED = 8
"""An ICMP error quotes at least so much of a transport header (RFC 792)."""
_CHECKSUM_AT = {UDP: 6, TCP: 16, ICMP: 2, ICMP6: 2}
_ECHO = {(ICMP, 8): True, (ICMP, 0): False, (ICMP6, 128): True, (ICMP6, 129): False}
"""ICMP type -> whether it asks."""
_ERRORS = {ICMP: (3, 4, 11, 12), ICMP6: (1, 2, 3, 4)}

Endpoint = tuple[bytes, int]
"""A packed IP address and a port; the port is 0 on the answering side of an echo, -1 where there are no ports."""
NO_PORT = -1


class Packet(NamedTuple):
    """One IP packet; ``start`` is where its transport header starts."""

    data: bytes
    version: int
    hops: int
    protocol: int
    start: int
    source: Endpoint
    destination: Endpoint
    fragment: tuple[int, int, bool] | None = None
    """Identification, offset in bytes, and whether more follow; None when it is whole."""
    may_split: bool = False

    @property
    def is_echo(self) -> bool:
        """True for an ICMP echo request or reply."""
        return self.protocol in {ICMP, ICMP6} and self.source[1] != NO_PORT

    @property
    def asks(self) -> bool:
        """True for an ICMP echo request."""
        return _ECHO.get((self.protocol, self.data[self.start]), False)

    @property
    def is_error(self) -> bool:
        """True for an ICMP error, which quotes the packet that it is about."""
        return self.source[1] == NO_PORT and not self.later and self._icmp_type in _ERRORS.get(self.protocol, ())

    @property
    def later(self) -> bool:
        """True for a fragment that is not the first one, which has no transport header."""
        return self.fragment is not None and self.fragment[1] > 0

    @property
    def _icmp_type(self) -> int:
        return self.data[self.start] if self.start < len(self.data) else -1


def parse(data: bytes, *, quoted: bool = False) -> Packet | None:
    """Return the packet, without what a link padded behind it, or None when it is none; ``quoted``: may be cut off."""
    if not data:
        return None
    version = data[0] >> 4
    if version == 4:
        return _parse4(data, quoted)
    return _parse6(data, quoted) if version == 6 else None


def _parse4(data: bytes, quoted: bool) -> Packet | None:
    if len(data) < 20:
        return None
    start, length = (data[0] & 15) * 4, data[2] << 8 | data[3]
    if start < 20 or length < start or len(data) < (start if quoted else length):
        return None
    field = data[6] << 8 | data[7]
    offset, more = (field & 0x1FFF) * 8, bool(field & 0x2000)
    fragment = (data[4] << 8 | data[5], offset, more) if offset or more else None
    return _with_ports(
        data if len(data) <= length else data[:length],
        (4, data[8], data[9], start, not field & 0x4000),
        (data[12:16], data[16:20]),
        fragment,
        _QUOTED if quoted else _LEAST.get(data[9], 0),
    )


def _parse6(data: bytes, quoted: bool) -> Packet | None:
    if len(data) < 40:
        return None
    length = 40 + (data[4] << 8 | data[5])
    if len(data) < length and not quoted:
        return None
    data = data[:length]
    protocol, start, fragment = data[6], 40, None
    for _ in range(_MAX_EXTENSIONS):
        if start + 8 > len(data) or (protocol not in _EXTENSIONS and protocol != FRAGMENT):
            break
        if protocol == FRAGMENT:
            field, identification = struct.unpack_from("!HI", data, start + 2)
            fragment = (identification, field & 0xFFF8, bool(field & 1))
        size = 8 if protocol == FRAGMENT else 8 + data[start + 1] * 8
        protocol, start = data[start], start + size
        if fragment and fragment[1]:
            break
    least = _QUOTED if quoted else _LEAST.get(protocol, 0)
    return _with_ports(data, (6, data[7], protocol, start, False), (data[8:24], data[24:40]), fragment, least)


def _with_ports(
    data: bytes,
    head: tuple[int, int, int, int, bool],
    ends: tuple[bytes, bytes],
    fragment: tuple[int, int, bool] | None,
    least: int,
) -> Packet | None:
    version, hops, protocol, start, may_split = head
    ports = (NO_PORT, NO_PORT)
    if (fragment is None or not fragment[1]) and protocol in _LEAST:
        if start + least > len(data):
            return None
        ports = _ports(data, protocol, start)
    source, destination = (ends[0], ports[0]), (ends[1], ports[1])
    return Packet(data, version, hops, protocol, start, source, destination, fragment, may_split)


def _ports(data: bytes, protocol: int, start: int) -> tuple[int, int]:
    if protocol in {UDP, TCP}:
        return data[start] << 8 | data[start + 1], data[start + 2] << 8 | data[start + 3]
    asks = _ECHO.get((protocol, data[start]))
    if asks is None:
        return NO_PORT, NO_PORT
    identifier = data[start + 4] << 8 | data[start + 5]
    return (identifier, 0) if asks else (0, identifier)


def rewrite(packet: Packet, source: Endpoint, destination: Endpoint, *, hop: bool = True) -> bytes:
    """Return the packet with these ends, its checksums kept right, and with ``hop`` one hop less to go.

    It must have a hop left, and ``source`` and ``destination`` ports where it has them.
    """
    out = bytearray(packet.data)
    hops_at, at, size = (8, 12, 4) if packet.version == 4 else (7, 8, 16)
    new = source[0] + destination[0]
    change = int.from_bytes(new) - int.from_bytes(out[at : at + 2 * size])
    out[at : at + 2 * size] = new
    out[hops_at] -= hop
    if packet.version == 4:
        _adjust(out, 10, change - 0x100 * hop)
    if packet.source[1] != NO_PORT:
        _rewrite_ports(packet, out, source[1], destination[1], change)
    return bytes(out)


def _rewrite_ports(packet: Packet, out: bytearray, source: int, destination: int, change: int) -> None:
    start, protocol = packet.start, packet.protocol
    change += source + destination - packet.source[1] - packet.destination[1]
    if protocol in {UDP, TCP}:
        out[start : start + 4] = (source << 16 | destination).to_bytes(4)
    else:
        identifier = source or destination
        out[start + 4 : start + 6] = identifier.to_bytes(2)
    if protocol == ICMP:  # no pseudo-header
        change = source + destination - packet.source[1] - packet.destination[1]
    at = start + _CHECKSUM_AT[protocol]
    if at + 2 <= len(out) and not (protocol == UDP and packet.version == 4 and out[at : at + 2] == b"\0\0"):
        _adjust(out, at, change, zero=0xFFFF if protocol == UDP else 0)


def _adjust(out: bytearray, at: int, change: int, zero: int = 0) -> None:
    """Change the checksum at ``at`` by the change of the words that it covers, summed (RFC 1624)."""
    summed = (0xFFFF - (out[at] << 8 | out[at + 1]) + change) % 0xFFFF
    out[at : at + 2] = ((0xFFFF - summed) if summed else zero).to_bytes(2)


def checksum(data: bytes | bytearray, summed: int = 0) -> int:
    """Return the internet checksum (RFC 1071): the sum of 16-bit words modulo 65535 is the number modulo 65535."""
    return (0xFFFF - (int.from_bytes(data) * (256 if len(data) % 2 else 1) + summed) % 0xFFFF) & 0xFFFF
