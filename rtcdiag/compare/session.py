"""What two halves of one session say together: the ``session`` section of a comparison of the kind ``connect``.

Times are milliseconds from the start of the end that they stand with; the clocks of two computers are never subtracted.
"""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.evidence.quality import Spread
from rtcdiag.evidence.session import PairState, Policy, SessionRole, SessionStop, SessionTimes, SignalingKind
from rtcdiag.traversal import Reachable

Letter = Literal["a", "b"]
Stage = Literal["signaling", "gathering", "checks", "data"]
Side = Literal["a", "b", "both", "between"]
Achieved = Literal["connected", "no-path", "not-tested", "unfinished"]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What one end's gathering cost: without trickle nothing is told until all is gathered."""

    kept_back_ms: float
    """From the first candidate until the last one: what was waited for, or what trickle saved."""
    paid: bool
    """Whether it was waited for, as no candidate was told before the last."""
    server: str | None = None
    """The server that was last; None where that is not known, or nothing came of one."""
    answered: bool = True
    """Whether that server answered at last."""


class SessionSide(msgspec.Struct, frozen=True, kw_only=True):
    """The session as one of the two ended it."""

    role: SessionRole
    signaling: SignalingKind | None = None
    """How this end was signalled to; at a rendezvous each end chooses its own way."""
    stop: SessionStop
    detail: str = ""
    times: SessionTimes
    waiting: Waiting | None = None
    address_changed: bool = False
    refused_candidates: int = 0
    released: bool = True


class PolicyResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one policy achieved in the session that all three shared."""

    policy: Policy
    outcome: Achieved
    """``connected`` only where both ends agree."""
    first_success_ms: dict[Letter, float] = {}
    nominated_ms: dict[Letter, float] = {}


class PairEnd(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a candidate pair: how the other end reaches it, and what this end itself saw."""

    type: CandidateType
    address: TransportAddress
    """Where the other end sends to."""
    base: TransportAddress | None = None
    """The socket's own address; None where this end knows nothing of the pair."""
    mapped: TransportAddress | None = None
    """As what the other end saw its checks."""
    state: PairState | None = None
    checks: int = 0
    requests: int = 0
    answered: int = 0
    heard: int = 0
    rtt_ms: float | None = None
    first_success_ms: float | None = None


class JoinedPair(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate pair, as far as both ends saw it."""

    a: PairEnd
    b: PairEnd
    relayed: bool
    state: PairState
    agreed: bool
    """Whether what one end calls a success the other one confirms: it was answered too, or heard the checks."""
    nominated: tuple[Policy, ...] = ()


class SelectedPair(msgspec.Struct, frozen=True, kw_only=True):
    """From when on a policy used which pair, as one end saw it."""

    seen_by: Letter
    t_ms: float
    policy: Policy
    a: TransportAddress
    a_type: CandidateType
    b: TransportAddress
    b_type: CandidateType


class LearnedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A peer-reflexive candidate, and what it proves of the NAT in front of whom it belongs to."""

    whose: Letter
    address: TransportAddress
    told: TransportAddress | None
    proves: bool
    """That the NAT maps by destination (symmetric): another port than the one that a STUN server saw."""
    why_not: str = ""


class OneWay(msgspec.Struct, frozen=True, kw_only=True):
    """Numbered packets one way over a pair, counted where they came in."""

    sender: Letter
    receiver: Letter
    policy: Policy
    sent: int
    received: int
    lost_percent: float | None
    """None where the sender's count is not known."""
    lost_in_a_row: int = 0
    reordered: int = 0
    duplicated: int = 0
    jitter_ms: float | None = None
    """The mean of RFC 3550's running estimate."""
    round_trip_ms: Spread | None = None
    """As the receiver measured it, there and back."""


class FamilyHindsight(msgspec.Struct, frozen=True, kw_only=True):
    """What the reports promised of one family that had direct pairs, beside what happened."""

    predicted: Reachable
    happened: Reachable
    right: Reachable
    why: str


class Hindsight(msgspec.Struct, frozen=True, kw_only=True):
    """What the two reports predicted, beside what happened."""

    direct: Reachable
    relayed: Reachable
    why: str
    direct_right: Reachable
    """``unknown`` where nothing was promised, or the session could not tell."""
    relayed_right: Reachable
    families: dict[str, FamilyHindsight] = {}
    wrong_input: str = ""
    """What the prediction had wrong, as far as that can be told; empty where it was right."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session of two, from both ends."""

    session: str
    signaling: SignalingKind
    trickle: bool
    stage: Stage | None
    """The stage that broke; None where the two connected, or the session was not finished."""
    side: Side | None
    """Whose part of it; ``between``: packets get lost on the way one way."""
    why: str
    """In one sentence what broke or what connected."""
    a: SessionSide
    b: SessionSide
    policies: tuple[PolicyResult, ...]
    pairs: tuple[JoinedPair, ...]
    """Those that connected first, then by how far they came."""
    selected: tuple[SelectedPair, ...]
    learned: tuple[LearnedAddress, ...]
    ways: tuple[OneWay, ...]
    prediction: Hindsight
