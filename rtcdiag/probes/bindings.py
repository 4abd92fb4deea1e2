"""Binding transactions as evidence."""

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Binding, Purpose
from rtcdiag.probes.connection import Path
from rtcdiag.probes.job import Record
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call, UdpWire, Wire, finish


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
        interface=wire.net.interface_towards(destination.ip) if local else None,
        destination=destination,
        answer_from=destination if isinstance(wire, UdpWire) else None,
        exchange=call.exchange(secrets=server.credential.secrets if server.credential else frozenset()),
    )


async def control_binding(
    wire: Wire, path: Path, transport: Transport, record: Record, *, schedule: Schedule | None = None
) -> None:
    """Ask for a Binding as a control; record it, also when cancelled, and close the wire."""
    began = wire.net.now_ms()
    call = wire.start(binding_request(), path.destination, schedule=schedule)
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
                transport=transport,
                purpose="control",
                socket="control",
            )
        )
        wire.close()
