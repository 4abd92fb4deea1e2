"""An HTTP server on one socket: opened with or without TLS, bounded by its door, and ended without leaving anything."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from uvicorn.server import ServerState

from rtcdiag.address import IPAddress
from rtcdiag.rendezvous.door import DoorConfig, HttpConnection

_HANDSHAKE_S = 10.0
_BACKLOG = 2048
_END_S = 2.0
_UNREAD_BYTES = 65_536
"""In the system, for one connection; as much again waits here before a sender is held up."""


class ServeError(Exception):
    """There cannot be served; the message says why in one line."""


class Place(NamedTuple):
    """Where to listen, and with which certificate."""

    bind: IPAddress
    port: int
    certificate: Path | None = None
    key: Path | None = None


class Opened(NamedTuple):
    """A socket that is bound, and how people reach it."""

    sock: socket.socket
    tls: ssl.SSLContext | None
    url: str


@contextlib.contextmanager
def opened(place: Place) -> Iterator[Opened]:
    """Bind while the block runs; raise ServeError where that cannot be."""
    tls = _tls(place)
    with _bound(place) as sock:
        host = f"[{place.bind}]" if place.bind.version == 6 else str(place.bind)
        yield Opened(sock, tls, f"{'https' if tls else 'http'}://{host}:{sock.getsockname()[1]}")


@asynccontextmanager
async def answering(place: Opened, settings: DoorConfig) -> AsyncIterator[None]:
    """Answer while the block runs; then end every connection, in bounded time."""
    state, loop = ServerState(), asyncio.get_running_loop()
    settings.load()
    listener = await loop.create_server(
        lambda: HttpConnection(settings, state, {}, loop),
        sock=place.sock,
        ssl=place.tls,
        backlog=_BACKLOG,
        ssl_handshake_timeout=_HANDSHAKE_S if place.tls else None,
    )
    try:
        yield
    finally:
        listener.close()
        await _ended(state)


def be_a_server() -> None:
    """Prepare this process: no line in the log for each who sends garbage, and as many files as the system allows."""
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    _allow_many_files()


async def _ended(state: ServerState) -> None:
    """Let the streams say that it ends, then end what is left."""
    await asyncio.sleep(0)
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        await asyncio.wait(list(state.tasks), timeout=_END_S)
    for connection in list(state.connections):
        connection.transport.abort()
    for task in list(state.tasks):
        task.cancel()
    await asyncio.gather(*state.tasks, return_exceptions=True)
    await asyncio.sleep(0)


@contextlib.contextmanager
def _bound(place: Place) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if place.bind.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bound_connections(sock)
            sock.bind((str(place.bind), place.port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no such port"
            raise ServeError(f"cannot listen on {place.bind} port {place.port}: {reason}") from None
        yield sock


def _bound_connections(sock: socket.socket) -> None:
    """Set what accepted connections inherit: how much waits for who does not read, and the end of who vanished."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 45_000)


def _tls(place: Place) -> ssl.SSLContext | None:
    if place.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password to type: a key that needs one is refused instead of waited for.
        context.load_cert_chain(place.certificate, place.key, password="")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such certificate and key"
        raise ServeError(f"--tls-cert {place.certificate} cannot be used: {reason}") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def _allow_many_files() -> None:
    """Use as many connections as the system allows, not only as many as it begins with."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
