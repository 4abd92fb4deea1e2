"""TLS handshakes beside the one that counts: what a server does where one thing is offered differently."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure, Observation
from rtcdiag.evidence.connection import Certificate

Trial = Literal["alpn", "no-sni", "tls-1.2", "old-versions"]
"""With ALPN ``stun.turn`` (RFC 7443), without a server name, with TLS 1.2 only, and with TLS 1.0 and 1.1 only."""


class TlsTrial(Observation, frozen=True, kw_only=True, tag=True):
    """One handshake on a connection of its own that verifies nothing and is closed when it is over."""

    server: str
    destination: TransportAddress
    trial: Trial
    version: str | None = None
    """``TLSv1.3``, as agreed."""
    alpn: str | None = None
    """The protocol that the server chose; None where it chose none, or none was offered."""
    certificate: Certificate | None = None
    named: bool | None = None
    """Whether the certificate bears the name that the URI, or the user, wants; None where none came."""
    failure: Failure | None = None
    detail: str | None = None
    """The TLS library's words."""
