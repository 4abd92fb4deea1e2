"""The step before STUN: a UDP socket, or a TCP connection and a TLS handshake, to one address of one server."""

import socket
from dataclasses import dataclass, replace

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Binding, Connect, Exchange, Failure, Purpose, TlsHandshake
from rtcdiag.net import Net
from rtcdiag.net.failures import failure_of
from rtcdiag.net.stream import (
    NetError,
    Stream,
    TlsFacts,
    TlsSettings,
    connect_tcp,
    local_of,
    plain_stream,
    tls_stream,
)
from rtcdiag.net.tls import Offer, Presented, presented
from rtcdiag.probes.job import Record
from rtcdiag.probes.tunnel import open_tunnel
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import StreamWire, UdpWire, Wire

STREAM_PATIENCE = 1.65
"""How much longer than a UDP transaction a TCP connect and a TLS handshake may take: a third SYN is sent after 3 s."""
_NO_ISSUER = (20, 21)
"""X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY and X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE of OpenSSL."""
_UNVERIFIED = frozenset(
    {
        Failure.TLS_CERTIFICATE_EXPIRED,
        Failure.TLS_CERTIFICATE_NOT_YET_VALID,
        Failure.TLS_HOSTNAME_MISMATCH,
        Failure.TLS_SELF_SIGNED,
        Failure.TLS_UNKNOWN_AUTHORITY,
        Failure.TLS_CERTIFICATE_WEAK,
        Failure.TLS_CERTIFICATE_INVALID,
    }
)


@dataclass(frozen=True)
class Path:
    """One address of a server, or of the proxy to it, and the transport: the URI's own, or another one as a control."""

    server: Server
    destination: TransportAddress
    transport: Transport


def stream_limit_ms(net: Net) -> float:
    """Return how long a TCP connect, a TLS handshake or a transaction on a stream may take."""
    return STREAM_PATIENCE * net.options.timeout_ms


def tls_settings(path: Path, net: Net) -> TlsSettings:
    """Return what a handshake with a server asks for; a name's final dot is no part of it (RFC 6066 section 3)."""
    name = net.options.server_name or path.server.host
    return TlsSettings(name.removesuffix("."), net.options.ca_file)


async def open_wire(
    path: Path, net: Net, record: Record, *, port: int = 0, purpose: Purpose = "reach", limit_ms: float | None = None
) -> Wire | None:
    """Return what carries STUN to a server, after recording each step; None where it did not come about."""
    if path.transport is Transport.UDP:
        return await _open_udp(path, net, record, port)
    if path.transport is Transport.DTLS:
        from rtcdiag.probes.dtls import open_dtls  # noqa: PLC0415 - it builds on this module

        wire = await open_dtls(path, net, record, port)
        return wire if isinstance(wire, UdpWire) else None
    stream = await open_stream(path, net, record, purpose=purpose, limit_ms=limit_ms)
    return StreamWire(net, stream) if isinstance(stream, Stream) else None


async def open_stream(
    path: Path, net: Net, record: Record, *, purpose: Purpose = "reach", limit_ms: float | None = None
) -> Stream | Failure:
    """Connect, and shake hands where the path says TLS; return the stream, or why there is none."""
    limit = stream_limit_ms(net) if limit_ms is None else limit_ms
    if path.server.via is not None:
        return await _through_proxy(path, net, record, limit)
    end_ms = net.now_ms() + limit
    sock = await connect(path, net, record, purpose=purpose, limit_ms=limit)
    if isinstance(sock, Failure):
        return sock
    if path.transport is not Transport.TLS:
        return await plain_stream(sock, path.destination)
    # A control has one bound for both steps; the server itself has one for each.
    left = end_ms - net.now_ms() if purpose == "control" else limit
    return await shake_hands(path, net, record, sock, limit_ms=left, look_again=purpose != "control")


async def _through_proxy(path: Path, net: Net, record: Record, limit_ms: float) -> Stream | Failure:
    """Do the same inside a tunnel of the proxy at the path's destination."""
    tunnel = await open_tunnel(path.server, path.destination, net, record, limit_ms)
    if path.transport is not Transport.TLS or isinstance(tunnel, Failure):
        return tunnel
    return await shake_hands(path, net, record, tunnel, limit_ms=limit_ms, look_again=False)


