"""The rooms: who sits in which, what lies there for whom, and when it ends. Pure: the time is passed in."""

import secrets
from collections.abc import Callable
from hmac import compare_digest
from typing import Literal

from rtcdiag.rendezvous.limits import Limits
from rtcdiag.rendezvous.rates import Buckets, rate_key
from rtcdiag.signaling.wire import MAX_MESSAGE_BYTES, Refusal

End = Literal["expired", "left", "replaced", "stopping"]
_FORGET_S = 30.0


class RefusedError(Exception):
    """What was asked is not done."""

    def __init__(self, refusal: Refusal, retry_after_s: float | None = None) -> None:
        super().__init__(refusal)
        self.refusal: Refusal = refusal
        self.retry_after_s = retry_after_s


class Seat:
    """One person's place in a room."""

    __slots__ = ("away", "left", "number", "quiet_since_s", "received", "room", "streams", "token", "waiting", "wake")

    def __init__(self, room: "Room", number: int, token: str, now_s: float) -> None:
        self.room, self.number, self.token = room, number, token
        self.waiting: list[bytes] = []
        """What the other sent, from the first on: kept until the end, since a connection may break at any time."""
        self.received = 0
        """How many bytes this person sent."""
        self.left = self.away = False
        self.quiet_since_s: float | None = now_s
        self.streams = 0
        self.wake: Callable[[], None] = _nothing

    @property
    def other(self) -> "Seat | None":
        """The other person's seat, once there is one."""
        return next((seat for seat in self.room.seats if seat is not self), None)

    @property
    def sent(self) -> int:
        """How many messages of this person the room has."""
        return len(self.room.early if self.other is None else self.other.waiting)


class Room:
    """Two seats at most."""

    __slots__ = ("early", "end", "expires_at_s", "name", "seats")

    def __init__(self, name: str, expires_at_s: float) -> None:
        self.name, self.expires_at_s = name, expires_at_s
        self.seats: list[Seat] = []
        self.early: list[bytes] = []
        """What the first person sent before there was a second."""
        self.end: End | None = None


