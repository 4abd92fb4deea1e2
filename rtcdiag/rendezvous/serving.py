"""The rendezvous on a socket: started, swept once a second, and ended without leaving anything."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from uvicorn.server import ServerState

from rtcdiag.address import IPAddress
from rtcdiag.rendezvous.app import Rendezvous
from rtcdiag.rendezvous.door import Door, HttpConnection, door_config
from rtcdiag.rendezvous.limits import Limits
from rtcdiag.rendezvous.rooms import Rooms

_SWEEP_S = 1.0
_HANDSHAKE_S = 10.0
_BACKLOG = 2048
_END_S = 2.0
_UNREAD_BYTES = 65_536
"""In the system, for one connection; as much again waits here before a sender is held up."""


class ServeError(Exception):
    """The rendezvous cannot be served; the message says why in one line."""


class SignalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve, and where."""

    bind: IPAddress
    port: int = 0
    public_url: str | None = None
    """How people reach it, where that is not the address it is bound to: through a proxy, or by name."""
    certificate: Path | None = None
    key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    """Whose ``X-Forwarded-For`` is believed."""
    limits: Limits = Limits()


@asynccontextmanager
async def running(config: SignalConfig) -> AsyncIterator[str]:
    """Serve while the block runs, which is given the URL that people use; raise ServeError before."""
    tls = _tls(config)
    with _bound(config) as sock:
        url = config.public_url or _own_url(config, sock)
        parts, loop = urlsplit(url), asyncio.get_running_loop()
        rooms = Rooms(config.limits)
        app = Rendezvous(rooms, f"{parts.scheme}://{parts.netloc}", loop.time, config.limits.request_s).app()
        state = ServerState()
        settings = door_config(app, Door(config.limits, frozenset(config.trusted_proxies)), [*config.trusted_proxies])
        settings.load()
        sweeping = asyncio.create_task(_sweep(rooms))
        listener = await loop.create_server(
            lambda: HttpConnection(settings, state, {}, loop),
            sock=sock,
            ssl=tls,
            backlog=_BACKLOG,
            ssl_handshake_timeout=_HANDSHAKE_S if tls else None,
        )
        try:
            yield url
        finally:
            sweeping.cancel()
            listener.close()
            rooms.stop()
            await _ended(state)


async def serve(config: SignalConfig, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` is called once, with the URL that people use."""
    # Whoever sends garbage would otherwise write a line each into the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    _allow_many_files()
    async with running(config) as url:
        ready(url)
        await asyncio.Event().wait()


async def _sweep(rooms: Rooms) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        rooms.sweep(asyncio.get_running_loop().time())


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
def _bound(config: SignalConfig) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if config.bind.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bound_connections(sock)
            sock.bind((str(config.bind), config.port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no such port"
            raise ServeError(f"cannot listen on {config.bind} port {config.port}: {reason}") from None
        yield sock


def _bound_connections(sock: socket.socket) -> None:
    """Set what accepted connections inherit: how much waits for who does not read, and the end of who vanished."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 45_000)


def _own_url(config: SignalConfig, sock: socket.socket) -> str:
    host = f"[{config.bind}]" if config.bind.version == 6 else str(config.bind)
    return f"{'https' if config.certificate else 'http'}://{host}:{sock.getsockname()[1]}"


def _tls(config: SignalConfig) -> ssl.SSLContext | None:
    if config.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password to type: a key that needs one is refused instead of waited for.
        context.load_cert_chain(config.certificate, config.key, password="")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such certificate and key"
        raise ServeError(f"--tls-cert {config.certificate} cannot be used: {reason}") from None
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
