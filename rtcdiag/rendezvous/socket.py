"""The rendezvous over one WebSocket: a hello, then messages both ways."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from rtcdiag.rendezvous.letters import Reading
from rtcdiag.rendezvous.rooms import RefusedError, Seat
from rtcdiag.signaling.wire import TOKEN, VERSION, Hello, Notice, frame, unframe

if TYPE_CHECKING:
    from rtcdiag.rendezvous.app import Rendezvous

_LEFT, _REFUSED = 1000, 1008
_hello = msgspec.json.Decoder(Hello)


class SocketTalk:
    """What is done with each WebSocket."""

    def __init__(self, rendezvous: "Rendezvous") -> None:
        self._rendezvous = rendezvous

    async def talk(self, socket: WebSocket) -> None:
        """Serve one connection to its end."""
        from rtcdiag.rendezvous.app import problem_of, refusal  # noqa: PLC0415 - each is the other's half

        try:
            host = self._rendezvous.admit(socket)
        except RefusedError as error:
            await socket.send_denial_response(refusal(error))
            return
        await socket.accept()
        try:
            await self._seated(socket, host)
        except WebSocketDisconnect:
            return
        except RefusedError as error:
            with suppress(WebSocketDisconnect):
                await _say(socket, problem_of(error))
                await socket.close(_REFUSED)

    async def _seated(self, socket: WebSocket, host: str) -> None:
        hello = await _first(socket, self._rendezvous.request_s)
        rooms, now_s = self._rendezvous.rooms, self._rendezvous.now_s()
        seat = (
            rooms.make(hello.token, host, now_s)
            if hello.room is None
            else rooms.seat(hello.room, hello.token, host, now_s)
        )
        await _say(socket, self._rendezvous.made(seat))
        await self._both_ways(socket, seat, hello.after, host)

    async def _both_ways(self, socket: WebSocket, seat: Seat, after: int, host: str) -> None:
        woken, rooms = asyncio.Event(), self._rendezvous.rooms
        reading = Reading(seat, after, woken.set)
        rooms.opened(seat, woken.set)
        telling = asyncio.create_task(_tell(socket, seat, reading, woken))
        hearing = asyncio.create_task(self._hear(socket, seat, woken, host))
        try:
            done, _ = await asyncio.wait([telling, hearing], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await socket.close(_LEFT)
        finally:
            telling.cancel()
            hearing.cancel()
            await asyncio.gather(telling, hearing, return_exceptions=True)
            rooms.closed(seat, woken.set, self._rendezvous.now_s())

    async def _hear(self, socket: WebSocket, seat: Seat, woken: asyncio.Event, host: str) -> None:
        rooms = self._rendezvous.rooms
        while True:
            try:
                number, data = unframe(await _bytes(socket, seat, self._rendezvous))
            except ValueError:
                raise RefusedError("bad-request") from None
            if number <= seat.sent:
                # Repeating costs the sender nothing else.
                rooms.request(host, self._rendezvous.now_s())
            rooms.post(seat, number, [data])
            woken.set()


async def _bytes(socket: WebSocket, seat: Seat, rendezvous: "Rendezvous") -> bytes:
    event = await socket.receive()
    if event["type"] == "websocket.disconnect":
        if event.get("code") == _LEFT:
            rendezvous.rooms.leave(seat)
        raise WebSocketDisconnect(event.get("code", 1006))
    return event.get("bytes") or b""


async def _first(socket: WebSocket, limit_s: float) -> Hello:
    try:
        async with asyncio.timeout(limit_s):
            event = await socket.receive()
    except TimeoutError:
        raise RefusedError("slow") from None
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1006))
    try:
        hello = _hello.decode(event.get("text") or "")
    except (msgspec.MsgspecError, RecursionError):
        raise RefusedError("bad-request") from None
    if hello.version != VERSION:
        raise RefusedError("version")
    if not TOKEN.fullmatch(hello.token):
        raise RefusedError("bad-request")
    return hello


async def _tell(socket: WebSocket, seat: Seat, reading: Reading, woken: asyncio.Event) -> None:
    received = 0
    while not reading.over:
        woken.clear()
        messages, notices = reading.next()
        if seat.sent > received:
            received = seat.sent
            await _say(socket, Notice(received=received))
        for message in messages:
            await socket.send_bytes(frame(*message))
        for notice in notices:
            await _say(socket, notice)
        if reading.waits:
            await woken.wait()


async def _say(socket: WebSocket, value: msgspec.Struct) -> None:
    await socket.send_text(msgspec.json.encode(value).decode())
