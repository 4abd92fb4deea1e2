"""DTLS over a UDP socket (RFC 7350), verified as TLS is. It needs pyOpenSSL, which is the extra ``dtls``."""

import asyncio
import contextlib
import ssl
import struct
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.net.failures import tls_failure, verifier_failure
from rtcdiag.net.icmp import Refusal
from rtcdiag.net.stream import CIPHERS, TlsFacts, TlsSettings, sent_name, verifying_context
from rtcdiag.net.tls import Presented, read_certificates
from rtcdiag.net.udp import OnDatagram, OnError, OnTraffic, UdpSocket

if TYPE_CHECKING:
    from OpenSSL import SSL

INSTALL = "pip install '.[dtls]' in a checkout of rtcdiag"
MTU = 1200
"""The most bytes of a handshake's datagram: what every IPv6 path carries, less some tunnels."""
_DTLS_1_2 = 0xFEFD
_RECORD_HEADER = struct.Struct("!BHHIHH")
"""Type, version, epoch, sequence number in two parts, length (RFC 6347 section 4.1)."""
_MOST_WAITING = 64
_MOST_DATAGRAMS = 1000
"""A handshake of a chain of 100 KiB takes a tenth of that; a server that sends more is not shaking hands."""
_HOSTNAME = 62
_TIMES = (9, 10)
_READ_BYTES = 65536


def is_installed() -> bool:
    """Tell whether DTLS can be spoken here."""
    return find_spec("OpenSSL") is not None


class DtlsSocket:
    """An association with one server: it is used as a ``UdpSocket`` is, and what it carries is encrypted."""

    def __init__(self, udp: UdpSocket, destination: TransportAddress, connection: "SSL.Connection") -> None:
        """Take over a socket; `shake_hands` comes before anything else."""
        self.on_datagram: OnDatagram = lambda _data, _source: None
        self.on_error: OnError = lambda _refusal: None
        self.on_traffic: OnTraffic = udp.on_traffic
        """Told what is inside; the UDP socket itself tells nobody any more."""
        self._udp, self._destination, self._connection = udp, destination, connection
        self._arrived = asyncio.Event()
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._refused: Refusal | None = None
        self._stands = False
        udp.on_traffic = lambda _way, _data, _peer: None
        udp.on_datagram, udp.on_error = self._on_datagram, self._on_error

    @property
    def bound(self) -> TransportAddress:
        """The local address and port; the address may be unspecified."""
        return self._udp.bound

    def forbid_fragments(self) -> bool:
        """Let no packet be cut on its way, and say whether this system can."""
        return self._udp.forbid_fragments()

    def stamp_arrivals(self) -> None:
        """Let the system note when each datagram arrives; Linux only."""
        self._udp.stamp_arrivals()

    @property
    def waited_ms(self) -> float:
        """How long the datagram that is being handed over has waited to be read; 0 where that is not known."""
        return self._udp.waited_ms

    async def shake_hands(self) -> Failure | None:
        """Shake hands, and send again what gets no answer; return how it failed. The caller bounds the time."""
        from OpenSSL import SSL  # noqa: PLC0415 - an extra

        for _ in range(_MOST_DATAGRAMS):
            with contextlib.suppress(SSL.WantReadError):
                self._connection.do_handshake()
                self._stands = True
            self._flush()
            if self._stands or self._refused is not None:
                return self._refused.failure if self._refused is not None else None
            await self._next_datagram()
        raise SSL.Error([("", "", f"more than {_MOST_DATAGRAMS} datagrams and no end")])

    def send(self, data: bytes, destination: TransportAddress) -> None:
        """Send one datagram; what is for somebody else than the server has no way through the association."""
        from OpenSSL import SSL  # noqa: PLC0415 - an extra

        if destination == self._destination and self._stands:
            self.on_traffic("sent", data, destination)
            with contextlib.suppress(SSL.Error):
                self._connection.send(data)
            self._flush()

    def close(self) -> None:
        """Say goodbye and close the socket; closing twice is harmless."""
        from OpenSSL import SSL  # noqa: PLC0415 - an extra

        if self._stands:
            self._stands = False
            with contextlib.suppress(SSL.Error):
                self._connection.shutdown()
            self._flush()
        self._udp.close()

    async def _next_datagram(self) -> None:
        """Give the next datagram to the handshake, or let it send again when its timer runs out."""
        if not self._waiting:
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._connection.DTLSv1_get_timeout()):
                    await self._arrived.wait()
        if self._waiting:
            self._connection.bio_write(self._waiting.popleft())
        else:
            self._connection.DTLSv1_handle_timeout()

    def _flush(self) -> None:
        """Send what OpenSSL has written: whole records, as many as fit into a datagram."""
        from OpenSSL import SSL  # noqa: PLC0415 - an extra

        written = b""
        with contextlib.suppress(SSL.WantReadError):
            while part := self._connection.bio_read(_READ_BYTES):
                written += part
        for datagram in _datagrams(written):
            self._udp.send(datagram, self._destination)

    def _on_datagram(self, data: bytes, source: TransportAddress) -> None:
        if source != self._destination or not data:
            return
        if not self._stands:
            self._waiting.append(data)
            self._arrived.set()
            return
        self._connection.bio_write(data)
        for inside in self._inside():
            self.on_traffic("received", inside, source)
            self.on_datagram(inside, source)
        self._flush()

    def _inside(self) -> Iterator[bytes]:
        """Return what a datagram brought; the end of the association is the server's word that it is gone."""
        from OpenSSL import SSL  # noqa: PLC0415 - an extra

        while self._stands:
            try:
                yield self._connection.recv(_READ_BYTES)
            except SSL.WantReadError:
                return
            except SSL.Error:
                self._stands = False
                self.on_error(Refusal(Failure.CONNECTION_CLOSED, self._destination))

    def _on_error(self, refusal: Refusal) -> None:
        if refusal.destination in (None, self._destination):
            self._refused = refusal
            self._arrived.set()
        self.on_error(refusal)