async def connect(
    path: Path, net: Net, record: Record, *, purpose: Purpose = "reach", limit_ms: float
) -> socket.socket | Failure:
    """Connect over TCP and record it, also when cancelled."""
    began = net.now_ms()
    sock: socket.socket | Failure | None = None
    try:
        sock = await connect_tcp(path.destination, limit_ms, net.local_for(path.destination.family))
    except NetError as error:
        sock = error.failure
    finally:
        ended = net.cut_off_by if sock is None else sock
        record(
            Connect(
                t_ms=began,
                duration_ms=net.now_ms() - began,
                server=path.server.uri,
                purpose="control" if purpose == "control" else "server",
                destination=path.destination,
                local=None if isinstance(ended, Failure) else local_of(ended),
                failure=ended if isinstance(ended, Failure) else None,
            )
        )
    return sock


async def shake_hands(
    path: Path, net: Net, record: Record, sock: socket.socket | Stream, *, limit_ms: float, look_again: bool = True
) -> Stream | Failure:
    """Shake hands and record it, also when cancelled; a refused certificate is fetched by a second, unverified one."""
    settings = tls_settings(path, net)
    began = net.now_ms()
    took_ms: float | None = None
    stream: Stream | None = None
    known: TlsFacts | None = None
    try:
        stream, known = await _shaken(sock, path, settings, limit_ms)
        took_ms = net.now_ms() - began
        if look_again and known.failure in _UNVERIFIED:
            known = await _look_again(path, net, known, settings, limit_ms)
    finally:
        facts = TlsFacts(settings.server_name, failure=net.cut_off_by) if known is None else known
        record(
            TlsHandshake(
                t_ms=began,
                duration_ms=net.now_ms() - began if took_ms is None else took_ms,
                server=path.server.uri,
                destination=path.destination,
                server_name=facts.server_name,
                version=facts.version,
                cipher=facts.cipher,
                certificate=facts.certificate,
                failure=facts.failure,
                detail=facts.detail,
            )
        )
    return stream or facts.failure or Failure.TLS_HANDSHAKE


async def _shaken(
    sock: socket.socket | Stream, path: Path, settings: TlsSettings, limit_ms: float
) -> tuple[Stream | None, TlsFacts]:
    if not isinstance(sock, Stream):
        return await tls_stream(sock, path.destination, settings, limit_ms)
    from rtcdiag.net.tunnel import tls_within  # noqa: PLC0415 - see its docstring

    return await tls_within(sock, settings, limit_ms)


async def _look_again(path: Path, net: Net, facts: TlsFacts, settings: TlsSettings, limit_ms: float) -> TlsFacts:
    """Add the certificate that was refused, and what it tells about the reason."""
    try:
        sock = await connect_tcp(path.destination, limit_ms, net.local_for(path.destination.family))
    except NetError:
        return facts
    seen = await presented(sock, settings.server_name, Offer(settings.server_name), limit_ms)
    return replace(facts, certificate=seen.certificate, failure=refined(facts, seen, settings))


def refined(facts: TlsFacts, seen: Presented, settings: TlsSettings) -> Failure | None:
    """Tell a forgotten intermediate from an authority that nobody here knows; OpenSSL calls both "no issuer"."""
    if facts.verify_code not in _NO_ISSUER or seen.certificate is None:
        return facts.failure
    alone = seen.sent == 1 and (seen.names_issuer or settings.ca_file is not None)
    return Failure.TLS_CHAIN_INCOMPLETE if alone else Failure.TLS_UNKNOWN_AUTHORITY


async def _open_udp(path: Path, net: Net, record: Record, port: int) -> UdpWire | None:
    began = net.now_ms()
    try:
        return UdpWire(net, await net.udp(path.destination.family, port))
    except OSError as error:
        # Nothing could be sent: the first transaction of the path has failed before its start.
        record(
            Binding(
                t_ms=began,
                duration_ms=net.now_ms() - began,
                server=path.server.uri,
                purpose="reach",
                socket="reach",
                local=None,
                destination=path.destination,
                exchange=Exchange(sent_ms=(), failure=failure_of(error)),
            )
        )
    return None
