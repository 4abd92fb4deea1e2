"""The way to a server before any STUN: name resolution, TCP, TLS."""

from typing import Literal

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence.base import Failure, Observation
from rtcdiag.targets import Transport


class Resolution(Observation, frozen=True, kw_only=True, tag=True):
    """One look-up of one name in one family by the system's resolver."""

    host: str
    family: Family
    addresses: tuple[str, ...] = ()
    """IP addresses in the resolver's order, without repeats."""
    failure: Failure | None = None
    synthesized: bool = False
    """Nobody was asked: an IPv4 address was put behind the prefix of a NAT64 (RFC 6052), as there is no way to it."""


class Connect(Observation, frozen=True, kw_only=True, tag=True):
    """One TCP connection attempt to one address."""

    server: str
    """The URI, or the control host's name."""
    purpose: Literal["server", "control"] = "server"
    """``control``: a host whose only job is to tell whether this network reaches the internet over TCP."""
    destination: TransportAddress
    local: TransportAddress | None = None
    failure: Failure | None = None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The leaf certificate that a server presented, whether or not it verified."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """Subject alternative names: DNS names and IP addresses."""
    not_before: float
    """UNIX seconds."""
    not_after: float
    """UNIX seconds."""


class TlsHandshake(Observation, frozen=True, kw_only=True, tag=True):
    """One TLS handshake on a connected stream, or DTLS handshake over UDP, verified as a browser would."""

    server: str
    transport: Transport = Transport.TLS
    """TLS over TCP, or DTLS over UDP."""
    destination: TransportAddress
    server_name: str | None
    """The SNI that was sent; None for an IP address (RFC 6066 section 3)."""
    version: str | None = None
    """``TLSv1.3`` or ``DTLSv1.2``, as agreed."""
    cipher: str | None = None
    certificate: Certificate | None = None
    failure: Failure | None = None
    detail: str | None = None
    """The verifier's or the TLS library's words."""
