"""A stream of Server-Sent Events: one seat's messages, as they come."""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from rtcdiag.rendezvous.letters import Reading, as_event, notice_event
from rtcdiag.rendezvous.rooms import Rooms, Seat
from rtcdiag.signaling.wire import HEARTBEAT_S

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would hold events back until its buffer is full.
    (b"x-accel-buffering", b"no"),
]
_COMMENT = b":\n\n"


class Events:
    """The answer to a request for events: it lasts until the room ends, the seat is left, or the client goes."""

    def __init__(self, rooms: Rooms, seat: Seat, after: int, clock: Callable[[], float]) -> None:
        self._rooms, self._seat, self._clock = rooms, seat, clock
        self._woken = asyncio.Event()
        self._reading = Reading(seat, after, self._wake)

    def _wake(self) -> None:
        self._woken.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI)."""
        del scope
        gone = asyncio.ensure_future(_until_gone(receive))
        gone.add_done_callback(lambda _: self._wake())
        self._rooms.opened(self._seat, self._wake)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._tell(send, gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            self._rooms.closed(self._seat, self._wake, self._clock())

    async def _tell(self, send: Send, gone: "asyncio.Future[None]") -> None:
        # Proxies and clients see at once that the stream is open.
        news = _COMMENT
        while not gone.done():
            self._woken.clear()
            news += self._news()
            if news:
                await send({"type": "http.response.body", "body": news, "more_body": True})
            if self._reading.over:
                return
            news = b"" if not self._reading.waits or await woken(self._woken) else _COMMENT

    def _news(self) -> bytes:
        messages, notices = self._reading.next()
        return b"".join([*(as_event(*message) for message in messages), *(notice_event(each) for each in notices)])


async def woken(event: asyncio.Event) -> bool:
    """Wait until there is something to say, or until a heartbeat is due: then return False."""
    try:
        async with asyncio.timeout(HEARTBEAT_S):
            return await event.wait()
    except TimeoutError:
        return False


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
