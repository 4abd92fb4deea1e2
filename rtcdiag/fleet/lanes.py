"""How many checks run at once at one host: as many as it has room for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FORGOTTEN_S = 1.2
"""After which coturn has forgotten what was given back: its timer looks once a second."""


class Lane:
    """The way to one host, which may turn out to be narrow."""

    def __init__(self, width: int) -> None:
        """Start as wide as any."""
        self.width = width
        self.busy = 0
        self.rest_s = 0.0
        self._changed = asyncio.Condition()

    async def enter(self) -> None:
        """Wait for a place."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.busy < self.width)
            self.busy += 1

    async def leave(self) -> None:
        """Give the place up, after a rest where the host needs one to forget."""
        try:
            await asyncio.sleep(self.rest_s)
        finally:
            self.busy -= 1
            async with self._changed:
                self._changed.notify()

    def narrow(self, width: int) -> None:
        """Take it that the host had no room for so many: once, whoever of them comes to know it."""
        self.rest_s = FORGOTTEN_S
        if self.width == width:
            self.width = max(1, min(width, self.busy) // 2)


class Lanes:
    """The lanes of a run."""

    def __init__(self, width: int) -> None:
        """Take how many checks may be at one host."""
        self._width = width
        self._lanes: dict[str, Lane] = {}

    def lane(self, host: str) -> Lane:
        """Return the way to a host."""
        return self._lanes.setdefault(host, Lane(self._width))

    @asynccontextmanager
    async def at(self, host: str) -> AsyncIterator[Lane]:
        """Hold a place at a host."""
        lane = self.lane(host)
        await lane.enter()
        try:
            yield lane
        finally:
            await lane.leave()
