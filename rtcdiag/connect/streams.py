"""Numbered packets from one end to the other, 20 ms apart, and their echoes. Nothing here waits or sends.

The clocks of two computers are never subtracted: jitter needs only how the time between two packets changes, and a
round trip is an echo of the sender's own stamp.
"""

from struct import error as StructError  # noqa: N812 - struct names it like nothing else

from rtcdiag.evidence.quality import PacketStream, Spread
from rtcdiag.probes.packets import HEAD, LATE_MS, MAGIC, jitter_of, longest_gap, spread

INTERVAL_MS = 20.0
PAYLOAD_BYTES = 172
"""20 ms of G.711 with its RTP header (RFC 3551 section 4.5.14)."""
MOST_PACKETS = 30_000
ECHO_MAGIC = b"\xf4rte"


class Outward:
    """What this end sends, and the echoes that come back."""

    def __init__(self, session: bytes, number: int) -> None:
        """Take the session, 8 bytes, and the number of the stream: 0 from the offerer, 1 from the answerer."""
        self._session, self._number = session, number
        self.sent = 0
        self._round_trips_ms: dict[int, float] = {}

    def next(self, now_ms: float) -> bytes:
        """Return the next packet, which has to be sent at once."""
        head = HEAD.pack(MAGIC, self._session, self._number, self.sent, round(now_ms * 1e6))
        self.sent += 1
        return head + bytes(PAYLOAD_BYTES - len(head))

    def receive_echo(self, data: bytes, arrived_ms: float) -> None:
        """Take an echo; what is none is dropped."""
        read = _head(data, ECHO_MAGIC, self._session, self._number)
        if read is not None and read[0] < self.sent and arrived_ms * 1e6 >= read[1]:
            self._round_trips_ms.setdefault(read[0], arrived_ms - read[1] / 1e6)

    @property
    def round_trips(self) -> int:
        """How many different packets were echoed."""
        return len(self._round_trips_ms)

    def round_trip_ms(self) -> Spread | None:
        """Return how long they took there and back."""
        return spread(list(self._round_trips_ms.values()))


class Inward:
    """What comes from the other end."""

    def __init__(self, session: bytes, number: int) -> None:
        """Take the session, and the number of the stream that is expected."""
        self._session, self._number = session, number
        self._trips_ms: dict[int, float] = {}
        """By number in the order of arrival: the time on the way, and how far apart the clocks are."""
        self._latest = -1
        self._reordered = self._duplicated = 0
        self.sent: int | None = None
        """How many the other end says that it has sent, once it has."""

    @property
    def complete(self) -> bool:
        """Whether all came."""
        return self.sent is not None and len(self._trips_ms) >= self.sent

    def receive(self, data: bytes, arrived_ms: float) -> bytes | None:
        """Take a packet; return its echo, None for what is none."""
        read = _head(data, MAGIC, self._session, self._number)
        if read is None or len(data) != PAYLOAD_BYTES or read[0] >= MOST_PACKETS:
            return None
        number, stamp_ns = read
        if number in self._trips_ms:
            self._duplicated += 1
        else:
            self._trips_ms[number] = arrived_ms - stamp_ns / 1e6
            self._reordered += number < self._latest
            self._latest = max(self._latest, number)
        return HEAD.pack(ECHO_MAGIC, self._session, self._number, number, stamp_ns)

    def measured(self) -> PacketStream:
        """Return what became of the stream; the other end has sent as many as are known of, whatever it says."""
        trips = list(self._trips_ms.values())
        sent = max(self._latest + 1, min(self.sent or 0, MOST_PACKETS))
        quickest = min(trips, default=0.0)
        return PacketStream(
            way="inward",
            payload_bytes=PAYLOAD_BYTES,
            interval_ms=INTERVAL_MS,
            sent=sent,
            received=len(trips),
            lost_in_a_row=longest_gap(number in self._trips_ms for number in range(sent)),
            late=sum(trip > quickest + LATE_MS for trip in trips),
            reordered=self._reordered,
            duplicated=self._duplicated,
            jitter_ms=jitter_of(trips),
        )


def _head(data: bytes, magic: bytes, session: bytes, stream: int) -> tuple[int, int] | None:
    """Return number and stamp, in nanoseconds of the sender's clock."""
    try:
        here = HEAD.unpack_from(data)
    except StructError:
        return None
    return (here[3], here[4]) if here[:3] == (magic, session, stream) else None
