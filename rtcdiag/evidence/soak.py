"""Whether a relay lasts: kept in use over the times at which allocation, permissions, channels and nonce expire."""

from typing import Literal

import msgspec

from rtcdiag.evidence.base import Failure
from rtcdiag.evidence.turn import Side, TurnStep

Kept = Literal["allocation", "permission", "channel"]


class Upkeep(msgspec.Struct, frozen=True, kw_only=True):
    """What was renewed in time, as a client has to (RFC 8656 sections 8, 9 and 12); both allocations together."""

    what: Kept
    done: int = 0
    fresh_nonces: int = 0
    """How often the nonce had expired, and the same request with the new one was taken (438)."""
    failed: int = 0
    error_code: int | None = None
    """Of the first that failed."""
    failure: Failure | None = None
    """Why the first that failed got no answer."""
    failed_after_s: float | None = None


class DataStop(msgspec.Struct, frozen=True, kw_only=True):
    """Data that did not arrive any more, and what was tried then, in this order."""

    after_s: float
    """When the last packet arrived."""
    receiver: Side
    mapping_changed: bool | None = None
    """Whether the server sees this computer at another address or port than at first; None where it did not say."""
    refresh_code: int | None = None
    """The error that a Refresh was answered with; None for none."""
    refresh_failure: Failure | None = None
    """Why a Refresh got no answer."""
    resumed_after: Literal["permission", "channel", "nothing"] = "nothing"
    """What had to be asked for again before data arrived again."""


class RelaySoak(TurnStep, frozen=True, kw_only=True, tag=True):
    """One relay in use: a trickle of data both ways, until the end or until it stops for good."""

    planned_s: float
    lasted_s: float
    interval_ms: float
    lifetime_s: int | None = None
    """Of the allocation, as the server granted it."""
    sent: int
    received: int
    longest_gap_s: float = 0.0
    """Without a packet, in either direction."""
    upkeep: tuple[Upkeep, ...] = ()
    stop: DataStop | None = None
