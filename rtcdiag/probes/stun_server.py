"""Does a STUN server answer: each resolved address by itself, over the URI's transport, with several samples."""

import asyncio
from functools import partial

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure, Observation
from rtcdiag.net import Net
from rtcdiag.probes.bindings import binding_of
from rtcdiag.probes.connection import Path, open_wire
from rtcdiag.probes.cross_check import checked_beside, plain_binding
from rtcdiag.probes.job import Job, Record
from rtcdiag.stun.request import binding_request
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call, Wire, finish

SAMPLE_GAP_MS = 100.0
"""RFC 5780 section 5 allows ten new transactions a second to one server."""
_TLS_RIDDLES = frozenset(
    {
        Failure.TLS_NOT_SPOKEN,
        Failure.CONNECTION_CLOSED,
        Failure.CONNECTION_RESET,
        Failure.TIMEOUT,
        Failure.NOT_STUN,
    }
)
"""Ways in which TLS fails on a port that speaks plain STUN."""


async def observe(job: Job, net: Net, record: Record) -> None:
    """Ask one STUN server; one over UDP is asked over TCP too, which tells a blocked UDP from a dead server."""
    (server,) = job.servers
    addresses = [TransportAddress(ip, server.port) for ip in await net.resolve(server.host)]
    await asyncio.gather(*(_address(server, address, net, record) for address in addresses))


async def _address(server: Server, destination: TransportAddress, net: Net, record: Record) -> None:
    path = Path(server, destination, server.transport)
    if server.transport is Transport.UDP:
        await asyncio.gather(_reach(path, net, record), plain_binding(path, net, record))
    else:
        await checked_beside(_reach(path, net, record), partial(plain_binding, path, net), _TLS_RIDDLES, net, record)


async def _reach(path: Path, net: Net, record: Record) -> Failure | None:
    """Open a wire and take the samples; return why there is no answer, None where there is one."""
    way: list[Observation] = []

    def note(step: Observation) -> None:
        way.append(step)
        record(step)

    wire = await open_wire(path, net, note, port=net.options.port)
    if wire is None:
        return getattr(way[-1], "failure", None) or Failure.ADDRESS_UNAVAILABLE
    try:
        samples = range(max(1, net.options.samples))
        calls = await asyncio.gather(*(_sample(path, wire, record, number) for number in samples))
    finally:
        wire.close()
    return None if any(call.message for call in calls) else calls[0].failure or Failure.TIMEOUT


async def _sample(path: Path, wire: Wire, record: Record, number: int) -> Call:
    await asyncio.sleep(number * SAMPLE_GAP_MS / 1000)
    began = wire.net.now_ms()
    call = wire.start(binding_request(), path.destination)
    try:
        await finish(wire, call)
    finally:
        record(
            binding_of(
                wire,
                call,
                path.server,
                path.destination,
                began_ms=began,
                transport=path.transport,
                purpose="reach",
                socket="reach",
            )
        )
    return call
