"""The candidates that an ICE agent gathers here: one agent without servers, and one for each server."""

import asyncio
from importlib import import_module

from rtcdiag.address import IPAddress, family_of
from rtcdiag.evidence import Skipped
from rtcdiag.net import Net
from rtcdiag.net.routes import local_addresses
from rtcdiag.probes.job import Job, Record
from rtcdiag.targets import Server, Transport


async def observe(job: Job, net: Net, record: Record) -> None:
    """Gather with all agents side by side; every socket and allocation is released at the end, also when cancelled."""
    # aioice takes as long to import as all the rest: only where it is used, and not while other probes measure times.
    await asyncio.to_thread(import_module, "rtcdiag.probes.gathering")
    from rtcdiag.probes.gathering import Asking  # noqa: PLC0415 - see above

    local = chosen_addresses(net)
    servers = [server for server in dict.fromkeys(job.servers) if _is_askable(server, net, record)]
    async with asyncio.TaskGroup() as group:
        if not net.options.relay_only:
            group.create_task(Asking(net, record, local).hosts())
        for number, server in enumerate(servers):
            group.create_task(Asking(net, record, local, server.uri).server(server, number))


def chosen_addresses(net: Net) -> frozenset[IPAddress]:
    """Return the local addresses that ``--bind``, ``--interface``, ``-4`` and ``-6`` leave to an agent."""
    options = net.options
    return frozenset(
        ip
        for name, ip in local_addresses()
        if family_of(ip) in options.families and options.bind in (None, ip) and options.interface in (None, name)
    )


def _is_askable(server: Server, net: Net, record: Record) -> bool:
    """Tell whether an agent has anything to ask a server for; where not, put on record why."""
    if server.transport is Transport.DTLS:
        why = "neither browsers nor this program's ICE agent speak TURN over DTLS"
    elif server.protocol == "stun" and server.transport is not Transport.UDP:
        why = "a UDP candidate cannot be learned over a TLS connection"
    elif server.protocol == "stun" and net.options.relay_only:
        why = "--relay-only: a STUN server gives no relay candidate"
    else:
        return True
    record(Skipped(t_ms=net.now_ms(), what=f"candidates from {server.uri}", why=why))
    return False
