"""Connections of the rendezvous: uvicorn's, with bounds on how many, how long and how large, which it does not have.

What is overridden of uvicorn has one contract test each.
"""

import asyncio
from collections import Counter
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from rtcdiag.rendezvous.limits import Limits
from rtcdiag.rendezvous.rates import rate_key

_SLICE = 16_384
_MOST_PIPELINED = 8
_LINGER_S = 1.0


class Door:
    """Who is connected."""

    def __init__(self, limits: Limits, trusted: frozenset[str]) -> None:
        self.limits, self._trusted = limits, trusted
        self._by_address: Counter[str] = Counter()

    def enter(self, host: str) -> int | None:
        """Count a connection; return the status of the refusal where there are too many."""
        if self._by_address.total() >= self.limits.connections:
            return 503
        key = rate_key(host)
        if host not in self._trusted and self._by_address[key] >= self.limits.connections_per_address:
            return 429
        self._by_address[key] += 1
        return None

    def go(self, host: str) -> None:
        """Count it no longer."""
        key = rate_key(host)
        self._by_address[key] -= 1
        if self._by_address[key] <= 0:
            del self._by_address[key]


class DoorConfig(uvicorn.Config):
    """What uvicorn hands to each connection, with the door."""

    door: Door


class _Reading:
    """Ends a connection that does not read what it is sent."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    config: DoorConfig
    _unread: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]  # uvicorn's, to the right of this in each class below
        self._unread = self.loop.call_later(self.config.door.limits.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()  # type: ignore[misc]  # as above
        self._read()

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class HttpConnection(_Reading, HttpToolsProtocol):
    """A connection that begins with HTTP."""

    config: DoorConfig
    _host: str | None = None
    _heading = 0
    """Bytes since the request began, while its header is incomplete."""
    _slow: asyncio.TimerHandle | None = None
    _endless: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, or refuse it."""
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn means the same
        host = self.client[0] if self.client else ""
        status = self.config.door.enter(host)
        if status is not None:
            self._refuse(status)
            return
        self._host = host
        self._await_header()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no longer; also called where it has become a WebSocket."""
        self.leave()
        super().connection_lost(exc)

    def leave(self) -> None:
        """Stop the clocks, and free the place."""
        self._read()
        self._header_came()
        self._body_came()
        if self._host is not None:
            self.config.door.go(self._host)
            self._host = None

    def data_received(self, data: bytes) -> None:
        """Take it in slices, so that bounds are looked at in between."""
        for start in range(0, len(data), _SLICE):
            if self._refused or self.transport.is_closing():
                return
            part = data[start : start + _SLICE]
            if self._slow is not None:
                self._heading += len(part)
            super().data_received(part)
            if self._slow is not None and self._heading > self.config.door.limits.header_bytes:
                self._refuse(431)
            elif len(self.pipeline) > _MOST_PIPELINED:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """Start the clock of a request."""
        super().on_message_begin()
        if self._slow is None:
            self._await_header()

    def on_headers_complete(self) -> None:
        """Stop it: from here on the application has its own."""
        self._header_came()
        # Whoever was refused may go on sending a body, which is thrown away.
        self._endless = self.loop.call_later(2 * self.config.door.limits.request_s, self.transport.abort)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        self._body_came()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on, with its place."""
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        if isinstance(protocol, SocketConnection):
            protocol.http = self
            # Who does not answer the last word is not waited for as long as uvicorn would.
            protocol.close_timeout = _LINGER_S

    def _await_header(self) -> None:
        self._heading = 0
        self._slow = self.loop.call_later(self.config.door.limits.request_s, self._refuse, 408)

    def _header_came(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _body_came(self) -> None:
        if self._endless is not None:
            self._endless.cancel()
            self._endless = None

    def _refuse(self, status: int) -> None:
        self._header_came()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        again = b"retry-after: 10\r\n" if status in (429, 503) else b""
        self.transport.write(STATUS_LINE[status] + again + b"content-length: 0\r\nconnection: close\r\n\r\n")
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        # Closed at once, with bytes unread, the system would take the answer back (RST).
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.abort)


class SocketConnection(_Reading, WebSocketsSansIOProtocol):
    """A connection that has become a WebSocket."""

    config: DoorConfig
    http: HttpConnection | None = None

    async def send(self, message: Any) -> None:
        """Send; a connection that the client has closed meanwhile is one that is gone, and no error of ours."""
        await self.writable.wait()
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            # Else uvicorn would log that an upgrade which was refused was never answered.
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place that it took as HTTP."""
        self._read()
        if self.http is not None:
            self.http.leave()
            self.http = None
        super().connection_lost(exc)


def door_config(app: Any, door: Door, trusted: list[str]) -> DoorConfig:
    """Return uvicorn's settings: no log of requests, and no header that names the program."""
    limits = door.limits
    config = DoorConfig(
        app,
        http=HttpConnection,
        ws=SocketConnection,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        timeout_keep_alive=int(limits.idle_s),
        ws_max_size=32_768,
        ws_ping_interval=15.0,
        ws_ping_timeout=20.0,
        ws_per_message_deflate=False,
    )
    config.door = door
    return config
