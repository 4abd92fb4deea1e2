"""Linux' own word on routes (rtnetlink(7)): by which interface packets leave, and where default routes lead.

The address of a socket alone does not tell: a tunnel may have none of its own, and an address may stand on ``lo``.
Only questions to the kernel, which need no privilege; on other systems there are no answers.
"""

import socket
import struct
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from rtcdiag.address import IPAddress
from rtcdiag.net.local import ANYWHERE, Local

Network = IPv4Network | IPv6Network
Route = tuple[Network, str]
"""A destination and an interface by which it is reached."""

# linux/netlink.h and linux/rtnetlink.h
_NEW_ROUTE, _GET_ROUTE, _DONE = 24, 26, 3
_REQUEST, _DUMP = 0x1, 0x300
_DESTINATION, _SOURCE, _INTERFACE, _GATEWAY, _MULTIPATH = 1, 2, 4, 5, 9
_UNICAST = 1
_MOST_READS = 64
_READ_BYTES = 1 << 17
_WAIT_S = 0.2

_Message = tuple[int, bytes]


def interface_towards(destination: IPAddress, local: Local = ANYWHERE) -> str | None:
    """Return the interface by which packets from a socket at ``local`` leave; None where the kernel does not say."""
    return next(map(_name, (index for body in _ways(destination, local) for index in _interfaces(body))), None)


def gateway_towards(destination: IPAddress, local: Local = ANYWHERE) -> IPAddress | None:
    """Return the first router on the way from a socket at ``local``; None where there is none, or the kernel is silent.

    A link-local one bears its zone.
    """
    body = next(_ways(destination, local), b"")
    packed = dict(_attributes(body[12:])).get(_GATEWAY)
    if packed is None or len(packed) != len(destination.packed):
        return None
    gateway, name = ip_address(packed), next(map(_name, _interfaces(body)), None)
    zoned = isinstance(gateway, IPv6Address) and gateway.is_link_local and name is not None
    return IPv6Address(f"{gateway}%{name}") if zoned else gateway


def _ways(destination: IPAddress, local: Local) -> Iterator[bytes]:
    """Yield the route that the kernel chooses."""
    attributes = _attribute(_DESTINATION, destination.packed)
    if local.address is not None and not local.address.is_link_local:
        attributes += _attribute(_SOURCE, local.address.packed)
    if local.interface is not None:
        attributes += _attribute(_INTERFACE, struct.pack("=I", _index(local.interface)))
    request = _route_header(_family(destination), destination.max_prefixlen) + attributes
    return (body for kind, body in _asked(request, _REQUEST) if kind == _NEW_ROUTE)


def routes(family: socket.AddressFamily) -> tuple[Route, ...] | None:
    """Return every unicast route of the family in any table; None where the kernel does not say."""
    messages = tuple(_asked(_route_header(family, 0), _REQUEST | _DUMP))
    if not messages:
        return None
    return tuple(route for kind, body in messages if kind == _NEW_ROUTE for route in _routes(body, family))


def _routes(body: bytes, family: socket.AddressFamily) -> Iterator[Route]:
    length, kind = body[1], body[7]
    if kind != _UNICAST or body[0] != family:
        return
    packed = dict(_attributes(body[12:])).get(_DESTINATION, bytes(4 if family == socket.AF_INET else 16))
    for index in _interfaces(body):
        name = _name(index)
        if name is not None:
            yield ip_network((packed, length)), name


def _interfaces(body: bytes) -> Iterator[int]:
    """Yield the interface of a route, or those of its next hops."""
    for kind, value in _attributes(body[12:]):
        if kind == _INTERFACE:
            yield struct.unpack("=I", value[:4])[0]
        elif kind == _MULTIPATH:
            yield from _next_hops(value)


def _next_hops(data: bytes) -> Iterator[int]:
    while len(data) >= 8:
        length, index = struct.unpack_from("=H2xI", data)
        yield index
        data = data[max(length, 8) :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & 0x3FFF, data[4:length]
        data = data[max(4, length + 3 & ~3) :]


def _asked(request: bytes, flags: int) -> Iterator[_Message]:
    """Yield the answers to one question; none where the system does not answer it."""
    if sys.platform != "linux":
        return
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
            sock.settimeout(_WAIT_S)
            sock.bind((0, 0))
            sock.send(struct.pack("=IHHII", 16 + len(request), _GET_ROUTE, flags, 1, 0) + request)
            for _ in range(_MOST_READS):
                messages = tuple(_messages(sock.recv(_READ_BYTES)))
                yield from messages
                if not flags & _DUMP or any(kind == _DONE for kind, _ in messages):
                    return
    except OSError:
        return


def _messages(data: bytes) -> Iterator[_Message]:
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        yield kind, data[16:length]
        data = data[max(16, length + 3 & ~3) :]


def _route_header(family: socket.AddressFamily, destination_bits: int) -> bytes:
    return struct.pack("=8BI", family, destination_bits, 0, 0, 0, 0, 0, 0, 0)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value


def _family(ip: IPAddress) -> socket.AddressFamily:
    return socket.AF_INET if ip.version == 4 else socket.AF_INET6


def _index(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


def _name(index: int) -> str | None:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return None
