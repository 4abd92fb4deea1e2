"""The first routers on the way to a server: datagrams that are allowed one to four hops only (Linux, IPv4).

Linux alone tells a program without privileges who sent an ICMP error. The datagrams are Binding indications, which no
server answers (RFC 8489 section 6.3.2), on one socket, so that a NAT makes one mapping for all.
"""

import asyncio
import sys

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, family_of, scope_of
from rtcdiag.evidence import Failure, Hop
from rtcdiag.net import Net
from rtcdiag.net.udp import UdpSocket
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.listening import listen
from rtcdiag.stun.codec import encode
from rtcdiag.stun.header import HEADER_BYTES, MessageClass, Method
from rtcdiag.stun.request import new_transaction_id
from rtcdiag.targets import Server

MOST_HOPS = 4
MOST_ROUTERS = 8
"""What is kept: on some ways each datagram meets other routers."""


async def observe(job: Job, net: Net, record: Record) -> None:
    """Look towards the first server of the job to which there is a way from an address that is not public."""
    if sys.platform != "linux" or Family.IPV4 not in net.options.families:
        return
    resolved = await asyncio.gather(*(net.resolve(server.host) for server in job.servers))
    found = ((server, ip) for server, addresses in zip(job.servers, resolved, strict=True) for ip in addresses)
    chosen = next(((server, ip) for server, ip in found if _is_translated(net, ip)), None)
    if chosen is not None:
        server, ip = chosen
        await _look(server, TransportAddress(ip, server.port), net, record)


def _is_translated(net: Net, server: IPAddress) -> bool:
    """Tell whether packets to a server outside have to be translated: a private IPv4 address stays in its network."""
    if family_of(server) is not Family.IPV4 or scope_of(server) is not Scope.GLOBAL:
        return False
    source = net.source_towards(server)
    return not isinstance(source, Failure) and scope_of(source) in (Scope.PRIVATE, Scope.SHARED)


async def _look(server: Server, destination: TransportAddress, net: Net, record: Record) -> None:
    began_ms, routers = net.now_ms(), dict[IPAddress, None]()
    try:
        sock = await net.udp(Family.IPV4)
    except OSError:  # then the other experiments have none either, and say why
        return
    secret, silent = new_transaction_id()[:-1], set(range(1, MOST_HOPS + 1))

    def expired(router: IPAddress, quoted: bytes) -> None:
        if router not in routers and len(routers) < MOST_ROUTERS:
            routers[router] = None
            ttl = quoted[HEADER_BYTES - 1] if quoted[8 : HEADER_BYTES - 1] == secret else None
            silent.discard(ttl or 0)
            facts = Hop(t_ms=began_ms, server=server.uri, destination=destination, router=str(router), ttl=ttl)
            record(msgspec.structs.replace(facts, duration_ms=net.now_ms() - began_ms))

    sock.on_expired = expired
    await listen(net, asyncio.Event(), lambda: _send(sock, secret, destination, silent))


def _send(sock: UdpSocket, secret: bytes, destination: TransportAddress, silent: set[int]) -> None:
    """Send to the hops that were silent so far, the nearest last: on an answer the system refuses the next datagram."""
    for hops in sorted(silent, reverse=True):
        sock.limit_hops(hops)
        sock.send(encode(MessageClass.INDICATION, Method.BINDING, secret + bytes((hops,)), ()), destination)
