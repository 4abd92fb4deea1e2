"""How long a mapping lives without traffic (RFC 5780 sections 3.3 and 4.6)."""

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Observation
from rtcdiag.evidence.wire import Exchange


class Inward(msgspec.Struct, frozen=True, kw_only=True):
    """A request on one socket for an answer to the port of another (RESPONSE-PORT, RFC 5780 section 7.5)."""

    port: int
    """The public port that the answer was to go to."""
    exchange: Exchange
    """What the asking socket saw. An answer there is a refusal, or a server that ignores RESPONSE-PORT."""
    arrived_ms: tuple[float, ...] = ()
    """When answers arrived at the other socket, in milliseconds from the start of the run."""


class IdleMapping(Observation, frozen=True, kw_only=True, tag=True):
    """One mapping that carried packets both ways, was then left alone, and was then sent to from outside."""

    server: str
    destination: TransportAddress
    local: TransportAddress | None
    interface: str | None = None
    idle_s: float
    """The planned silence; 0 where only the way inward was tried, as a control before all others."""
    before: tuple[Exchange, ...]
    """The Binding transactions of the mapping before the silence."""
    aged: Inward | None = None
    """Towards the mapping after the silence; None where the server does not do RESPONSE-PORT."""
    fresh: Inward | None = None
    """The control at the same time: the same towards a mapping that was just made."""
    fresh_before: Exchange | None = None
    """The Binding transaction that made the control's mapping."""
    after: Exchange | None = None
    """Last, a Binding transaction of the same socket: another mapped address means that the old one was gone."""
