"""Binding transactions as evidence."""

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Binding, Purpose
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call, UdpWire, Wire


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
