"""The rendezvous on a socket: started, swept once a second, and ended without leaving anything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from rtcdiag.address import IPAddress
from rtcdiag.rendezvous.app import Rendezvous
from rtcdiag.rendezvous.door import Door, door_config
from rtcdiag.rendezvous.limits import Limits
from rtcdiag.rendezvous.listener import Place, answering, be_a_server, opened
from rtcdiag.rendezvous.rooms import Rooms

_SWEEP_S = 1.0


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
    with opened(Place(config.bind, config.port, config.certificate, config.key)) as place:
        url = config.public_url or place.url
        parts, loop = urlsplit(url), asyncio.get_running_loop()
        rooms = Rooms(config.limits)
        app = Rendezvous(rooms, f"{parts.scheme}://{parts.netloc}", loop.time, config.limits.request_s).app()
        settings = door_config(app, Door(config.limits, frozenset(config.trusted_proxies)), [*config.trusted_proxies])
        async with answering(place, settings):
            sweeping = asyncio.create_task(_sweep(rooms))
            try:
                yield url
            finally:
                sweeping.cancel()
                rooms.stop()


async def serve(config: SignalConfig, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` is called once, with the URL that people use."""
    be_a_server()
    async with running(config) as url:
        ready(url)
        await asyncio.Event().wait()


async def _sweep(rooms: Rooms) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        rooms.sweep(asyncio.get_running_loop().time())
