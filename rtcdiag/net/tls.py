"""TLS handshakes that verify nothing: what a server presents, also where one thing is offered differently."""

import socket
import ssl
import warnings
from dataclasses import dataclass, replace
from typing import Literal

from rtcdiag.evidence import Certificate, Failure
from rtcdiag.net.failures import failure_of
from rtcdiag.net.stream import client_context, encrypted, words_of

Versions = Literal["current", "1.2", "old"]
"""Which are offered: 1.2 and newer, 1.2 alone, or those that RFC 8996 forbids."""


@dataclass(frozen=True)
class Offer:
    """What a handshake asks for."""

    server_name: str | None
    """The SNI; None sends none."""
    alpn: tuple[str, ...] = ()
    versions: Versions = "current"


@dataclass(frozen=True)
class Presented:
    """What a server presents to a client that verifies nothing."""

    failure: Failure | None = None
    detail: str | None = None
    version: str | None = None
    alpn: str | None = None
    """The protocol that the server chose of those offered."""
    certificate: Certificate | None = None
    """The leaf; None where the handshake failed."""
    named: bool | None = None
    """Whether the certificate bears the host's name; None where there is none to read."""
    sent: int = 0
    """How many certificates came; 0 where that is not known."""
    names_issuer: bool = False
    """Whether the leaf says where its issuer's certificate can be fetched, as those of public authorities do."""


async def presented(sock: socket.socket, host: str, offer: Offer, timeout_ms: float) -> Presented:
    """Shake hands on a connected socket without verifying anything, look, and close it."""
    try:
        _, writer = await encrypted(sock, _context(offer), offer.server_name or "", timeout_ms)
    except (OSError, EOFError) as error:
        sock.close()
        return Presented(failure_of(error), words_of(error))
    except BaseException:
        sock.close()
        raise
    found = _read(writer.get_extra_info("ssl_object"), host)
    writer.transport.abort()
    return found


def _context(offer: Offer) -> ssl.SSLContext:
    context = client_context(verify=False)
    if offer.alpn:
        context.set_alpn_protocols(list(offer.alpn))
    if offer.versions == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if offer.versions == "old":
        # OpenSSL 3 signs nothing with SHA-1, as these versions do, above level 0.
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


def _read(session: ssl.SSLObject, host: str) -> Presented:
    leaf = session.getpeercert(binary_form=True)
    seen = read_certificates([leaf] if leaf else [], host)
    return replace(seen, version=session.version(), alpn=session.selected_alpn_protocol(), sent=_chain_length(session))


def read_certificates(chain: list[bytes], host: str) -> Presented:
    """Return what a chain of certificates in DER tells, the server's own first."""
    from rtcdiag.net.certificate import certificate_of, is_for, names_its_issuer  # noqa: PLC0415 - see its docstring

    leaf = next(iter(chain), None)
    return Presented(
        certificate=certificate_of(leaf),
        named=is_for(leaf, host),
        sent=len(chain),
        names_issuer=names_its_issuer(leaf),
    )


def _chain_length(session: ssl.SSLObject) -> int:
    # Public from Python 3.13 on, private since 3.10.
    source = session if hasattr(session, "get_unverified_chain") else getattr(session, "_sslobj", None)
    get = getattr(source, "get_unverified_chain", None)
    return len(get() or ()) if get is not None else 0
