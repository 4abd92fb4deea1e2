"""Packets for a middlebox, made and read without the code under test: checksums word by word, as RFC 1071 adds them."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from random import Random
from typing import Any

from rtcdiag.lab.middlebox import Emission, Middlebox, Side
from rtcdiag.lab.spec import Addresses, parse_spec

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
CHECKSUM_AT = {UDP: 6, TCP: 16, ICMP: 2, ICMP6: 2}

HOST, OTHER_HOST = "192.168.1.4", "192.168.1.5"
EXTERNAL = "203.0.113.1"
SERVER, OTHER_SERVER = "198.51.100.1", "198.51.100.2"
HOST6, SERVER6 = "2001:db8:1::4", "2001:db8:f::1"
ADDRESSES = Addresses(
    inside=(IPv4Network("192.168.1.0/24"),),
    external=tuple(IPv4Address(EXTERNAL) + index for index in range(4)),
    inside6=IPv6Network("2001:db8:1::/64"),
    external6=IPv6Network("2001:db8:2::/64"),
)

End = tuple[str, int]


@dataclass(frozen=True)
class Seen:
    """What a packet says."""

    source: End
    destination: End
    payload: bytes
    hops: int
    protocol: int
    data: bytes


def summed(data: bytes) -> int:
    """Add 16-bit words with the carry brought back."""
    total = 0
    for index in range(0, len(data), 2):
        total += int.from_bytes(data[index : index + 2].ljust(2, b"\0"))
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ip(
    source: str,
    destination: str,
    protocol: int,
    transport: bytes,
    *,
    hops: int = 64,
    field: int = 0x4000,
    mark: int = 7,
) -> bytes:
    """Put an IP header before a transport header and its payload."""
    ends = ip_address(source).packed + ip_address(destination).packed
    if len(ends) == 32:
        return struct.pack("!IHBB", 6 << 28, len(transport), protocol, hops) + ends + transport
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(transport), mark, field, hops, protocol, 0) + ends
    return head[:10] + struct.pack("!H", 0xFFFF - summed(head)) + head[12:] + transport


def sealed(source: str, destination: str, protocol: int, transport: bytes) -> bytes:
    """Return a transport header and its payload with the checksum that they need."""
    at = CHECKSUM_AT[protocol]
    transport = transport[:at] + bytes(2) + transport[at + 2 :]
    value = 0xFFFF - summed(pseudo_header(source, destination, protocol, len(transport)) + transport)
    return transport[:at] + struct.pack("!H", value or (0xFFFF if protocol == UDP else 0)) + transport[at + 2 :]


def pseudo_header(source: str, destination: str, protocol: int, size: int) -> bytes:
    """Return what checksums cover besides (RFC 768, RFC 8200); nothing for ICMP."""
    ends = ip_address(source).packed + ip_address(destination).packed
    return b"" if protocol == ICMP else ends + struct.pack("!II", size, protocol)


def udp(source: End, destination: End, payload: bytes = b"hello", **header: Any) -> bytes:
    """Make a UDP packet."""
    transport = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    return ip(source[0], destination[0], UDP, sealed(source[0], destination[0], UDP, transport), **header)


def tcp(source: End, destination: End, payload: bytes = b"", *, flags: int = 0x10) -> bytes:
    """Make a TCP packet."""
    transport = struct.pack("!HHIIBBHHH", source[1], destination[1], 1, 2, 0x50, flags, 1000, 0, 0) + payload
    return ip(source[0], destination[0], TCP, sealed(source[0], destination[0], TCP, transport))


def icmp(source: str, destination: str, kind: tuple[int, int], rest: int, payload: bytes = b"ping") -> bytes:
    """Make an ICMP message: type, code, 4 bytes, payload."""
    protocol = ICMP6 if ":" in source else ICMP
    message = struct.pack("!BBHI", *kind, 0, rest) + payload
    return ip(source, destination, protocol, sealed(source, destination, protocol, message))


def echo(source: str, destination: str, identifier: int, *, reply: bool = False) -> bytes:
    """Make an echo request or reply."""
    kinds = (128, 129) if ":" in source else (8, 0)
    return icmp(source, destination, (kinds[reply], 0), identifier << 16 | 1)


def read(data: bytes, *, quoted: bool = False) -> Seen:
    """Read a packet and check its checksums; of a quoted one only that of the IP header."""
    if data[0] >> 4 == 6:
        start, protocol, hops = 40, data[6], data[7]
        source, destination = str(ip_address(data[8:24])), str(ip_address(data[24:40]))
        assert quoted or len(data) == 40 + int.from_bytes(data[4:6])
    else:
        start, protocol, hops = 20, data[9], data[8]
        source, destination = str(ip_address(data[12:16])), str(ip_address(data[16:20]))
        assert summed(data[:20]) == 0xFFFF
        assert quoted or len(data) == int.from_bytes(data[2:4])
    transport = data[start:]
    whole = protocol in CHECKSUM_AT and (":" in source or not int.from_bytes(data[6:8]) & 0x3FFF)
    if whole and not quoted:
        assert summed(pseudo_header(source, destination, protocol, len(transport)) + transport) == 0xFFFF
    ports = (int.from_bytes(transport[:2]), int.from_bytes(transport[2:4])) if protocol in {UDP, TCP} else (0, 0)
    payload = transport[{UDP: 8, TCP: 20}.get(protocol, 0) :]
    return Seen((source, ports[0]), (destination, ports[1]), payload, hops, protocol, data)


class Box:
    """A middlebox and shorthands for what goes through it at a time."""

    def __init__(self, spec: str, *, seed: int = 1, addresses: Addresses = ADDRESSES) -> None:
        self.middlebox = Middlebox(parse_spec(spec), addresses, Random(seed))  # noqa: S311  a model, no secret
        self.now_s = 0.0

    def emissions(self, side: Side, packet: bytes) -> list[Emission]:
        """Let a packet arrive."""
        return self.middlebox.receive(side, packet, self.now_s)

    def out(self, packet: bytes) -> Seen | None:
        """Return what the outside sees of a packet from the inside."""
        return self._crossing(Side.INSIDE, packet, Side.OUTSIDE)

    def into(self, packet: bytes) -> Seen | None:
        """Return what the inside sees of a packet from the outside."""
        return self._crossing(Side.OUTSIDE, packet, Side.INSIDE)

    def back(self, side: Side, packet: bytes) -> Seen | None:
        """Return what comes back to the side that a packet came from."""
        return self._crossing(side, packet, side)

    def mapped(self, source: End, destination: End) -> End:
        """Send a UDP packet out; return where it seems to come from."""
        seen = self.out(udp(source, destination))
        assert seen is not None
        return seen.source

    def accepts(self, source: End, mapped: End) -> bool:
        """Return whether a UDP packet from an outside endpoint gets in."""
        return self.into(udp(source, mapped)) is not None

    def _crossing(self, side: Side, packet: bytes, to: Side) -> Seen | None:
        emissions = self.emissions(side, packet)
        assert len(emissions) <= 1
        for emission in emissions:
            assert emission.to == to
            return read(emission.packet)
        return None
