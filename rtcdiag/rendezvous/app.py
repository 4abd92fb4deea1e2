"""The rendezvous over HTTP: an ASGI application that asks the rooms, and holds nothing itself."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from rtcdiag.rendezvous.events import Events
from rtcdiag.rendezvous.rooms import RefusedError, Rooms, Seat
from rtcdiag.rendezvous.socket import SocketTalk
from rtcdiag.signaling.wire import MAX_BATCH_BYTES, STATUS, TOKEN, Made, Notice, Problem, Refusal, split

_WORDS: dict[Refusal, str] = {
    "bad-request": "this request cannot be read",
    "full": "two people are in this room already",
    "gone": "who has this seat has left",
    "nothing-here": "there is nothing here",
    "other-origin": "pages of other sites may not use this rendezvous",
    "out-of-order": "messages before this one are missing",
    "rate": "too many requests from this address",
    "server-full": "there is no room left",
    "slow": "the request took too long",
    "too-large": "the message is too large",
    "too-many": "this person has sent as much as one may",
    "unknown-room": "there is no such room: it may have expired",
    "version": "this rendezvous speaks other versions",
}
_INVITED = """This is a rendezvous of rtcdiag, which tests whether two computers can reach each other directly.
If you were sent this address, run in a terminal, with the whole address in quotes, with what follows the #:

    rtcdiag connect 'ADDRESS'
"""


class Rendezvous:
    """What the routes share."""

    def __init__(self, rooms: Rooms, origin: str, clock: Callable[[], float], request_s: float) -> None:
        self.rooms, self.request_s = rooms, request_s
        self._origin, self._clock = origin, clock

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/v1/rooms", self._make, methods=["POST"]),
            Route("/v1/rooms/{room}", self._leave, methods=["DELETE"]),
            Route("/v1/rooms/{room}/messages", self._post, methods=["POST"]),
            Route("/v1/rooms/{room}/events", self._events, methods=["GET"]),
            WebSocketRoute("/v1/socket", SocketTalk(self).talk),
            Route("/v{number:int}/{rest:path}", _version, methods=["GET", "POST", "DELETE"]),
            Route("/", _invited, methods=["GET"]),
            Route("/{room}", _invited, methods=["GET"]),
        ]
        return Starlette(routes=routes, exception_handlers={RefusedError: _refused, HTTPException: _nothing_here})

    def now_s(self) -> float:
        """Return the time that the rooms go by."""
        return self._clock()

    def admit(self, connection: HTTPConnection) -> str:
        """Return who asks; raise RefusedError for a page of another site, and for too many requests."""
        host = connection.client.host if connection.client else ""
        self.rooms.request(host, self.now_s())
        if connection.headers.get("origin", self._origin) != self._origin:
            raise RefusedError("other-origin")
        return host

    def seat(self, request: Request) -> Seat:
        """Return the seat of who asks."""
        host = self.admit(request)
        return self.rooms.seat(request.path_params["room"], _token(request), host, self.now_s())

    async def _make(self, request: Request) -> Response:
        host = self.admit(request)
        return _json(self.made(self.rooms.make(_token(request), host, self.now_s())), 201)

    async def _leave(self, request: Request) -> Response:
        self.rooms.leave(self.seat(request))
        return Response(status_code=204)

    async def _post(self, request: Request) -> Response:
        seat = self.seat(request)
        try:
            first = int(request.query_params.get("first", ""))
            messages = split(await _body(request, self.request_s))
        except ValueError:
            raise RefusedError("bad-request") from None
        return _json(Notice(received=self.rooms.post(seat, first, messages)))

    async def _events(self, request: Request) -> ASGIApp:
        seat = self.seat(request)
        after = request.headers.get("last-event-id", "0")
        if not after.isascii() or not after.isdigit() or len(after) > 9:
            raise RefusedError("bad-request")
        return Events(self.rooms, seat, int(after), self.now_s)

    def made(self, seat: Seat) -> Made:
        """Return what a client is told of its seat."""
        room = seat.room
        left_s = room.expires_at_s - self.now_s()
        return Made(room=room.name, received=seat.sent, expires_in_s=round(left_s, 1), seat=seat.number)


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind != "Bearer" or not TOKEN.fullmatch(token):
        raise RefusedError("bad-request")
    return token


async def _body(request: Request, limit_s: float) -> bytes:
    try:
        async with asyncio.timeout(limit_s):
            return b"".join([part async for part in _bounded(request)])
    except TimeoutError:
        raise RefusedError("slow") from None


async def _bounded(request: Request) -> AsyncIterator[bytes]:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BATCH_BYTES:
            raise RefusedError("too-large")
        yield part


def problem_of(error: RefusedError) -> Problem:
    """Return what a client is told of a refusal."""
    wait_s = None if error.retry_after_s is None else round(error.retry_after_s, 2)
    return Problem(error=error.refusal, message=_WORDS[error.refusal], retry_after_s=wait_s)


def refusal(error: RefusedError) -> Response:
    """Return the answer to what is refused; it ends the connection of who is slow."""
    headers = {} if error.retry_after_s is None else {"Retry-After": str(int(error.retry_after_s) + 1)}
    if error.refusal == "slow":
        headers["Connection"] = "close"
    return _json(problem_of(error), STATUS[error.refusal], headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return refusal(error)


async def _nothing_here(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _json(Problem(error="nothing-here", message=_WORDS["nothing-here"]), status)


async def _version(_: Request) -> Response:
    raise RefusedError("version")


async def _invited(_: Request) -> Response:
    return PlainTextResponse(_INVITED, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


def _json(value: msgspec.Struct, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(value),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        media_type="application/json",
    )
