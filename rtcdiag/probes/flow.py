"""Numbered datagrams in one direction, each sent again until it arrived: loss of one packet decides nothing.

Sender and receiver are one program, so that what arrived is known at once. Nothing here waits or sends.
"""

import asyncio
from secrets import token_bytes
from statistics import median
from struct import Struct

from rtcdiag.address import TransportAddress

COUNT = 5
OFFSETS_MS = (0.0, 100.0, 300.0, 700.0)
GIVE_UP = 0.66
"""After which part of the time-out of a transaction a datagram that has not arrived counts as lost."""
PAYLOAD_BYTES = 101
"""Not a multiple of four, so that ChannelData on a stream needs its padding (RFC 8656 section 12.5)."""
MAX_SOURCES = 4
_HEAD = Struct("!4s8sBBB")
# The first byte keeps it from looking like STUN or ChannelData (RFC 8656 section 12).
_MAGIC = b"\xf4rtc"


class Flow:
    """One direction through a relay; times are milliseconds of the run's clock."""

    def __init__(self, number: int, run_id: bytes, count: int = COUNT) -> None:
        """Take a number that no other flow of the run has, and how many datagrams it is of."""
        self.number = number
        self._count = count
        self.sources: list[TransportAddress] = []
        """From where datagrams came, without repeats."""
        self.arrived = asyncio.Event()
        """Set by each arrival."""
        self.sent = 0
        """How many different datagrams were sent; a copy is no new one."""
        self._run_id = run_id
        self._start_ms: float | None = None
        self._rounds = 0
        self._sent_ms: dict[tuple[int, int], float] = {}
        self._trips_ms: dict[int, float] = {}

    @property
    def received(self) -> int:
        """How many different datagrams arrived."""
        return len(self._trips_ms)

    @property
    def rtt_ms(self) -> float | None:
        """The median time from sending a copy to the arrival of that same copy."""
        return median(self._trips_ms.values()) if self._trips_ms else None

    @property
    def complete(self) -> bool:
        """Whether all arrived."""
        return self.received == self._count

    def due(self, now_ms: float) -> list[bytes]:
        """Return the payloads to send now: all at first, later copies of those that are missing."""
        self._start_ms = now_ms if self._start_ms is None else self._start_ms
        if self.complete or self._rounds == len(OFFSETS_MS) or now_ms < self._start_ms + OFFSETS_MS[self._rounds]:
            return []
        missing = [number for number in range(self._count) if number not in self._trips_ms]
        self._sent_ms |= {(number, self._rounds): now_ms for number in missing}
        payloads = [self._payload(number) for number in missing]
        self._rounds += 1
        self.sent = self._count
        return payloads

    def wake_ms(self, end_ms: float) -> float:
        """Return when to come back: for the next copies, or at the end."""
        if self._start_ms is None or self._rounds == len(OFFSETS_MS):
            return end_ms
        return min(end_ms, self._start_ms + OFFSETS_MS[self._rounds])

    def receive(self, data: bytes, source: TransportAddress, now_ms: float) -> bool:
        """Take what arrived at the receiving end; True where it is a datagram of this flow."""
        if len(data) != PAYLOAD_BYTES:
            return False
        magic, run_id, flow, number, copy = _HEAD.unpack_from(data)
        began = self._sent_ms.get((number, copy))
        if (magic, run_id, flow) != (_MAGIC, self._run_id, self.number) or began is None:
            return False
        self._trips_ms.setdefault(number, now_ms - began)
        if source not in self.sources and len(self.sources) < MAX_SOURCES:
            self.sources.append(source)
        self.arrived.set()
        return True

    def _payload(self, number: int) -> bytes:
        head = _HEAD.pack(_MAGIC, self._run_id, self.number, number, self._rounds)
        return head + bytes(PAYLOAD_BYTES - len(head))


def new_run_id() -> bytes:
    """Return 8 bytes that another run does not have."""
    return token_bytes(8)
