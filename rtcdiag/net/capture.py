"""What was sent and received, as a pcapng file that Wireshark opens (draft-ietf-opsawg-pcapng).

Written from inside the program, so it needs no privilege and holds this run's packets only. IP, UDP and TCP headers are
made anew around the bytes that the sockets took and gave: addresses, ports, payload and times are real; other header
fields, TCP's handshake and its acknowledgments are not. TLS is recorded as the STUN messages inside it, which is what
one wants to read, as "exported PDUs" of Wireshark.
"""

import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Literal

from rtcdiag.address import Family, TransportAddress
from rtcdiag.net.stream import Stream
from rtcdiag.net.udp import UdpSocket

MOST_BYTES = 64 * 1024 * 1024
"""More is not kept: the file is made in memory and written at once."""

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_RAW_IP, _UPPER_PDU = 101, 252
_NANOSECONDS = 9
_UDP, _TCP = 17, 6
_PUSH_ACK = 0x18
_MOST_PAYLOAD = 65_000
_TAG_DISSECTOR, _TAG_PORT_TYPE, _TAG_SOURCE_PORT, _TAG_DESTINATION_PORT = 12, 24, 25, 26
_TAG_ADDRESSES = {Family.IPV4: (20, 21), Family.IPV6: (22, 23)}
_PORT_TYPE_TCP = 2

Carrier = Literal["udp", "tcp", "tls"]


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _interface(link_type: int) -> bytes:
    resolution = _option(_NANOSECONDS, bytes((_NANOSECONDS,)))
    return _block(_INTERFACE, struct.pack("<HHI", link_type, 0, 0) + resolution + _option(0, b""))


_HEAD = _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + _interface(_RAW_IP) + _interface(_UPPER_PDU)


class Capture:
    """Collects a run's packets; ``content()`` is the file."""

    def __init__(self) -> None:
        """Start empty."""
        self.dropped = 0
        """Packets that came after the file was full."""
        self._blocks = [_HEAD]
        self._size = len(_HEAD)
        self._sent: dict[tuple[TransportAddress, TransportAddress], int] = {}

    def content(self) -> bytes:
        """Return the file as it is now."""
        return b"".join(self._blocks)

    def watch_udp(self, sock: UdpSocket, local_towards: Callable[[TransportAddress], TransportAddress]) -> None:
        """Record all that goes over a socket; its own address may depend on the destination."""
        sock.on_traffic = partial(self._traffic, "udp", local_towards)

    def watch_stream(self, stream: Stream) -> None:
        """Record all that goes over a connection."""
        stream.on_traffic = partial(self._traffic, "tls" if stream.is_tls else "tcp", lambda _peer: stream.local)

    def _traffic(
        self,
        carrier: Carrier,
        local_towards: Callable[[TransportAddress], TransportAddress],
        way: Literal["sent", "received"],
        data: bytes,
        peer: TransportAddress,
    ) -> None:
        self.note(carrier, way, data, local_towards(peer), peer)

    def note(
        self,
        carrier: Carrier,
        way: Literal["sent", "received"],
        data: bytes,
        local: TransportAddress,
        peer: TransportAddress,
    ) -> None:
        """Record what is sent or received just now."""
        ends = (local, peer)
        self.add(time.time(), carrier, *(ends if way == "sent" else ends[::-1]), data)

    def add(
        self, at_s: float, carrier: Carrier, source: TransportAddress, destination: TransportAddress, data: bytes
    ) -> None:
        """Record one datagram, or bytes of a stream, at a time in seconds since 1970."""
        for start in range(0, max(1, len(data)), _MOST_PAYLOAD):
            part = data[start : start + _MOST_PAYLOAD]
            match carrier:
                case "udp":
                    self._keep(at_s, 0, _ip(_UDP, source, destination, _udp_header(source, destination, part) + part))
                case "tcp":
                    self._keep(at_s, 0, _ip(_TCP, source, destination, self._segment(source, destination, part)))
                case "tls":
                    self._keep(at_s, 1, _exported(source, destination) + part)

    def _segment(self, source: TransportAddress, destination: TransportAddress, data: bytes) -> bytes:
        number, other = (self._sent.get(way, 1) for way in ((source, destination), (destination, source)))
        self._sent[source, destination] = (number + len(data)) % 2**32
        ports = source.port, destination.port
        return struct.pack("!HHIIBBHHH", *ports, number, other, 0x50, _PUSH_ACK, 65535, 0, 0) + data

    def _keep(self, at_s: float, interface: int, packet: bytes) -> None:
        high, low = divmod(int(at_s * 1e9), 2**32)
        block = _block(_PACKET, struct.pack("<IIIII", interface, high, low, len(packet), len(packet)) + packet)
        if self._size + len(block) > MOST_BYTES:
            self.dropped += 1
            return
        self._blocks.append(block)
        self._size += len(block)


def _udp_header(source: TransportAddress, destination: TransportAddress, data: bytes) -> bytes:
    """Return the header; its checksum is optional over IPv4 only (RFC 8200 section 8.1)."""
    header = struct.pack("!HHHH", source.port, destination.port, 8 + len(data), 0)
    if source.family is Family.IPV4:
        return header
    pseudo = source.ip.packed + destination.ip.packed + struct.pack("!II", 8 + len(data), _UDP)
    return header[:6] + struct.pack("!H", _checksum(pseudo + header + data) or 0xFFFF)


def _checksum(data: bytes) -> int:
    """Return the internet checksum (RFC 1071); a sum of 16-bit words modulo 65535 is the number's own remainder."""
    return 0xFFFF - int.from_bytes(data + bytes(len(data) % 2)) % 0xFFFF


def _ip(protocol: int, source: TransportAddress, destination: TransportAddress, payload: bytes) -> bytes:
    """Put an IP header before a segment: one without options, whose checksum is left 0 as by offloading hardware."""
    ends = source.ip.packed + destination.ip.packed
    if source.family is Family.IPV4:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0) + ends + payload
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + ends + payload


def _exported(source: TransportAddress, destination: TransportAddress) -> bytes:
    """Return the tags before a message that Wireshark is to decode by itself, as STUN over a stream."""
    addresses = zip(_TAG_ADDRESSES[source.family], (source.ip.packed, destination.ip.packed), strict=True)
    tags = [
        (_TAG_DISSECTOR, b"stun-tcp"),
        *addresses,
        (_TAG_PORT_TYPE, struct.pack("!I", _PORT_TYPE_TCP)),
        (_TAG_SOURCE_PORT, struct.pack("!I", source.port)),
        (_TAG_DESTINATION_PORT, struct.pack("!I", destination.port)),
    ]
    return b"".join(
        struct.pack("!HH", tag, len(value)) + value + bytes(-len(value) % 4) for tag, value in tags
    ) + bytes(4)
