"""One TLS version offered alone on a connected socket: whether the other end takes it, whatever its certificate."""

import socket
import ssl
import warnings
from typing import Literal

from rtcdiag.evidence import Failure
from rtcdiag.evidence.audit import TlsVersion
from rtcdiag.net.failures import failure_of
from rtcdiag.net.stream import encrypted

Outcome = Literal["accepted", "refused", "not-spoken", "failed", "not-offered"]
_VERSIONS: dict[TlsVersion, ssl.TLSVersion] = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_HERE = ("NO_PROTOCOLS_AVAILABLE", "UNSUPPORTED_PROTOCOL", "NO_CIPHERS_AVAILABLE")
"""Reasons of OpenSSL for what it does not do itself; the second also for what the other end answered."""


async def offer(
    sock: socket.socket, version: TlsVersion, server_name: str | None, timeout_ms: float
) -> tuple[Outcome, Failure | None]:
    """Shake hands with nothing but this version, and close the connection; never raises for what a server does."""
    try:
        context = _only(version)
        _, writer = await encrypted(sock, context, server_name or "", timeout_ms)
    except (OSError, EOFError, ValueError) as error:
        sock.close()
        return _refused(error)
    except BaseException:
        sock.close()
        raise
    writer.transport.abort()
    return "accepted", None


def _only(version: TlsVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # OpenSSL 3 offers old versions only at its lowest security level; nothing but the handshake is ever done with it.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = _VERSIONS[version]
    return context


def _refused(error: Exception) -> tuple[Outcome, Failure | None]:
    if isinstance(error, ssl.SSLError) and error.reason in _HERE:
        return ("refused" if error.reason == "UNSUPPORTED_PROTOCOL" else "not-offered"), None
    if isinstance(error, ValueError):
        return "not-offered", None
    failure = failure_of(error) if isinstance(error, OSError) else Failure.CONNECTION_CLOSED
    if failure in (Failure.TLS_PROTOCOL_VERSION, Failure.TLS_HANDSHAKE):
        return "refused", failure
    if failure is Failure.TLS_NOT_SPOKEN:
        return "not-spoken", failure
    return "failed", failure
