"""What an audit of one's own TURN server asks beside the steps of a session, and what its configuration file says."""

from typing import Literal

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence.base import Failure, Observation
from rtcdiag.evidence.turn import TurnStep
from rtcdiag.evidence.wire import Exchange

AllocationQuestion = Literal["ipv6-relay", "tcp-relay", "expired-credentials"]
TlsVersion = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]


class AuditScope(Observation, frozen=True, kw_only=True, tag=True):
    """That a server is audited: whoever runs it asked for that."""

    server: str
    has_credentials: bool
    """Without any, only what a stranger may ask is asked."""
    has_secret: bool
    """Whether an expired credential could be made."""


class AuditPermission(TurnStep, frozen=True, kw_only=True, tag=True):
    """CreatePermission for a peer, or ChannelBind where ``channel`` is set; nothing is ever sent to the peer."""

    relay: Family
    """The family of the relayed address."""
    peer: TransportAddress
    channel: int | None = None
    exchange: Exchange


class AuditAllocation(TurnStep, frozen=True, kw_only=True, tag=True):
    """An Allocate that a well-kept server may refuse; what it grants is released at once."""

    question: AllocationQuestion
    exchange: Exchange


class AuditSize(Observation, frozen=True, kw_only=True, tag=True):
    """How many bytes a server sends to whoever asks without credentials, over UDP."""

    server: str
    destination: TransportAddress
    request: Literal["Binding", "Allocate"]
    request_bytes: int
    answer_bytes: int
    """Of all datagrams that one request was answered with."""


class AuditNonce(Observation, frozen=True, kw_only=True, tag=True):
    """The nonces of two challenges to two ports of this computer; their values are not kept."""

    server: str
    destination: TransportAddress
    sizes_bytes: tuple[int, ...]
    repeated: bool


class AuditTls(Observation, frozen=True, kw_only=True, tag=True):
    """One TLS version offered alone, without looking at the certificate."""

    server: str
    destination: TransportAddress
    version: TlsVersion
    outcome: Literal["accepted", "refused", "not-spoken", "failed", "not-offered"]
    """``not-offered``: this computer's TLS library cannot speak the version."""
    failure: Failure | None = None


class SecretShape(msgspec.Struct, frozen=True, kw_only=True):
    """What may be told of a secret in a configuration file."""

    length: int
    weak: Literal["well-known", "like-the-name"] | None = None
    hashed: bool = False


class ConfigLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One setting of a configuration file."""

    number: int
    option: str
    value: str | None = None
    """None where there is none, and where it may be secret or is of no use here."""
    secret: SecretShape | None = None


class TurnConfig(Observation, frozen=True, kw_only=True, tag=True):
    """A coturn configuration file as coturn reads it."""

    name: str
    """The file's name, without its directory."""
    version: str | None = None
    """The version of coturn that the user says it is for."""
    lines: tuple[ConfigLine, ...]
