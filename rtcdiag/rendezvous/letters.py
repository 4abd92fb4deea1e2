"""What one stream still has to say: pure, and the same for Server-Sent Events and WebSockets."""

from base64 import b64encode
from collections.abc import Callable
from itertools import islice

import msgspec

from rtcdiag.rendezvous.rooms import End, Seat
from rtcdiag.signaling.wire import Notice

MOST_AT_ONCE = 65_536
"""Bytes of messages in one write: what a slow reader has not read waits in the room, not again in a buffer."""


class Reading:
    """How far one stream of a seat is: after which message, and what it told of the other person."""

    def __init__(self, seat: Seat, after: int, wake: Callable[[], None]) -> None:
        self._seat, self._wake = seat, wake
        self._after = max(0, after)
        self._told_joined = self._told_left = self._told_away = False
        self.over = False

    def next(self) -> tuple[list[tuple[int, bytes]], list[Notice]]:
        """Return what is new: messages with their numbers, then notices. After the last, `over` is set."""
        messages = self._messages()
        joined = self._joined()
        if self._behind:
            return messages, joined
        return messages, [*joined, *self._endings()]

    @property
    def _behind(self) -> bool:
        return self._after < len(self._seat.waiting)

    def _messages(self) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        size = 0
        for data in islice(self._seat.waiting, self._after, None):
            if found and size + len(data) > MOST_AT_ONCE:
                break
            self._after += 1
            size += len(data)
            found.append((self._after, data))
        return found

    def _joined(self) -> list[Notice]:
        if self._told_joined or self._seat.other is None:
            return []
        self._told_joined = True
        return [Notice(peer="joined")]

    def _endings(self) -> list[Notice]:
        notices = self._of_the_other()
        end = self._end()
        if end is not None:
            self.over = True
            notices.append(Notice(end=end))
        return notices

    def _of_the_other(self) -> list[Notice]:
        other = self._seat.other
        if other is None or self._told_left:
            return []
        if other.left:
            self._told_left = True
            return [Notice(peer="left")]
        if other.away != self._told_away:
            self._told_away = other.away
            return [Notice(away=other.away)]
        return []

    def _end(self) -> End | None:
        seat = self._seat
        if seat.room.end is not None:
            return seat.room.end
        if seat.left:
            return "left"
        # Bound methods of one object are equal, not identical.
        return "replaced" if seat.wake != self._wake else None

    @property
    def waits(self) -> bool:
        """Whether there is nothing to say until it is woken."""
        return not self._behind and not self.over


def as_event(number: int, data: bytes) -> bytes:
    """Return a message as a Server-Sent Event."""
    return b"id: %d\ndata: %s\n\n" % (number, b64encode(data))


def notice_event(notice: Notice) -> bytes:
    """Return a notice as a Server-Sent Event, which has no number of its own."""
    return b"event: notice\ndata: %s\n\n" % msgspec.json.encode(notice)
