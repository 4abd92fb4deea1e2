"""A room over one WebSocket (RFC 6455)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from rtcdiag.net.stream import verifying_context
from rtcdiag.signaling.channel import SignalingError
from rtcdiag.signaling.invitation import Invitation
from rtcdiag.signaling.patience import Patience, Reach, RefusedByServerError
from rtcdiag.signaling.room import RoomChannel, Way, beside, join_room, new_token, open_room
from rtcdiag.signaling.wire import HEARTBEAT_S, Hello, Made, Notice, Problem, frame, unframe

OPEN_S = 10.0
_MOST_BYTES = 65_536
_LEFT = 1000
_made, _notice = msgspec.json.Decoder(Made), msgspec.json.Decoder(Notice)
_problem = msgspec.json.Decoder(Problem)
_Broken = (RefusedByServerError, WebSocketException, OSError, EOFError)


async def make_over_websocket(way: Way) -> RoomChannel:
    """Make a room; raise SignalingError where that fails."""
    link = SocketLink(way)
    try:
        return await open_room(link, "websocket", way.rendezvous)
    except BaseException:
        await link.aclose()
        raise


def join_over_websocket(way: Way, invitation: Invitation) -> RoomChannel:
    """Begin to join a room."""
    return join_room(SocketLink(way), "websocket", invitation)


class SocketLink:
    """One WebSocket to a rendezvous, and the next where it breaks."""

    def __init__(self, way: Way) -> None:
        self._url = f"ws{way.rendezvous.url.removeprefix('http')}/v1/socket"
        self._tls = verifying_context(way.ca_file) if way.rendezvous.encrypted else None
        self._proxy: str | Literal[True] | None = True if way.proxy is None else way.proxy
        if way.proxy == "none":
            self._proxy = None
        self._token = new_token()
        self._patience = Patience(Reach(way.rendezvous.host))
        self._socket: ClientConnection | None = None

    async def make(self) -> Made:
        """Make a room."""
        while True:
            try:
                self._socket = await _connected(self._url, self._tls, self._proxy)
                made = await _greeted(self._socket, Hello(token=self._token))
            except _Broken as error:
                await self.aclose()
                await self._patience.failed(error)
            else:
                self._patience.worked()
                return made

    async def run(self, room: RoomChannel) -> None:
        """Carry messages both ways."""
        while True:
            try:
                async with self._seated(room) as socket:
                    await beside(_hear(socket, room), _tell(socket, room))
            except _Broken as error:
                await self._patience.failed(error)

    async def leave(self, room: RoomChannel) -> None:
        """Leave the room: the rendezvous takes an orderly end for that."""
        del room
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            await self._socket.close(_LEFT)

    @asynccontextmanager
    async def _seated(self, room: RoomChannel) -> AsyncIterator[ClientConnection]:
        """Have a connection on which messages may be sent, the first one that made the room among them."""
        if self._socket is None or self._socket.close_code is not None:
            self._socket = await _connected(self._url, self._tls, self._proxy)
            hello = Hello(token=self._token, room=room.invitation.room, after=room.inbox.after)
            made = await _greeted(self._socket, hello)
            self._patience.worked()
            room.confirm(made.received)
        try:
            yield self._socket
        except _Broken:
            self._socket.transport.abort()
            raise


class _Connect(connect):
    """A connection to who was named, and to nobody else: another place is not asked where this one points to it."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow none."""
        return exc


async def _connected(url: str, tls: ssl.SSLContext | None, proxy: str | Literal[True] | None) -> ClientConnection:
    try:
        return await _Connect(
            url,
            ssl=tls,
            proxy=proxy,
            compression=None,
            max_size=_MOST_BYTES,
            max_queue=16,
            open_timeout=OPEN_S,
            close_timeout=1.0,
            ping_interval=HEARTBEAT_S,
            ping_timeout=HEARTBEAT_S,
            user_agent_header="rtcdiag",
        )
    except InvalidStatus as error:
        raise RefusedByServerError(error.response.status_code, bytes(error.response.body or b"")) from None


async def _greeted(socket: ClientConnection, hello: Hello) -> Made:
    async with asyncio.timeout(OPEN_S):
        await socket.send(msgspec.json.encode(hello).decode())
        answer = await socket.recv()
    data = answer.encode() if isinstance(answer, str) else answer
    with suppress(msgspec.MsgspecError, RecursionError):
        return _made.decode(data)
    raise RefusedByServerError(400, data)


async def _tell(socket: ClientConnection, room: RoomChannel) -> None:
    after = 0
    while True:
        room.unsent.clear()
        first, messages = room.outbox.batch(after)
        for number, message in enumerate(messages, first):
            await socket.send(frame(number, message))
            after = number
        if not messages:
            await room.unsent.wait()


async def _hear(socket: ClientConnection, room: RoomChannel) -> None:
    async for data in socket:
        if isinstance(data, bytes):
            _deliver(room, data)
        else:
            room.notice(_noticed(data))
    raise ConnectionClosed(None, None)


def _deliver(room: RoomChannel, data: bytes) -> None:
    try:
        number, sealed = unframe(data)
    except ValueError:
        raise SignalingError("the rendezvous sends what is no message") from None
    room.deliver(number, sealed)


def _noticed(text: str) -> Notice:
    with suppress(msgspec.MsgspecError, RecursionError):
        problem = _problem.decode(text)
        raise RefusedByServerError(400, msgspec.json.encode(problem))
    try:
        return _notice.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        raise SignalingError("the rendezvous sends what is no message") from None
