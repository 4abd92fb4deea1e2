"""Messages of any length over datagrams that get lost: cut into fragments, acknowledged, repeated. Nothing here waits.

Fragments are numbered over all messages of one direction. Every datagram tells the number that its sender expects next.
"""

from struct import Struct

FRAGMENT_BYTES = 1100
WINDOW = 32
"""Fragments that may be under way."""
MOST_BYTES = 1_500_000
"""Of one message; who sends more is not listened to."""
_HEAD = Struct("!4s8sBBII")
"""Magic, session, who sends, whether a message ends here, the fragment's number (0: none), the number expected next."""
MAGIC = b"\xf4rtp"
_REPEAT_MS = 150.0


class Parcels:
    """One end of both directions; times are milliseconds of any one clock."""

    def __init__(self, session: bytes, *, offers: bool) -> None:
        """Take the session, 8 bytes that both ends know, and which end this is."""
        self._session, self._offers = session, offers
        self._unsent: list[tuple[int, bytes, bool]] = []
        """Number, payload, last: what the other end has not acknowledged, in order."""
        self._sent_ms: dict[int, float] = {}
        self._next_number = 1
        self._expected = 1
        self._early: dict[int, tuple[bytes, bool]] = {}
        self._whole = bytearray()
        self._owes_ack = False
        self.failed = False
        """Whether the other end sent what is too long."""

    @property
    def idle(self) -> bool:
        """Whether the other end has acknowledged everything."""
        return not self._unsent

    def send(self, message: bytes) -> None:
        """Take a message to be sent."""
        pieces = [message[at : at + FRAGMENT_BYTES] for at in range(0, len(message), FRAGMENT_BYTES)] or [b""]
        for at, piece in enumerate(pieces):
            self._unsent.append((self._next_number, piece, at == len(pieces) - 1))
            self._next_number += 1

    def due(self, now_ms: float, rtt_ms: float) -> list[bytes]:
        """Return the datagrams that have to be sent now."""
        wait_ms = _REPEAT_MS + 1.5 * rtt_ms
        fragments = [
            (number, piece, last)
            for number, piece, last in self._unsent[:WINDOW]
            if now_ms - self._sent_ms.get(number, float("-inf")) >= wait_ms
        ]
        for number, _, _ in fragments:
            self._sent_ms[number] = now_ms
        datagrams = [self._head(number, last=last) + piece for number, piece, last in fragments]
        if self._owes_ack and not datagrams:
            datagrams = [self._head(0, last=False)]
        self._owes_ack = False
        return datagrams

    def _head(self, number: int, *, last: bool) -> bytes:
        return _HEAD.pack(MAGIC, self._session, self._offers, last, number, self._expected)

    def receive(self, data: bytes) -> list[bytes]:
        """Take a datagram; return the messages that it makes whole."""
        if len(data) < _HEAD.size or len(data) > _HEAD.size + FRAGMENT_BYTES:
            return []
        magic, session, offers, last, number, expected = _HEAD.unpack_from(data)
        if (magic, session, offers) != (MAGIC, self._session, not self._offers) or self.failed:
            return []
        self._acknowledged(expected)
        if not number:
            return []
        self._owes_ack = True
        if self._expected <= number < self._expected + WINDOW:
            self._early[number] = data[_HEAD.size :], bool(last)
        return self._whole_messages()

    def _acknowledged(self, expected: int) -> None:
        if expected <= self._next_number:
            while self._unsent and self._unsent[0][0] < expected:
                self._sent_ms.pop(self._unsent.pop(0)[0], None)

    def _whole_messages(self) -> list[bytes]:
        whole = []
        while self._expected in self._early:
            piece, last = self._early.pop(self._expected)
            self._expected += 1
            self._whole += piece
            if len(self._whole) > MOST_BYTES:
                self.failed = True
                self._whole.clear()
                return []
            if last:
                whole.append(bytes(self._whole))
                self._whole.clear()
        return whole
