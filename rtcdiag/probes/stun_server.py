"""Does a STUN server answer: each resolved address by itself, over the URI's transport, with several samples."""

import asyncio

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Binding, Purpose
from rtcdiag.net import Net
from rtcdiag.probes.connection import Path, open_wire
from rtcdiag.probes.job import Job, Record
from rtcdiag.stun.request import binding_request
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call, UdpWire, Wire, transact

SAMPLE_GAP_MS = 100.0
"""RFC 5780 section 5 allows ten new transactions a second to one server."""


async def observe(job: Job, net: Net, record: Record) -> None:
    """Ask one STUN server; a server over UDP is asked over TCP too, which tells a blocked UDP from a dead server."""
    (server,) = job.servers
    addresses = [TransportAddress(ip, server.port) for ip in await net.resolve(server.host)]
    jobs = [_ask(server, address, server.transport, "reach", net, record) for address in addresses]
    if server.transport is Transport.UDP:
        jobs += [_ask(server, address, Transport.TCP, "control", net, record) for address in addresses]
    await asyncio.gather(*jobs)


async def _ask(
    server: Server, destination: TransportAddress, transport: Transport, purpose: Purpose, net: Net, record: Record
) -> None:
    """Open a wire and send the samples; a control needs one."""
    wire = await open_wire(Path(server, destination, transport), net, record)
    if wire is None:
        return
    try:
        samples = net.options.samples if purpose == "reach" else 1
        await asyncio.gather(
            *(_sample(wire, server, destination, transport, purpose, record, number) for number in range(samples))
        )
    finally:
        wire.close()


async def _sample(
    wire: Wire,
    server: Server,
    destination: TransportAddress,
    transport: Transport,
    purpose: Purpose,
    record: Record,
    number: int,
) -> None:
    await asyncio.sleep(number * SAMPLE_GAP_MS / 1000)
    began = wire.net.now_ms()
    call = await transact(wire, binding_request(), destination)
    record(
        binding_of(
            wire, call, server, destination, began_ms=began, transport=transport, purpose=purpose, socket="reach"
        )
    )


def binding_of(
    wire: Wire,
    call: Call,
    server: Server,
    destination: TransportAddress,
    *,
    began_ms: float,
    transport: Transport,
    purpose: Purpose,
    socket: str,
) -> Binding:
    """Return what a report keeps of a Binding transaction to a server's own address."""
    local = wire.local_towards(destination)
    return Binding(
        t_ms=began_ms,
        duration_ms=wire.net.now_ms() - began_ms,
        server=server.uri,
        purpose=purpose,
        socket=socket,
        transport=transport,
        local=local,
        interface=wire.net.interface_of(local.ip) if local else None,
        destination=destination,
        answer_from=destination if isinstance(wire, UdpWire) else None,
        exchange=call.exchange(),
    )