class Rooms:
    """All rooms of one rendezvous."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.bytes = 0
        self._rooms: dict[str, Room] = {}
        self._requests = Buckets(limits.requests_per_address, limits.addresses)
        self._made = Buckets(limits.rooms_per_address, limits.addresses)
        self._wrong = Buckets(limits.wrong_rooms_per_address, limits.addresses)
        self._made_in_all = Buckets(limits.rooms_in_all, 1)
        self._forget_at_s = 0.0

    def __len__(self) -> int:
        return len(self._rooms)

    def request(self, host: str, now_s: float) -> None:
        """Count a request of this address; raise RefusedError where it made too many."""
        _unless(self._requests.take(rate_key(host), now_s), "rate")

    def make(self, token: str, host: str, now_s: float) -> Seat:
        """Make a room whose first seat is the token's; raise RefusedError."""
        if len(self._rooms) >= self.limits.rooms or self.bytes >= self.limits.bytes_in_all:
            raise RefusedError("server-full", 10.0)
        _unless(self._made_in_all.wait("", now_s), "server-full")
        _unless(self._made.take(rate_key(host), now_s), "rate")
        self._made_in_all.take("", now_s)
        room = Room(secrets.token_urlsafe(16), now_s + self.limits.room_s)
        self._rooms[room.name] = room
        return _sit(room, token, now_s)

    def seat(self, name: str, token: str, host: str, now_s: float) -> Seat:
        """Return the token's seat in a room, taking the second where it is free; raise RefusedError."""
        key = rate_key(host)
        _unless(self._wrong.wait(key, now_s), "rate")
        room = self._rooms.get(name)
        if room is None or now_s >= room.expires_at_s:
            self._wrong.take(key, now_s)
            raise RefusedError("unknown-room")
        for seat in room.seats:
            if compare_digest(seat.token, token):
                return _staying(seat, now_s)
        if len(room.seats) == 2:
            raise RefusedError("full")
        return self._join(room, token, now_s)

    def _join(self, room: Room, token: str, now_s: float) -> Seat:
        seat = _sit(room, token, now_s)
        seat.waiting, room.early = room.early, []
        room.seats[0].wake()
        return seat

    def post(self, seat: Seat, first: int, messages: list[bytes]) -> int:
        """Take messages from number `first` on; return how many of this person there are; raise RefusedError.

        Those that are there already are passed over: the answer to them was lost.
        """
        other = seat.other
        box = seat.room.early if other is None else other.waiting
        if first < 1 or first > len(box) + 1:
            raise RefusedError("out-of-order")
        new = messages[len(box) + 1 - first :]
        self._admit(seat, len(box), new)
        box.extend(new)
        if new and other is not None:
            other.wake()
        return len(box)

    def _admit(self, seat: Seat, there: int, new: list[bytes]) -> None:
        size = sum(map(len, new))
        if any(len(message) > MAX_MESSAGE_BYTES for message in new):
            raise RefusedError("too-large")
        if there + len(new) > self.limits.messages or seat.received + size > self.limits.bytes:
            raise RefusedError("too-many")
        if self.bytes + size > self.limits.bytes_in_all:
            raise RefusedError("server-full", 10.0)
        seat.received += size
        self.bytes += size

    def opened(self, seat: Seat, wake: Callable[[], None]) -> None:
        """Note that this person listens; who listened before on the same seat is woken, and ends."""
        before, seat.wake = seat.wake, wake
        seat.streams += 1
        seat.quiet_since_s = None
        _set_away(seat, away=False)
        before()

    def closed(self, seat: Seat, wake: Callable[[], None], now_s: float) -> None:
        """Note that a stream ended."""
        seat.streams -= 1
        if seat.wake == wake:
            seat.wake = _nothing
        if not seat.streams:
            seat.quiet_since_s = now_s

    def leave(self, seat: Seat) -> None:
        """Free a seat for good, and the room where nobody is left; the other is told."""
        seat.left = True
        seat.wake()
        if all(each.left for each in seat.room.seats):
            self._end(seat.room, "left")
        elif seat.other is not None:
            seat.other.wake()

    def sweep(self, now_s: float) -> None:
        """End what is over: call it about once a second."""
        for room in list(self._rooms.values()):
            if now_s >= room.expires_at_s:
                self._end(room, "expired")
                continue
            for seat in room.seats:
                if not seat.left:
                    self._look_after(seat, _quiet_s(seat, now_s))
        if now_s >= self._forget_at_s:
            self._forget_at_s = now_s + _FORGET_S
            for buckets in (self._requests, self._made, self._wrong):
                buckets.forget_full(now_s)

    def _look_after(self, seat: Seat, quiet_s: float) -> None:
        if quiet_s >= self.limits.quiet_s:
            self.leave(seat)
        elif quiet_s >= self.limits.away_s:
            _set_away(seat, away=True)

    def stop(self) -> None:
        """End every room."""
        for room in list(self._rooms.values()):
            self._end(room, "stopping")

    def _end(self, room: Room, end: End) -> None:
        if self._rooms.pop(room.name, None) is None:
            return
        room.end = end
        self.bytes -= sum(seat.received for seat in room.seats)
        for seat in room.seats:
            seat.wake()


def _nothing() -> None:
    """Wake nobody."""


def _unless(wait_s: float, refusal: Refusal) -> None:
    if wait_s > 0:
        raise RefusedError(refusal, wait_s)


def _sit(room: Room, token: str, now_s: float) -> Seat:
    seat = Seat(room, len(room.seats), token, now_s)
    room.seats.append(seat)
    return seat


def _set_away(seat: Seat, *, away: bool) -> None:
    changed, seat.away = seat.away != away, away
    if changed and seat.other is not None:
        seat.other.wake()


def _staying(seat: Seat, now_s: float) -> Seat:
    if seat.left:
        raise RefusedError("gone")
    if seat.quiet_since_s is not None:
        seat.quiet_since_s = now_s
    return seat


def _quiet_s(seat: Seat, now_s: float) -> float:
    return 0.0 if seat.quiet_since_s is None else now_s - seat.quiet_since_s
