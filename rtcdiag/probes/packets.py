"""Numbered packets at even intervals, and what became of them: RTT, jitter, loss, order. Nothing here waits or sends.

Sender and receiver are one program with one clock, so that the time from here to here is a real round trip, and nothing
has to be echoed.
"""

from collections.abc import Iterable
from itertools import groupby, pairwise
from math import ceil
from statistics import fmean
from struct import Struct

from rtcdiag.evidence import Jitter, PacketStream, Spread
from rtcdiag.evidence.quality import Way

LATE_MS = 200.0
"""So much behind the quickest packet of its stream, a call has long played something else."""
RUN_IN = 48
"""Packets in which RFC 3550's estimate still comes up from zero: three times the reciprocal of its gain."""
_GAIN = 16
_UNSETTLED_MS = 250.0
"""What was sent so shortly before the end of an interrupted run may be on its way at least."""
HEAD = Struct("!4s8sBIQ")
"""Magic, run, stream, number, and when it was sent, in nanoseconds of the run's clock."""
# The first byte keeps it from looking like STUN or ChannelData (RFC 8656 section 12).
MAGIC = b"\xf4rtq"


class Packets:
    """One stream; times are milliseconds of the run's clock."""

    def __init__(self, number: int, run_id: bytes, *, way: Way, payload_bytes: int, interval_ms: float) -> None:
        """Take a number that no other stream of the run has."""
        self.way, self.payload_bytes, self.interval_ms = way, payload_bytes, interval_ms
        self.number = number
        self._run_id = run_id
        self._sent_ms: list[float] = []
        self._arrived_ms: dict[int, float] = {}
        self._duplicated = 0
        self._reordered = 0
        self._latest = -1

    @property
    def sent(self) -> int:
        """How many were sent."""
        return len(self._sent_ms)

    @property
    def received(self) -> int:
        """How many different ones arrived."""
        return len(self._arrived_ms)

    @property
    def complete(self) -> bool:
        """Whether all arrived."""
        return self.received == self.sent

    @property
    def ended(self) -> bool:
        """Whether the last one arrived, behind which nothing comes where the order is kept."""
        return self._latest == self.sent - 1

    @property
    def last_arrived_ms(self) -> float:
        """When the last one arrived that was no copy; 0 before the first."""
        return max(self._arrived_ms.values(), default=0.0)

    @property
    def longest_trip_ms(self) -> float:
        """Of those that arrived; 0 where none did."""
        return max(self._trips().values(), default=0.0)

    def next(self, now_ms: float) -> bytes:
        """Return the next packet, which has to be sent at once."""
        head = HEAD.pack(MAGIC, self._run_id, self.number, self.sent, round(now_ms * 1e6))
        self._sent_ms.append(now_ms)
        return head + bytes(self.payload_bytes - len(head))

    def receive(self, data: bytes, arrived_ms: float) -> bool:
        """Take what arrived; True where it is a packet of this stream as it was sent."""
        if len(data) != self.payload_bytes:
            return False
        magic, run_id, stream, number, stamp = HEAD.unpack_from(data)
        if (magic, run_id, stream) != (MAGIC, self._run_id, self.number) or number >= self.sent:
            return False
        if stamp != round(self._sent_ms[number] * 1e6):
            return False
        if number in self._arrived_ms:
            self._duplicated += 1
            return True
        self._arrived_ms[number] = arrived_ms
        self._reordered += number < self._latest
        self._latest = max(self._latest, number)
        return True

    def measured(self, cut_ms: float | None = None) -> PacketStream:
        """Return what became of them; ``cut_ms`` is when the run was interrupted, if it was."""
        counted = self._settled(cut_ms)
        trips = self._trips()
        quickest = min(trips.values(), default=0.0)
        told = self.way == "round-trip"
        return PacketStream(
            way=self.way,
            payload_bytes=self.payload_bytes,
            interval_ms=self.interval_ms,
            sent=len(counted),
            received=self.received,
            lost_in_a_row=longest_gap(number in self._arrived_ms for number in counted),
            late=sum(trip > quickest + LATE_MS for trip in trips.values()),
            reordered=self._reordered,
            duplicated=self._duplicated,
            trip_ms=spread(list(trips.values())) if told else None,
            jitter_ms=jitter_of(list(trips.values())) if told else None,
        )

    def _trips(self) -> dict[int, float]:
        """Return the time from here to here by number, in the order of arrival."""
        return {number: arrived - self._sent_ms[number] for number, arrived in self._arrived_ms.items()}

    def _settled(self, cut_ms: float | None) -> list[int]:
        """Return the numbers of those that count: what may still be on its way is not lost."""
        if cut_ms is None:
            return list(range(self.sent))
        since_ms = cut_ms - max(_UNSETTLED_MS, 2 * self.longest_trip_ms)
        return [at for at in range(self.sent) if at in self._arrived_ms or self._sent_ms[at] < since_ms]


def jitter_of(trips_ms: list[float]) -> Jitter | None:
    """Return RFC 3550's interarrival jitter, from the trips of packets in the order of their arrival.

    The difference of two trips is that of the spacing at the receiver and at the sender. None for fewer than two.
    """
    estimate, estimates = 0.0, list[float]()
    for before, now in pairwise(trips_ms):
        estimate += (abs(now - before) - estimate) / _GAIN
        estimates.append(estimate)
    if not estimates:
        return None
    settled = estimates[RUN_IN:]
    return Jitter(final=_rounded(estimate), mean=_rounded(fmean(settled or [estimate])), max=_rounded(max(estimates)))


def spread(values: list[float]) -> Spread | None:
    """Return five numbers for many (nearest rank), None for none."""
    if not values:
        return None
    ordered = sorted(values)
    return Spread(
        min=_rounded(ordered[0]),
        mean=_rounded(fmean(ordered)),
        p50=_rounded(_ranked(ordered, 0.5)),
        p95=_rounded(_ranked(ordered, 0.95)),
        max=_rounded(ordered[-1]),
    )


def _ranked(ordered: list[float], share: float) -> float:
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _rounded(value_ms: float) -> float:
    return round(value_ms, 3)


def longest_gap(arrived: Iterable[bool]) -> int:
    """Return how many in a row did not arrive, at most."""
    return max((len(list(run)) for there, run in groupby(arrived) if not there), default=0)
