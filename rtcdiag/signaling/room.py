"""A room of a rendezvous as a channel: whatever carries it, everything is sealed here and opened here."""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Literal, Protocol

import msgspec

from rtcdiag.evidence.session import SessionRole, SignalingKind
from rtcdiag.signaling.channel import SignalingError
from rtcdiag.signaling.invitation import Invitation, Rendezvous
from rtcdiag.signaling.messages import GONE, Bye, Message, decode, encode
from rtcdiag.signaling.post import Inbox, Outbox
from rtcdiag.signaling.wire import Made, Notice

PeerNews = Literal["joined", "left", "away", "back"]
"""What a rendezvous says of the other person; away is without a connection to it, for the moment."""
FLUSH_S = 3.0
"""What is not sent is given so long when the channel closes."""
_MOST_ABSENCES = 20
"""More are not told: a rendezvous may say so without end."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a rendezvous is reached."""

    rendezvous: Rendezvous
    ca_file: str | None = None
    """Certificates to trust too, in PEM."""
    proxy: str | None = None
    """An HTTP proxy's URL, or ``none``; as the environment says unless set."""


class Link(Protocol):
    """One way to carry a room: Server-Sent Events with POST, or a WebSocket."""

    async def make(self) -> Made:
        """Make a room; raise SignalingError."""
        ...

    async def run(self, room: "RoomChannel") -> None:
        """Carry messages both ways, connecting again within bounds; raise SignalingError where that is over."""
        ...

    async def leave(self, room: "RoomChannel") -> None:
        """Tell the rendezvous that this end leaves, and close everything."""
        ...


class RoomChannel:
    """A `Channel` through a room. What goes wrong on the way is raised by the next call that needs the way."""

    trickles = True

    def __init__(self, link: Link, kind: SignalingKind, invitation: Invitation, role: SessionRole) -> None:
        self.kind: SignalingKind = kind
        self.role: SessionRole = role
        self.invitation = invitation
        self.outbox = Outbox(invitation, role)
        self.inbox = Inbox(invitation, role)
        self.unsent = asyncio.Event()
        self._news = asyncio.Event()
        """Something arrived, was confirmed, or ended."""
        self.on_peer: Callable[[PeerNews], None] = lambda _: None
        """Called with what the rendezvous says of the other person: for progress, not to be relied on."""
        self._told: set[str] = set()
        self._away, self._absences = False, 0
        self._link = link
        self._arrived: deque[Message] = deque()
        self._failure: SignalingError | None = None
        self._running = asyncio.create_task(self._run())
        self._running.add_done_callback(lambda _: self._news.set())

    async def send(self, message: Message) -> None:
        """Hand over one message; it is on its way at once, and sent again where a connection breaks."""
        self._raise_failure()
        self.outbox.add(encode(message))
        self.unsent.set()

    async def receive(self) -> Message:
        """Return the other end's next message, or a `Bye` where the rendezvous says that it is gone."""
        while not self._arrived:
            self._raise_failure()
            if self._running.done():
                raise SignalingError("the room is closed")
            self._news.clear()
            await self._news.wait()
        return self._arrived.popleft()

    async def close(self) -> None:
        """Leave the room when everything is sent, or cannot be sent in a few seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._flushed()
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._link.leave(self)

    async def _flushed(self) -> None:
        while self.outbox and not self._running.done():
            self._news.clear()
            await self._news.wait()

    async def _run(self) -> None:
        try:
            await self._link.run(self)
        except SignalingError as error:
            self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    # What a link calls.

    def deliver(self, number: int, sealed: bytes) -> None:
        """Take one sealed message from the rendezvous; raise SignalingError for one that the other end did not send."""
        data = self.inbox.take(number, sealed)
        if data is None:
            return
        try:
            self._arrive(decode(data))
        except ValueError:
            raise SignalingError("the other end sends what this version cannot read: update rtcdiag on both") from None

    def _absence(self, *, away: bool) -> None:
        """Take that the other person lost its connection, or has one again; both are said again after a reconnect."""
        if away != self._away and self._absences < _MOST_ABSENCES:
            self._away, self._absences = away, self._absences + away
            self.on_peer("away" if away else "back")

    def _peer(self, what: Literal["joined", "left"]) -> None:
        self.on_peer(what)
        if what == "left":
            self._arrive(Bye(why=GONE))

    def _arrive(self, message: Message) -> None:
        self._arrived.append(message)
        self._news.set()

    def confirm(self, received: int) -> None:
        """Take the rendezvous' word that it has so many messages of this end."""
        self.outbox.confirm(received)
        self._news.set()

    def notice(self, notice: Notice) -> None:
        """Take what the rendezvous itself says; raise SignalingError where it ends the room.

        That the other person left is the rendezvous' word only; said again after a reconnect, it counts once.
        """
        if notice.received is not None:
            self.confirm(notice.received)
        if notice.peer is not None and notice.peer not in self._told:
            self._told.add(notice.peer)
            self._peer(notice.peer)
        if notice.away is not None:
            self._absence(away=notice.away)
        if notice.end == "expired":
            raise SignalingError("the room is over: it lasts ten minutes")
        if notice.end == "stopping":
            raise SignalingError("the rendezvous was stopped")


def new_token() -> str:
    """Draw what proves that requests come from one person."""
    return secrets.token_urlsafe(16)


async def open_room(link: Link, kind: SignalingKind, rendezvous: Rendezvous) -> RoomChannel:
    """Make a room and sit in it; raise SignalingError. Who does is the offerer."""
    made = await link.make()
    try:
        invitation = Invitation.to(rendezvous, made.room)
    except ValueError as error:
        raise SignalingError(str(error)) from None
    return RoomChannel(link, kind, invitation, "offerer")


def join_room(link: Link, kind: SignalingKind, invitation: Invitation) -> RoomChannel:
    """Begin to join a room, as the answerer; what is wrong with that is raised by the first `receive`."""
    return RoomChannel(link, kind, invitation, "answerer")


async def beside(*works: Coroutine[Any, Any, None]) -> None:
    """Run these beside each other until one ends or raises; then end the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
