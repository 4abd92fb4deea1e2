"""One end's view of a session of two: what it told, which candidate pairs it checked, and what passed between them.

All times are milliseconds from the start of this end's run (its person pressing Enter): the clocks of two computers are
never subtracted from each other.
"""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Observation
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.evidence.quality import PacketStream, Spread

SessionRole = Literal["offerer", "answerer"]
SignalingKind = Literal["copied-text", "sse", "websocket", "browser"]
Policy = Literal["all", "direct", "relay"]
"""Which candidate pairs count: every one; those without a relay; those with a relay on at least one end."""
PairState = Literal["waiting", "in-progress", "succeeded", "failed"]
"""RFC 8445 section 6.1.2.6; a failed pair is tried again until the session ends."""
SessionStop = Literal["done", "no-path", "no-candidates", "peer-left", "no-peer", "expired", "interrupted", "signaling"]


class SessionTimes(msgspec.Struct, frozen=True, kw_only=True):
    """When what happened, at this end; None for what never did."""

    first_candidate_ms: float | None = None
    """The first local candidate."""
    gathered_ms: float | None = None
    """The last one."""
    told_ms: float | None = None
    """The own description was handed to the signaling."""
    heard_ms: float | None = None
    """The other end's description came."""
    remote_complete_ms: float | None = None
    """The other end's last candidate came."""
    first_check_ms: float | None = None
    first_success_ms: float | None = None
    nominated_ms: float | None = None
    """The first pair was nominated, of the policy ``all``."""
    last_sign_ms: float | None = None
    """The other end showed for the last time that it was there: by a check, an answer, or its own words."""

    def checked_for_ms(self, t_ms: float) -> float:
        """Return how long it had been checking then: before, it waited for the other end, or for a person."""
        return t_ms - (self.first_check_ms or 0.0)


class PolicyOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one policy achieved, in the same session as the others."""

    policy: Policy
    outcome: Literal["connected", "no-pair-answered", "no-pairs", "ended-early"]
    """``no-pairs``: no candidate pair is of this policy. ``ended-early``: the session ended before it could tell."""
    first_success_ms: float | None = None
    nominated_ms: float | None = None


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """From when on a policy used which pair."""

    t_ms: float
    policy: Policy
    local: TransportAddress
    local_type: CandidateType
    remote: TransportAddress
    remote_type: CandidateType


class PeerSession(Observation, frozen=True, kw_only=True, tag=True):
    """The session as a whole, as one end saw it."""

    session: str
    """What both ends call it: 16 hexadecimal digits."""
    role: SessionRole
    signaling: SignalingKind
    trickle: bool
    """Whether candidates were told one by one (RFC 8838)."""
    application: bool = False
    """Whether the other end is an application that copied text led to, by its description: it sends no report."""
    stop: SessionStop
    detail: str = ""
    """What ended it, in words that hold nothing that the other end sent."""
    times: SessionTimes = SessionTimes()
    policies: tuple[PolicyOutcome, ...] = ()
    selected: tuple[Selection, ...] = ()
    remote_candidates: tuple[str, ...] = ()
    """The other end's candidates as told: SDP values (RFC 8839 section 5.1), at most 32."""
    refused_candidates: int = 0
    """How many more were told and not taken: beyond 32, or with an address that is never contacted."""
    address_changed: bool = False
    """Whether this computer's or the NAT's address changed while waiting."""
    released: bool = True
    """Whether the TURN server confirmed that the allocations are released."""


class CheckedPair(Observation, frozen=True, kw_only=True, tag=True):
    """One candidate pair and how its checks went; ``t_ms`` is its first check, or when it was formed."""

    local: TransportAddress
    """The base from which checks are sent; a relayed address for a relay candidate."""
    local_type: CandidateType
    remote: TransportAddress
    remote_type: CandidateType
    state: PairState
    checks: int = 0
    """Check transactions that were begun."""
    requests: int = 0
    """Datagrams of these, retransmissions included."""
    answered: int = 0
    rtt_ms: float | None = None
    """Of the first success."""
    first_success_ms: float | None = None
    heard: int = 0
    """Valid checks of the other end that came in on this pair."""
    nominated: tuple[Policy, ...] = ()
    mapped: TransportAddress | None = None
    """Where the other end saw our checks come from (XOR-MAPPED-ADDRESS)."""
    remote_base_relayed: bool = False
    """Whether the other end said by its checks that it sends them through its relay."""

    @property
    def relayed(self) -> bool:
        """Whether a relay is on the way."""
        return "relay" in (self.local_type, self.remote_type) or self.remote_base_relayed


class LearnedCandidate(Observation, frozen=True, kw_only=True, tag=True):
    """A peer-reflexive candidate (RFC 8445 section 5.1.1): an address that no end had told and that a check showed."""

    whose: Literal["own", "remote"]
    """``own``: the other end saw our check come from it. ``remote``: a check came from it."""
    address: TransportAddress
    told: TransportAddress | None = None
    """The address that had been told for the same IP address, or the same base, where there was one."""
    local: TransportAddress


class PeerStream(Observation, frozen=True, kw_only=True, tag=True):
    """Numbered packets that came from the other end over the selected pair, and round trips to it."""

    local: TransportAddress
    remote: TransportAddress
    policy: Policy
    inward: PacketStream
    """What arrived here; ``sent`` is what the other end says that it sent."""
    round_trip_ms: Spread | None = None
    round_trips: int = 0
