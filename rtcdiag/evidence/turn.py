"""The steps of a TURN session, each with its own evidence (RFC 8656)."""

from typing import Literal

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence.base import Observation
from rtcdiag.evidence.wire import Exchange
from rtcdiag.targets import Transport

_TRY_ALTERNATE = 300
Side = Literal["a", "b", "c"]
Wish = Literal["dont-fragment", "even-port", "next-port", "reserved-port", "both-families", "ipv4", "ipv6", "tcp"]
"""What an Allocate may ask for beyond what calls need; ``next-port`` is the R bit of EVEN-PORT, ``reserved-port`` its
RESERVATION-TOKEN, ``both-families`` ADDITIONAL-ADDRESS-FAMILY."""


class TurnStep(Observation, frozen=True, kw_only=True):
    """What the steps have in common: which server, over which path, by which of the probe's allocations."""

    server: str
    transport: Transport
    destination: TransportAddress
    """The server's address that was asked."""
    local: TransportAddress | None = None
    allocation: Side = "a"
    """The probe makes two allocations, ``a`` and ``b``, that talk to each other; ``c`` are those beside them."""


class Challenge(TurnStep, frozen=True, kw_only=True, tag=True):
    """Allocate without credentials: a server that asks for them answers 401 (RFC 8656 section 7.2)."""

    exchange: Exchange


class Allocation(TurnStep, frozen=True, kw_only=True, tag=True):
    """Allocate with credentials; the answer's ``relayed`` is the relayed transport address."""

    family: Family = Family.IPV4
    """The family of the relayed address that was asked for."""
    attempts: int = 1
    """2 where a 438 (stale nonce) was answered with the new nonce once, or a signature that is refused with another."""
    sha256: bool = False
    """Whether the request was signed with MESSAGE-INTEGRITY-SHA256, as the challenge offered."""
    exchange: Exchange

    @property
    def sends_on(self) -> bool:
        """Whether the server named another one instead of judging the request (300, Try Alternate)."""
        return self.exchange.answer is not None and self.exchange.answer.error_code == _TRY_ALTERNATE


class AllocationTrial(TurnStep, frozen=True, kw_only=True, tag=True):
    """One more Allocate with credentials, which only asks what the server can do: its refusal breaks nothing."""

    wishes: tuple[Wish, ...]
    exchange: Exchange


WhyNot = Literal["names-no-server", "other-family", "own-network", "circle", "second"]


class Redirect(TurnStep, frozen=True, kw_only=True, tag=True):
    """A 300 (Try Alternate) to an Allocate, and whether this run went on to the server that it names.

    What that server was asked has the same ``server`` and the alternate as ``destination`` (RFC 8489 section 10).
    """

    alternate: TransportAddress | None
    domain: str | None = None
    """ALTERNATE-DOMAIN: the name that the alternate's certificate has to have, where it is one."""
    not_followed: WhyNot | None = None
    """``own-network``: of this computer, its network or a nearer scope than the server's, where no server may send us;
    ``circle``: it has been asked already; ``second``: it was named by an alternate. None: it was asked."""


class Permission(TurnStep, frozen=True, kw_only=True, tag=True):
    """CreatePermission, or ChannelBind where ``channel`` is set (RFC 8656 sections 9 and 12)."""

    peer: TransportAddress
    channel: int | None = None
    exchange: Exchange


class RelayedData(TurnStep, frozen=True, kw_only=True, tag=True):
    """Datagrams sent through the relay in one direction, and what arrived."""

    path: Literal["relay-to-relay", "relay-to-mapped", "mapped-to-relay"]
    method: Literal["send", "channel-data", "plain"]
    """How the sender's end put them on the wire: Send indication, ChannelData, or a plain datagram from a peer."""
    receiver: Side | Literal["peer"]
    peer: TransportAddress
    """To where the relay was asked to send."""
    sent: int
    received: int
    expected_source: TransportAddress | None = None
    """The relayed address from which the datagrams have to come."""
    sources: tuple[TransportAddress, ...] = ()
    """From where they came."""
    rtt_ms: float | None = None
    """Median from sending to arrival at the other end of the probe, in milliseconds."""


class Refresh(TurnStep, frozen=True, kw_only=True, tag=True):
    """Refresh of the allocation; ``lifetime_s`` 0 releases it (RFC 8656 section 8)."""

    lifetime_s: int
    """The LIFETIME that was asked for."""
    exchange: Exchange
