"""TCP and TLS connections to one address, verified as a browser would, and the certificate even where that fails."""

import asyncio
import contextlib
import errno
import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Certificate, Failure
from rtcdiag.net.failures import failure_of
from rtcdiag.net.local import ANYWHERE, Local
from rtcdiag.net.resolver import FAMILIES
from rtcdiag.net.udp import OnTraffic

READ_SIZE = 65536
CIPHERS = (
    "@SECLEVEL=2:ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA"
)
"""What Chromium and Firefox offer for TLS 1.2; security level 2 refuses RSA keys below 2048 bits and SHA-1."""

_Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NetError(Exception):
    """A connection or handshake that did not come about."""

    def __init__(self, failure: Failure, detail: str | None = None) -> None:
        """Say which failure, and the library's words about it."""
        super().__init__(failure, detail)
        self.failure = failure
        self.detail = detail


@dataclass
class Stream:
    """A connected byte stream."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    local: TransportAddress
    destination: TransportAddress
    is_tls: bool = False
    on_traffic: OnTraffic = lambda _way, _data, _peer: None
    """Told what is sent and received, inside TLS where there is TLS."""

    def send(self, data: bytes) -> None:
        """Queue bytes; a broken connection shows when reading."""
        if not self.writer.is_closing():
            self.on_traffic("sent", data, self.destination)
            self.writer.write(data)

    async def read(self) -> bytes:
        """Return the next bytes, ``b""`` at the end; raise NetError where the connection broke."""
        try:
            data = await self.reader.read(READ_SIZE)
        except OSError as error:
            raise NetError(failure_of(error), str(error)) from error
        if data:
            self.on_traffic("received", data, self.destination)
        return data

    def close(self) -> None:
        """Close without waiting for the other end."""
        with contextlib.suppress(RuntimeError):
            self.writer.transport.abort()


@dataclass(frozen=True)
class TlsFacts:
    """How a TLS handshake ended."""

    server_name: str | None
    version: str | None = None
    cipher: str | None = None
    certificate: Certificate | None = None
    failure: Failure | None = None
    detail: str | None = None
    verify_code: int | None = None
    """The verifier's number (``X509_V_ERR_…`` of OpenSSL), where it refused the certificate."""


@dataclass(frozen=True)
class TlsSettings:
    """What a handshake asks for."""

    server_name: str
    """The name, or IP address, that the certificate has to bear."""
    ca_file: str | None = None


async def connect_tcp(destination: TransportAddress, timeout_ms: float, local: Local = ANYWHERE) -> socket.socket:
    """Return a connected non-blocking socket; raise NetError."""
    sock = socket.socket(FAMILIES[destination.family], socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        local.place(sock)
        async with asyncio.timeout(timeout_ms / 1000):
            await asyncio.get_running_loop().sock_connect(sock, (destination.host, destination.port))
    except OSError as error:
        sock.close()
        raise NetError(_connect_failure(error, destination), str(error)) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _connect_failure(error: OSError, destination: TransportAddress) -> Failure:
    # Over IPv6 Linux makes EACCES of a router's "administratively prohibited", and does not tell who said so.
    if error.errno == errno.EACCES and destination.family is Family.IPV6:
        return Failure.HOST_UNREACHABLE
    return failure_of(error)


async def plain_stream(sock: socket.socket, destination: TransportAddress) -> Stream:
    """Wrap a connected socket."""
    local = local_of(sock)
    reader, writer = await asyncio.open_connection(sock=sock)
    return Stream(reader, writer, local, destination)


def local_of(sock: socket.socket) -> TransportAddress:
    """Return a connected socket's own address."""
    host, port = sock.getsockname()[:2]
    return TransportAddress(host, port)


async def tls_stream(
    sock: socket.socket, destination: TransportAddress, settings: TlsSettings, timeout_ms: float
) -> tuple[Stream | None, TlsFacts]:
    """Shake hands on a connected socket; the stream is None where that fails, and the socket is closed then."""
    local = local_of(sock)
    try:
        context = verifying_context(settings.ca_file)
        reader, writer = await encrypted(sock, context, settings.server_name, timeout_ms)
    except (OSError, EOFError) as error:
        sock.close()
        return None, refused(settings, error)
    except BaseException:
        sock.close()
        raise
    return Stream(reader, writer, local, destination, is_tls=True), agreed(settings, writer)


def refused(settings: TlsSettings, error: BaseException) -> TlsFacts:
    """Return why a handshake failed."""
    code = getattr(error, "verify_code", None)
    name = sent_name(settings.server_name)
    return TlsFacts(name, failure=failure_of(error), detail=words_of(error), verify_code=code)


def agreed(settings: TlsSettings, writer: asyncio.StreamWriter) -> TlsFacts:
    """Return what a handshake that succeeded ended with."""
    session = writer.get_extra_info("ssl_object")
    name = sent_name(settings.server_name)
    return TlsFacts(name, session.version(), session.cipher()[0], _certificate(session))


async def encrypted(sock: socket.socket, context: ssl.SSLContext, server_name: str, timeout_ms: float) -> _Opened:
    """Shake hands on a connected socket; raise OSError or EOFError where that fails.

    A handshake that is given up sees its connection end, and asyncio lets go of it: cancelled, it may leave it open.
    """
    opening = asyncio.ensure_future(asyncio.open_connection(sock=sock, ssl=context, server_hostname=server_name))
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            return await asyncio.shield(opening)
    except BaseException:
        await _let_go(opening, sock)
        raise


async def _let_go(opening: asyncio.Future[_Opened], sock: socket.socket) -> None:
    """End a handshake that nobody waits for any more, also one that came to its end at that very moment."""
    if not opening.done():
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        await asyncio.wait({opening})
    if not opening.exception():
        opening.result()[1].transport.abort()


@lru_cache(maxsize=4)
def verifying_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those of ``ca_file``; raise OSError for a bad file.

    Reading the system's authorities takes tens of milliseconds, in which nothing else is received: once is enough, and
    best before the clock of the run starts.
    """
    context = client_context(verify=True)
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def client_context(*, verify: bool) -> ssl.SSLContext:
    """Return a context that offers what browsers offer, and refuses what they refuse.

    They look for the name among the alternative names only, trust what is in their store whether or not it is a root,
    offer no finite-field Diffie-Hellman but still RSA key exchange, and never shake hands twice on a connection.
    """
    context = ssl.create_default_context() if verify else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        context.verify_flags = context.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        context.hostname_checks_common_name = False
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def _certificate(session: ssl.SSLObject) -> Certificate | None:
    from rtcdiag.net.certificate import certificate_of  # noqa: PLC0415 - see its docstring

    return certificate_of(session.getpeercert(binary_form=True))


def sent_name(name: str) -> str | None:
    """Return the SNI: none for an IP address (RFC 6066 section 3)."""
    try:
        ip_address(name)
    except ValueError:
        return name
    return None


def words_of(error: BaseException) -> str:
    """Return the verifier's or the TLS library's words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return getattr(error, "reason", None) or str(error) or type(error).__name__
