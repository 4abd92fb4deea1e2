"""The one translator from exceptions to the closed list of failures."""

import errno
import socket
import ssl
from collections.abc import Callable
from typing import Any

from rtcdiag.evidence import Failure

_ERRNO = {
    errno.ECONNREFUSED: Failure.CONNECTION_REFUSED,
    errno.ECONNRESET: Failure.CONNECTION_RESET,
    errno.EPIPE: Failure.CONNECTION_CLOSED,
    errno.ECONNABORTED: Failure.CONNECTION_CLOSED,
    errno.ETIMEDOUT: Failure.TIMEOUT,
    errno.EHOSTUNREACH: Failure.HOST_UNREACHABLE,
    errno.EHOSTDOWN: Failure.HOST_UNREACHABLE,
    errno.ENETUNREACH: Failure.NETWORK_UNREACHABLE,
    errno.ENETDOWN: Failure.NETWORK_UNREACHABLE,
    errno.EPERM: Failure.PERMISSION_DENIED,
    errno.EACCES: Failure.PERMISSION_DENIED,
    errno.EADDRINUSE: Failure.ADDRESS_UNAVAILABLE,
    # Binding to an address that this computer lacks, and connecting where no local address fits, give the same errno.
    errno.EADDRNOTAVAIL: Failure.ADDRESS_UNAVAILABLE,
    errno.EAFNOSUPPORT: Failure.NETWORK_UNREACHABLE,
    errno.EMSGSIZE: Failure.MESSAGE_TOO_LONG,
}
_RESOLVER = {
    socket.EAI_AGAIN: Failure.DNS_FAILURE,
    socket.EAI_FAIL: Failure.DNS_FAILURE,
    getattr(socket, "EAI_NODATA", socket.EAI_NONAME): Failure.DNS_NO_ADDRESS,
    getattr(socket, "EAI_ADDRFAMILY", socket.EAI_NONAME): Failure.DNS_NO_ADDRESS,
    # Last: where a system lacks the finer codes, "no such name" stands for them.
    socket.EAI_NONAME: Failure.DNS_NOT_FOUND,
}
_VERIFIER = {
    9: Failure.TLS_CERTIFICATE_NOT_YET_VALID,
    10: Failure.TLS_CERTIFICATE_EXPIRED,
    18: Failure.TLS_SELF_SIGNED,
    19: Failure.TLS_UNKNOWN_AUTHORITY,
    20: Failure.TLS_UNKNOWN_AUTHORITY,
    21: Failure.TLS_UNKNOWN_AUTHORITY,
    62: Failure.TLS_HOSTNAME_MISMATCH,
    64: Failure.TLS_HOSTNAME_MISMATCH,
    66: Failure.TLS_CERTIFICATE_WEAK,
    67: Failure.TLS_CERTIFICATE_WEAK,
    68: Failure.TLS_CERTIFICATE_WEAK,
}
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH", "RECORD_LAYER_FAILURE")
_VERSION = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "NO_PROTOCOLS_AVAILABLE")


def failure_of(error: BaseException) -> Failure:
    """Return the failure that an exception of the socket, TLS or resolver layer means."""
    for kind, translate in _TRANSLATORS:
        if isinstance(error, kind):
            return translate(error)
    return Failure.OTHER_OS_ERROR


def errno_failure(number: int) -> Failure:
    """Return the failure that an ``errno`` means."""
    return _ERRNO.get(number, Failure.OTHER_OS_ERROR)


def _tls_failure(error: ssl.SSLError) -> Failure:
    # Only errors of OpenSSL itself have a reason.
    reason = getattr(error, "reason", None) or ""
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Failure.CONNECTION_CLOSED
    return tls_failure(reason)


def tls_failure(words: str) -> Failure:
    """Return the failure that OpenSSL's reason means, in whichever of its spellings."""
    reason = words.upper().replace(" ", "_")
    if "UNEXPECTED_EOF" in reason:
        return Failure.CONNECTION_CLOSED
    if any(word in reason for word in _NOT_TLS):
        return Failure.TLS_NOT_SPOKEN
    if any(word in reason for word in _VERSION):
        return Failure.TLS_PROTOCOL_VERSION
    if "EXCESSIVE_MESSAGE_SIZE" in reason:
        return Failure.TLS_CERTIFICATES_TOO_LARGE
    return Failure.TLS_HANDSHAKE


def verifier_failure(code: int) -> Failure:
    """Return the failure that a number of OpenSSL's verifier means (``X509_V_ERR_…``)."""
    return _VERIFIER.get(code, Failure.TLS_CERTIFICATE_INVALID)


def _resolver_failure(error: Any) -> Failure:
    return _RESOLVER.get(error.errno, Failure.DNS_FAILURE)


def _os_failure(error: Any) -> Failure:
    if error.errno is None and isinstance(error, TimeoutError):
        return Failure.TIMEOUT
    if error.errno is None and isinstance(error, ConnectionResetError):
        # What asyncio makes of the end of the stream within a TLS handshake.
        return Failure.CONNECTION_CLOSED
    return errno_failure(error.errno or 0)


# Subclasses before their bases: each of these but EOFError is an OSError.
_TRANSLATORS: tuple[tuple[type[BaseException], Callable[[Any], Failure]], ...] = (
    (ssl.SSLCertVerificationError, lambda error: verifier_failure(error.verify_code)),
    (ssl.SSLError, _tls_failure),
    (socket.gaierror, _resolver_failure),
    (EOFError, lambda _: Failure.CONNECTION_CLOSED),
    (OSError, _os_failure),
)
