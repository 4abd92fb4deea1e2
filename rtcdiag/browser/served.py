"""The page on loopback: served for one session to whoever knows its path, and to nobody after it.

Only this computer reaches it. A page of another site that is opened here could still ask for it, also under a name that
it points to loopback (DNS rebinding): so the path cannot be guessed, and Host, Origin and Sec-Fetch-Site are looked at.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hmac import compare_digest
from importlib.resources import files
from ipaddress import ip_address
from secrets import token_urlsafe
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rtcdiag.browser.posts import MAX_POST_BYTES, read_post
from rtcdiag.browser.talk import RefusedPostError, Talk
from rtcdiag.rendezvous.door import Door, door_config
from rtcdiag.rendezvous.limits import Limits
from rtcdiag.rendezvous.listener import Place, answering, opened

HOST = ip_address("127.0.0.1")
_LIMITS = Limits(connections=24, connections_per_address=24, request_s=5.0, idle_s=30.0)
_HEARTBEAT_S = 15.0
_PARTS = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Page:
    """What answers the browser."""

    def __init__(self, talk: Talk, settings: Mapping[str, Any]) -> None:
        """Take the talk, and what the page is told before it offers; it may hold credentials."""
        self._talk, self._settings = talk, settings
        self.token = token_urlsafe(24)
        self._hosts: tuple[str, ...] = ()

    def at(self, port: int) -> str:
        """Take the port; return the page's address."""
        self._hosts = (f"{HOST}:{port}", f"localhost:{port}")
        return f"http://{self._hosts[0]}/{self.token}/"

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/{token}/settings", self._tell_settings, methods=["GET"]),
            Route("/{token}/said", self._hear, methods=["POST"]),
            Route("/{token}/events", self._events, methods=["GET"]),
            Route("/{token}/{part:path}", self._part, methods=["GET"]),
            Route("/{rest:path}", _nothing, methods=["GET", "POST"]),
        ]
        return Starlette(routes=routes)

    def _admits(self, request: Request) -> bool:
        """Tell whether the page itself, or the person, asks."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        token = request.path_params["token"].encode()
        from_here = host in self._hosts and origin in (None, f"http://{host}")
        site = request.headers.get("sec-fetch-site", "same-origin")
        return from_here and site in ("same-origin", "none") and compare_digest(token, self.token.encode())

    async def _part(self, request: Request) -> Response:
        found = _PARTS.get(request.path_params["part"])
        if found is None or not self._admits(request):
            return await _nothing(request)
        name, kind = found
        return Response((files(__package__) / "page" / name).read_bytes(), media_type=kind, headers=_HEADERS)

    async def _tell_settings(self, request: Request) -> Response:
        if not self._admits(request):
            return await _nothing(request)
        return _json(self._settings)

    async def _hear(self, request: Request) -> Response:
        if not self._admits(request) or request.headers.get("origin") is None:
            return await _nothing(request)
        try:
            async with asyncio.timeout(_LIMITS.request_s):
                self._talk.hear(read_post(await _body(request)))
        except (ValueError, TimeoutError, RefusedPostError) as error:
            return _json({"error": str(error) or "too slow"}, 400, {"Connection": "close"})
        return Response(status_code=204, headers=_HEADERS)

    async def _events(self, request: Request) -> Response:
        if not self._admits(request):
            return await _nothing(request)
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=_HEADERS)

    async def _stream(self) -> AsyncGenerator[bytes, None]:
        at, talk = 0, self._talk
        while True:
            told = talk.told
            for event in talk.events[at:]:
                yield event
                at += 1
            if talk.over and at >= len(talk.events):
                return
            try:
                async with asyncio.timeout(_HEARTBEAT_S):
                    await told.wait()
            except TimeoutError:
                yield b":\n\n"


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_POST_BYTES:
            raise ValueError("too large")
    return body


def _json(value: object, status: int = 200, more: Mapping[str, str] | None = None) -> Response:
    headers = {**_HEADERS, **(more or {})}
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


async def _nothing(_: Request) -> Response:
    return Response("Nothing is here.\n", 404, _HEADERS, media_type="text/plain")


@asynccontextmanager
async def serving(page: Page) -> AsyncIterator[str]:
    """Serve the page on loopback while the block runs, which is given its address; raise ServeError before."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    with opened(Place(HOST, 0)) as place:
        settings = door_config(page.app(), Door(_LIMITS, frozenset()), [])
        async with answering(place, settings):
            yield page.at(place.sock.getsockname()[1])
