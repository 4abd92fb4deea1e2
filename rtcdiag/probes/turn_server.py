"""Does a TURN server relay: the whole chain, at each of its addresses, and through the proxy where there is one."""

import asyncio
from dataclasses import replace
from itertools import islice

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Skipped
from rtcdiag.net import Net
from rtcdiag.net.dtls import INSTALL, is_installed
from rtcdiag.probes import lasting
from rtcdiag.probes.connection import Path
from rtcdiag.probes.cross_check import HEAD_START
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.tunnel import proxy_addresses
from rtcdiag.probes.turn_chain import Chain
from rtcdiag.targets import Server, Transport, may_go_through

MOST_ADDRESSES = 8


async def observe(job: Job, net: Net, record: Record) -> None:
    """Try the whole chain at every address of one server, side by side; and through the proxy, where there is one."""
    server, *others = job.servers
    if server.transport is Transport.DTLS and not is_installed():
        why = f"an extra is not installed: {INSTALL}"
        record(Skipped(t_ms=net.now_ms(), what=f"TURN over DTLS to {server.uri}", why=why))
        return
    if (proxy := net.options.proxy) and proxy.problem and may_go_through(server):
        what = f"{server.uri} through the proxy that {proxy.named_by} names"
        record(Skipped(t_ms=net.now_ms(), what=what, why=proxy.problem))
    direct = asyncio.create_task(_direct(job, server, net, record))
    try:
        for other in others:
            # Not beside allocations that are under way: a server may grant one user only a few at a time.
            await asyncio.wait({direct}, timeout=HEAD_START * net.options.timeout_ms / 1000)
            await _through_proxy(other, net, record)
        await direct
    finally:
        direct.cancel()
        await asyncio.wait({direct})


async def _through_proxy(server: Server, net: Net, record: Record) -> None:
    assert net.options.proxy is not None
    for destination in await proxy_addresses(server, net.options.proxy, net, record):
        once = Job(probe="turn-server", servers=(server,), samples=1)
        if await Chain(Path(server, destination, server.transport), net, record, once).run():
            return


async def _direct(job: Job, server: Server, net: Net, record: Record) -> None:
    addresses = await net.resolve(server.host)
    for what, why in _left_out(server, len(addresses)):
        record(Skipped(t_ms=net.now_ms(), what=what, why=why))
    ports = dict.fromkeys(Family, net.options.port)
    async with asyncio.TaskGroup() as group:
        for ip in islice(addresses, MOST_ADDRESSES):
            address = TransportAddress(ip, server.port)
            # The port that the options ask for can be bound once in a family.
            port = ports.pop(address.family, 0)
            path = Path(server, address, server.transport)
            group.create_task(_try(path, net, record, job, port))


async def _try(path: Path, net: Net, record: Record, job: Job, port: int) -> None:
    """Go through the chain, and then do what takes long where the relay has shown that it works."""
    watched = lasting.Watched(record)
    await Chain(path, net, watched, job, port=port).run()
    if watched.relay is not None:
        await lasting.observe(replace(path, destination=watched.relay), net, record)


def _left_out(server: Server, found: int) -> list[tuple[str, str]]:
    if server.ip_literal and not found:
        return [(server.uri, "its address is of a family that the options leave out")]
    if found > MOST_ADDRESSES:
        return [(f"{found - MOST_ADDRESSES} more addresses of {server.uri}", f"{MOST_ADDRESSES} are tried at most")]
    return []
