"""How good a relay is: streams of numbered packets at the rate of a voice call, and a ramp of rates."""

from typing import Literal

import msgspec

from rtcdiag.evidence.turn import TurnStep
from rtcdiag.targets import Transport

Way = Literal["round-trip", "up", "down", "inward"]
"""``round-trip``: from here to the server, through its relay and back here, over the path's transport both ways. ``up``
and ``down``: one way over UDP, the other over TCP, which loses nothing: what is missing was lost that one way.
``inward``: from another person's computer to this one."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Many values in five, in milliseconds."""

    min: float
    mean: float
    p50: float
    p95: float
    max: float


class Jitter(msgspec.Struct, frozen=True, kw_only=True):
    """The running estimate of RFC 3550 section 6.4.1 (gain 1/16), in milliseconds, in the order of arrival."""

    final: float
    """After the last packet."""
    mean: float
    """Over all packets after the first 48, in which the estimate still rises from zero; else ``final``."""
    max: float


class PacketStream(msgspec.Struct, frozen=True, kw_only=True):
    """Packets that were sent at even intervals, one way or both."""

    way: Way
    payload_bytes: int
    interval_ms: float
    sent: int
    """Without those that were still on their way when the run was ended."""
    received: int
    """How many different ones arrived."""
    lost_in_a_row: int = 0
    """The longest gap."""
    late: int = 0
    """How many took over 200 ms longer than the quickest: too late for a call."""
    reordered: int = 0
    """How many arrived after one that was sent later."""
    duplicated: int = 0
    """How many copies arrived besides."""
    trip_ms: Spread | None = None
    """From here through the relay and back here; only of ``round-trip``."""
    jitter_ms: Jitter | None = None
    """Of the same trip."""

    @property
    def lost(self) -> int:
        """How many of those that were sent never arrived."""
        return min(max(0, self.sent - self.received), max(0, self.sent))

    @property
    def lost_percent(self) -> float:
        """The same, of a hundred."""
        return 100 * self.lost / self.sent if self.lost else 0.0


class RelayQuality(TurnStep, frozen=True, kw_only=True, tag=True):
    """All streams of one path, which ran side by side, and how far the server itself was in the same seconds."""

    planned_s: float
    streams: tuple[PacketStream, ...]
    reference: Transport | None = None
    """What the loss of one way was told by; None where only round trips were tried."""
    round_trip_only: str = ""
    """Why there is no such reference."""
    direct_ms: tuple[float, ...] = ()
    """Round-trip times of Binding transactions on the same socket in the same seconds; each was sent once."""
    direct_sent: int = 0
    pacing_ms: Spread | None = None
    """How late this program's own packets left, after the plan: what is far more than a millisecond blurs jitter."""


class RateStep(msgspec.Struct, frozen=True, kw_only=True):
    """One rate that was tried."""

    offered_kbps: float
    """Payload that was really sent, in kbit/s."""
    carried_kbps: float
    """Payload that arrived."""
    sent: int
    received: int
    trip_ms: Spread | None = None


class RelayThroughput(TurnStep, frozen=True, kw_only=True, tag=True):
    """Rates from low to high through the relay, until the highest that was asked for or until little more arrives."""

    up_to_kbps: int
    payload_bytes: int
    steps: tuple[RateStep, ...]
