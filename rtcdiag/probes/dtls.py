"""The step before TURN over DTLS: a UDP socket and a handshake on it; and plain STUN there, as a control."""

from dataclasses import replace

from rtcdiag.evidence import Failure, TlsHandshake
from rtcdiag.net import Net
from rtcdiag.net.dtls import DtlsSocket, dtls_socket
from rtcdiag.net.failures import failure_of
from rtcdiag.net.stream import TlsFacts
from rtcdiag.probes.bindings import control_binding
from rtcdiag.probes.connection import Path, refined, tls_settings
from rtcdiag.probes.job import Record
from rtcdiag.targets import Transport
from rtcdiag.wires import UdpWire

PATIENCE = 1.25
"""How much longer than a UDP transaction a handshake may take: what is lost is sent again after one second."""


async def open_dtls(path: Path, net: Net, record: Record, port: int = 0) -> UdpWire | Failure:
    """Shake hands and record it, also when cancelled; return a wire on which all is encrypted, or why there is none."""
    settings = tls_settings(path, net)
    began = net.now_ms()
    dtls: DtlsSocket | None = None
    facts: TlsFacts | None = None
    try:
        udp = await net.udp(path.destination.family, port)
        dtls, facts, seen = await dtls_socket(udp, path.destination, settings, PATIENCE * net.options.timeout_ms)
        facts = replace(facts, failure=refined(facts, seen, settings))
    except OSError as error:
        facts = TlsFacts(settings.server_name, failure=failure_of(error), detail=str(error))
    finally:
        ended = TlsFacts(settings.server_name, failure=net.cut_off_by) if facts is None else facts
        record(
            TlsHandshake(
                t_ms=began,
                duration_ms=net.now_ms() - began,
                server=path.server.uri,
                transport=Transport.DTLS,
                destination=path.destination,
                server_name=ended.server_name,
                version=ended.version,
                cipher=ended.cipher,
                certificate=ended.certificate,
                failure=ended.failure,
                detail=ended.detail,
            )
        )
    return UdpWire(net, dtls) if dtls is not None else ended.failure or Failure.TLS_HANDSHAKE


async def plain_binding_over_udp(path: Path, net: Net, record: Record) -> None:
    """Ask for a Binding in the clear: does UDP get there at all where DTLS does not answer."""
    try:
        wire = UdpWire(net, await net.udp(path.destination.family))
    except OSError:
        return
    await net.pacer.turn(path.destination.ip)
    await control_binding(wire, path, Transport.UDP, record)