def _datagrams(written: bytes) -> Iterator[bytes]:
    """Cut what was written between its records: the memory that OpenSSL writes to does not keep them apart."""
    start = at = 0
    while len(written) - at >= _RECORD_HEADER.size:
        *_, length = _RECORD_HEADER.unpack_from(written, at)
        end = at + _RECORD_HEADER.size + length
        if end - start > MTU and at > start:
            yield written[start:at]
            start = at
        at = end
    if start < len(written):
        yield written[start:]


async def dtls_socket(
    udp: UdpSocket, destination: TransportAddress, settings: TlsSettings, timeout_ms: float
) -> tuple[DtlsSocket | None, TlsFacts, Presented]:
    """Shake hands over a socket; there is no association where that fails, and the socket is closed then."""
    from OpenSSL import SSL  # noqa: PLC0415 - an extra

    verdicts: list[int] = []
    connection = SSL.Connection(dtls_context(settings.ca_file))
    connection.set_app_data(verdicts)
    dtls = DtlsSocket(udp, destination, connection)
    name = sent_name(settings.server_name)
    if name is not None:
        connection.set_tlsext_host_name(name.encode("ascii"))
    connection.set_ciphertext_mtu(MTU)
    connection.set_connect_state()
    failure, detail = None, None
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            failure = await dtls.shake_hands()
    except TimeoutError:
        failure = Failure.TIMEOUT
    except SSL.Error as error:
        detail = _words(error)
        failure = tls_failure(detail)
    except BaseException:
        dtls.close()
        raise
    facts, seen = _facts(connection, settings, verdicts) if failure is None else (None, Presented())
    if facts is None:
        facts = TlsFacts(name, failure=failure, detail=detail)
    if facts.failure is not None:
        dtls.close()
    return (None if facts.failure else dtls), facts, seen


@lru_cache(maxsize=4)
def dtls_context(ca_file: str | None = None) -> "SSL.Context":
    """Return what handshakes begin with; what the verifier finds wrong is collected and judged after each.

    Reading the system's authorities takes tens of milliseconds: best before the clock of the run starts.
    """
    from OpenSSL import SSL, crypto  # noqa: PLC0415 - an extra

    def verify(connection: SSL.Connection, _certificate: crypto.X509, code: int, _depth: int, good: int) -> bool:
        if not good:
            connection.get_app_data().append(code)
        return True

    context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_options(SSL.OP_NO_QUERY_MTU | ssl.OP_NO_RENEGOTIATION)
    context.set_cipher_list(CIPHERS.encode())
    context.set_verify(SSL.VERIFY_PEER, verify)
    _trust(context, ca_file)
    return context


def _trust(context: "SSL.Context", ca_file: str | None) -> None:
    """Trust whom TLS trusts: this library's own paths, those of Python's, and what Windows keeps elsewhere."""
    from cryptography import x509  # noqa: PLC0415 - slow to load
    from OpenSSL import crypto  # noqa: PLC0415 - an extra

    context.set_default_verify_paths()
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        context.load_verify_locations(paths.cafile, paths.capath)
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    store = context.get_cert_store()
    if store is not None and not (paths.cafile or paths.capath):
        for der in verifying_context(ca_file).get_ca_certs(binary_form=True):
            store.add_cert(crypto.X509.from_cryptography(x509.load_der_x509_certificate(der)))


def _facts(connection: "SSL.Connection", settings: TlsSettings, verdicts: list[int]) -> tuple[TlsFacts, Presented]:
    """Read what was agreed on, and judge the certificate: an unknown issuer, then the name, then the times."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - slow to load

    chain = connection.get_peer_cert_chain(as_cryptography=True) or []
    seen = read_certificates(
        [certificate.public_bytes(serialization.Encoding.DER) for certificate in chain], settings.server_name
    )
    code = next(iter(verdicts), None)
    if seen.named is False and (code is None or code in _TIMES):
        code = _HOSTNAME
    return TlsFacts(
        sent_name(settings.server_name),
        version=connection.get_protocol_version_name(),
        cipher=connection.get_cipher_name(),
        certificate=seen.certificate,
        failure=None if code is None else verifier_failure(code),
        detail=None if code is None else f"X.509 verification error {code}",
        verify_code=code,
    ), seen


def _words(error: Exception) -> str:
    """Return the library's words: pyOpenSSL's errors are lists of library, function and reason."""
    told = error.args[0] if error.args else ""
    if isinstance(told, list):
        return "; ".join(str(item[-1]) for item in told) or type(error).__name__
    return str(told) or type(error).__name__
