"""One request's life (RFC 8489 section 6.2): every transmission and every datagram that came, with time and source.

Nothing here waits or sends. The caller asks `datagrams_to_send` and `next_timer`, and gives what arrives to `receive`,
also after the transaction has been given up: a late answer is evidence. All times are milliseconds of the caller's
monotonic clock.
"""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.stun.codec import decode
from rtcdiag.stun.header import Fault, MessageClass, StunError, check_header
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import Request

MAX_ANSWERS = 8
MAX_STRAYS = 8
MAX_COPIES = 24
"""How many of each are kept; a flood is counted, not stored. Copies of the answer tell which transmissions arrived."""

Why = Literal["not-stun", "wrong-cookie", "wrong-transaction-id", "wrong-class", "wrong-method", "duplicate"]


class Schedule(msgspec.Struct, frozen=True):
    """When a request is transmitted, and when its answer is no longer awaited, in ms from the start."""

    offsets_ms: tuple[float, ...]
    give_up_ms: float


UDP = Schedule((0, 100, 300, 700, 1500), 2000)
"""Quicker than RFC 8489 section 6.2.1, whose 39.5 s no one waits for; each gap doubles all the same."""
STREAM = Schedule((0,), 5000)
"""TCP and TLS retransmit by themselves (RFC 8489 section 6.2.2)."""


class Arrival(msgspec.Struct, frozen=True):
    """A response to this request."""

    t_ms: float
    source: TransportAddress | None
    message: Message
    expected_source: bool
    late: bool


class Reject(msgspec.Struct, frozen=True):
    """Bytes that are no response to this request."""

    t_ms: float
    source: TransportAddress | None
    size_bytes: int
    why: Why


class Transaction:
    """A request on its way; see the module."""

    def __init__(
        self,
        request: Request,
        schedule: Schedule = UDP,
        *,
        start_ms: float,
        expected: frozenset[TransportAddress] | None = None,
    ) -> None:
        """Take the sources from which an answer counts; None where any does, as on a stream."""
        self.request = request
        self.sent_ms: list[float] = []
        self.arrivals: list[Arrival] = []
        self.rejects: list[Reject] = []
        self.reject_count = 0
        self._copies = 0
        self._expected = expected
        self._give_up_ms = start_ms + schedule.give_up_ms
        self._due_ms = [start_ms + offset for offset in schedule.offsets_ms]

    @property
    def answer(self) -> Arrival | None:
        """The answer that counts: the first in time from an expected source."""
        for found in self.arrivals:
            if found.expected_source and not found.late:
                return found
        return None

    @property
    def rtt_ms(self) -> float | None:
        """The round-trip time, None where a retransmission makes it ambiguous (Karn).

        Where as many copies of the answer came as requests went out, the first belongs to the first.
        """
        answer = self.answer
        if answer is None:
            return None
        before = sum(sent_ms <= answer.t_ms for sent_ms in self.sent_ms)
        if before > 1 and self._copies < len(self.sent_ms):
            return None
        return answer.t_ms - self.sent_ms[0]

    def is_finished(self, now_ms: float) -> bool:
        """True when the answer is there or no longer awaited."""
        return self.answer is not None or now_ms >= self._give_up_ms

    def datagrams_to_send(self, now_ms: float) -> list[bytes]:
        """Return what is due and note it as sent; a caller that comes late sends once, not a burst."""
        if self.is_finished(now_ms) or not self._due_ms or now_ms < self._due_ms[0]:
            return []
        self._due_ms = [due for due in self._due_ms if due > now_ms]
        self.sent_ms.append(now_ms)
        return [self.request.data]

    def repeat(self, now_ms: float) -> bytes:
        """Return the request to send it once more although it was answered, and note it as sent."""
        self.sent_ms.append(now_ms)
        return self.request.data

    def next_timer(self) -> float | None:
        """Return when to come back: the next transmission or the end; None once answered."""
        if self.answer is not None:
            return None
        return min([*self._due_ms[:1], self._give_up_ms])

    def receive(self, now_ms: float, data: bytes, source: TransportAddress | None) -> bool:
        """Take a datagram or frame; True when it is the answer that counts."""
        found = self._read(data)
        if isinstance(found, str):
            self._reject(now_ms, data, source, found)
            return False
        expected = self._expected is None or source in self._expected
        self._copies += expected
        if any(earlier.message.raw == found.raw and earlier.source == source for earlier in self.arrivals):
            self._reject(now_ms, data, source, "duplicate")
            return False
        first = self.answer is None
        late = first and now_ms >= self._give_up_ms
        # Half the room is kept for the expected source, or others could keep the answer out.
        if len(self.arrivals) < (MAX_ANSWERS if expected else MAX_ANSWERS // 2):
            self.arrivals.append(Arrival(now_ms, source, found, expected, late))
        return first and self.answer is not None

    def _read(self, data: bytes) -> Message | Why:
        # The transaction id is compared before anything else is decoded: a flood has to be cheap.
        try:
            check_header(data)
        except StunError as error:
            return "wrong-cookie" if error.fault is Fault.WRONG_COOKIE else "not-stun"
        if data[8:20] != self.request.transaction_id:
            return "wrong-transaction-id"
        message = decode(data)
        if message.message_class not in (MessageClass.SUCCESS, MessageClass.ERROR):
            return "wrong-class"
        return message if message.method == self.request.method else "wrong-method"

    def _reject(self, now_ms: float, data: bytes, source: TransportAddress | None, why: Why) -> None:
        self.reject_count += 1
        alike = sum((found.why == "duplicate") is (why == "duplicate") for found in self.rejects)
        if alike < (MAX_COPIES if why == "duplicate" else MAX_STRAYS):
            self.rejects.append(Reject(now_ms, source, len(data), why))
