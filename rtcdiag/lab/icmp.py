"""ICMP errors that a router sends itself (RFC 792, RFC 1191, RFC 4443), and those that a NAT translates (RFC 5508)."""

from rtcdiag.lab.packet import ICMP, ICMP6, UDP, Endpoint, Packet, checksum, parse, rewrite

_MOST = {4: 576, 6: 1280}
"""How long an error may be (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4)."""
_HOPS = 64


def quoted(packet: Packet) -> Packet | None:
    """Return the packet that an ICMP error is about, or None where too little of it is quoted."""
    return parse(packet.data[packet.start + 8 :], quoted=True)


def rewrite_error(packet: Packet, ends: tuple[bytes, bytes], inner: Packet, about: tuple[Endpoint, Endpoint]) -> bytes:
    """Return the error between other ends, about a packet between other endpoints."""
    source, destination = ((end, -1) for end in ends)
    out = bytearray(rewrite(packet, source, destination))
    at = packet.start + 8
    new = rewrite(inner, *about, hop=False)
    out[at : at + len(new)] = new
    _seal(out, packet.version, packet.start)
    return bytes(out)


def too_big(packet: Packet, sender: bytes, mtu: int) -> bytes | None:
    """Return what says that ``packet`` does not fit (RFC 1191 section 4, RFC 4443 section 3.2)."""
    return _error(packet, sender, (3, 4) if packet.version == 4 else (2, 0), mtu)


def time_exceeded(packet: Packet, sender: bytes) -> bytes | None:
    """Return what says that ``packet`` has no hop left (RFC 792, RFC 4443 section 3.3)."""
    return _error(packet, sender, (11, 0) if packet.version == 4 else (3, 0), 0)


def prohibited(packet: Packet, sender: bytes) -> bytes | None:
    """Return what says that a rule forbids ``packet`` (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1)."""
    return _error(packet, sender, (3, 13) if packet.version == 4 else (1, 1), 0)


def unreachable(packet: Packet, sender: bytes) -> bytes | None:
    """Return what says that nobody serves the port that ``packet`` is for (RFC 792, RFC 4443 section 3.1)."""
    return _error(packet, sender, (3, 3) if packet.version == 4 else (1, 4), 0)


def answer(packet: Packet) -> bytes | None:
    """Return what a router says that ``packet`` is for itself: it answers echoes, and has no UDP port open."""
    own = packet.destination[0]
    if packet.protocol == UDP:
        return unreachable(packet, own)
    if not packet.is_echo or not packet.asks or packet.fragment:
        return None
    kind = bytes((0 if packet.version == 4 else 129, 0))
    message = kind + bytes(2) + packet.data[packet.start + 4 :]
    out = bytearray(_header(packet.version, own, packet.source[0], len(message)) + message)
    _seal(out, packet.version, len(out) - len(message))
    return bytes(out)


def _error(packet: Packet, sender: bytes, kind: tuple[int, int], value: int) -> bytes | None:
    if packet.is_error or packet.later:
        return None  # RFC 1122 section 3.2.2: no errors about errors, or about later fragments
    v4 = packet.version == 4
    body = bytes(kind) + bytes(2) + value.to_bytes(4) + packet.data[: _MOST[packet.version] - (28 if v4 else 48)]
    out = bytearray(_header(packet.version, sender, packet.source[0], len(body)) + body)
    _seal(out, packet.version, 20 if v4 else 40)
    return bytes(out)


def _header(version: int, source: bytes, destination: bytes, size: int) -> bytes:
    if version == 6:
        return b"\x60\0\0\0" + size.to_bytes(2) + bytes((ICMP6, _HOPS)) + source + destination
    head = b"\x45\0" + (20 + size).to_bytes(2) + bytes(4) + bytes((_HOPS, ICMP))
    return head + checksum(head + source + destination).to_bytes(2) + source + destination


def _seal(out: bytearray, version: int, start: int) -> None:
    """Set the checksum of the ICMP message at ``start``; that of IPv6 covers a pseudo-header (RFC 8200 section 8.1)."""
    out[start + 2 : start + 4] = bytes(2)
    message = bytes(out[start:])
    pseudo = 0 if version == 4 else int.from_bytes(out[8:40]) + len(message) + ICMP6
    out[start + 2 : start + 4] = checksum(message, pseudo).to_bytes(2)
