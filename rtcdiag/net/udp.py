"""A UDP socket that says where each datagram came from, which destination an ICMP error was about, and who sent it."""

import asyncio
import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal, cast

from rtcdiag.address import Family, IPAddress, TransportAddress
from rtcdiag.net.arrival import StampedSocket
from rtcdiag.net.failures import failure_of
from rtcdiag.net.icmp import Refusal, refusal_of
from rtcdiag.net.local import ANYWHERE, Local
from rtcdiag.net.resolver import FAMILIES

OnDatagram = Callable[[bytes, TransportAddress], None]
OnError = Callable[[Refusal], None]
"""An ICMP or local error."""
OnExpired = Callable[[IPAddress, bytes], None]
"""Takes the router that says that a datagram had no hop left, and what it quotes of it (time exceeded; Linux only)."""
OnTraffic = Callable[[Literal["sent", "received"], bytes, TransportAddress], None]
"""Whatever goes over a socket, and the other end."""

_RECVERR = {Family.IPV4: (socket.IPPROTO_IP, 11), Family.IPV6: (socket.IPPROTO_IPV6, 25)}
_HOPS = {
    Family.IPV4: (socket.IPPROTO_IP, socket.IP_TTL),
    Family.IPV6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
}
_TIME_EXCEEDED = ((2, 11), (3, 3))
"""``ee_origin`` and ``ee_type`` of Linux's ``errqueue.h``: by ICMP or by ICMPv6."""
_MTU_DISCOVER = {Family.IPV4: (socket.IPPROTO_IP, 10), Family.IPV6: (socket.IPPROTO_IPV6, 23)}
_PMTUDISC_PROBE = 3
_MSG_ERRQUEUE = 0x2000
_ERRORS_AT_ONCE = 64


class UdpSocket(asyncio.DatagramProtocol):
    """An unconnected socket: answers from any source are seen. Close it; closing twice is harmless."""

    def __init__(self, sock: StampedSocket, family: Family) -> None:
        """Use ``open_udp`` instead."""
        self._sock = sock
        self._transport: asyncio.DatagramTransport | None = None
        self.family = family
        self.on_datagram: OnDatagram = lambda _data, _source: None
        self.on_error: OnError = lambda _refusal: None
        self.on_expired: OnExpired = lambda _router, _quoted: None
        self.on_traffic: OnTraffic = lambda _way, _data, _peer: None

    @property
    def bound(self) -> TransportAddress:
        """The local address and port; the address may be unspecified."""
        host, port = self._sock.getsockname()[:2]
        return TransportAddress(host, port)

    def send(self, data: bytes, destination: TransportAddress) -> None:
        """Send one datagram; a local error goes to ``on_error``."""
        if self._transport is not None and not self._transport.is_closing():
            self._sending_to = destination
            self.on_traffic("sent", data, destination)
            self._transport.sendto(data, _socket_address(destination))
            self._sending_to = None

    _sending_to: TransportAddress | None = None

    def limit_hops(self, hops: int) -> None:
        """Let what is sent from now on pass only so many routers, the last one excluded; raise OSError."""
        self._sock.setsockopt(*_HOPS[self.family], hops)

    def multicast_from(self, source: IPv4Address) -> None:
        """Send multicast by the interface that has this address; raise OSError."""
        self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, source.packed)

    def forbid_fragments(self) -> bool:
        """Let no packet be cut, here or on its way (IPv4's DF), whatever was learned of the path; Linux only."""
        if sys.platform != "linux":
            return False
        self._sock.setsockopt(*_MTU_DISCOVER[self.family], _PMTUDISC_PROBE)
        return True

    def stamp_arrivals(self) -> None:
        """Let the system note when each datagram arrives; Linux only."""
        self._sock.stamp()

    @property
    def waited_ms(self) -> float:
        """How long the datagram that is being handed over has waited to be read; 0 where that is not known."""
        return 1000 * self._sock.waited_s

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio)."""
        # asyncio's own transport does not derive from the class that it documents.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Hand over a datagram with its source (asyncio)."""
        with contextlib.suppress(ValueError):
            source = TransportAddress(addr[0], addr[1])
            self.on_traffic("received", data, source)
            self.on_datagram(data, source)

    def error_received(self, exc: Exception) -> None:
        """Hand over errors, with the destination from Linux's error queue where there is one (asyncio)."""
        queued = [*self._queued_errors()]
        # No ICMP message is translated to EPERM: the packet that was just to be sent was forbidden here.
        forbidden = isinstance(exc, OSError) and exc.errno == errno.EPERM
        to = self._sending_to
        if to is not None and (forbidden or not any(item.destination == to for item in queued)):
            # sendto itself failed: the queue, if any, was about earlier datagrams, or says the same.
            queued = [item for item in queued if item.destination != to] + [Refusal(failure_of(exc), to)]
        for refusal in queued or [Refusal(failure_of(exc))]:
            self.on_error(refusal)

    def _queued_errors(self) -> list[Refusal]:
        if sys.platform != "linux":
            return []
        errors = []
        for _ in range(_ERRORS_AT_ONCE):
            try:
                quoted, ancillary, _, address = self._sock.recvmsg(2048, 512, _MSG_ERRQUEUE)
            except OSError:
                break
            # Without a port it is a local error, which sendto has raised too.
            told = [data for level, kind, data in ancillary if (level, kind) in _RECVERR.values() and address[1]]
            for data in told:
                errors.append(refusal_of(data, TransportAddress(address[0], address[1])))
                self._tell_router(data, quoted)
        return errors

    def _tell_router(self, data: bytes, quoted: bytes) -> None:
        """Hand over who sent a "time exceeded": its address stands behind the error (``SO_EE_OFFENDER``)."""
        if struct.unpack_from("=4xBB", data) in _TIME_EXCEEDED:
            at, size, kind = (20, 4, IPv4Address) if self.family is Family.IPV4 else (24, 16, IPv6Address)
            if len(data) >= at + size:
                self.on_expired(kind(data[at : at + size]), quoted)


def _socket_address(destination: TransportAddress) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return what the socket module takes, with the zone of a link-local address where it looks for it."""
    zone = destination.ip.scope_id if isinstance(destination.ip, IPv6Address) else None
    if zone is None:
        return destination.host, destination.port
    index = int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
    return destination.host.partition("%")[0], destination.port, 0, index


async def open_udp(family: Family, local: Local = ANYWHERE, port: int = 0) -> UdpSocket:
    """Open a socket on a free port, or the given one; raise OSError where the address cannot be bound."""
    sock = StampedSocket(FAMILIES[family], socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family is Family.IPV6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform == "linux":
            sock.setsockopt(*_RECVERR[family], 1)
        local.place(sock, port)
        if local.address is None and not port:
            sock.bind(("", 0))
        udp = UdpSocket(sock, family)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: udp, sock=sock)
    except BaseException:
        sock.close()
        raise
    return udp
