"""The exporter on a socket: started, and ended after everything is given back."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from rtcdiag.config import HealthConfig
from rtcdiag.exporter.app import Exporter
from rtcdiag.exporter.checks import Checks
from rtcdiag.exporter.reading import Reading, told_by_signal
from rtcdiag.fleet import Settings, settings_for
from rtcdiag.rendezvous.door import Door, door_config
from rtcdiag.rendezvous.limits import Limits
from rtcdiag.rendezvous.listener import Place, answering, be_a_server, opened

OFFSET_S = 0.5
MOST_SCRAPES = 100
_MORE_CONNECTIONS = 156
"""Beside those of the scrapes: idle ones, and who looks at the page."""


class ExporterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve, and where."""

    place: Place
    health: HealthConfig
    again: Callable[[], HealthConfig]
    """Reads the configuration again; raises ConfigError."""
    say: Callable[[str, bool], None]
    """Takes one line about what became of that, and whether it worked."""
    settings: Settings
    offset_s: float = OFFSET_S
    most_scrapes: int = MOST_SCRAPES


@asynccontextmanager
async def running(config: ExporterConfig) -> AsyncIterator[tuple[str, Reading]]:
    """Serve while the block runs, which is given the URL and what reads the configuration again.

    Raise ServeError before.
    """
    with opened(config.place) as place:
        checks = Checks(config.health.targets, settings_for(config.settings, config.health, None), config.most_scrapes)
        reading = Reading(config.again, config.settings, checks)
        most = config.most_scrapes + _MORE_CONNECTIONS
        limits = Limits(connections=most, connections_per_address=most)
        settings = door_config(Exporter(checks, reading, config.offset_s).app(), Door(limits, frozenset()), [])
        async with answering(place, settings):
            try:
                yield place.url, reading
            finally:
                await checks.close()


async def serve(config: ExporterConfig, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` is called once, with the URL."""
    be_a_server()
    async with running(config) as (url, reading):
        with told_by_signal() as told:
            ready(url)
            while await told.wait():
                told.clear()
                line = await reading.again()
                config.say(line, reading.successful)
