"""How many checks run at once: as a whole, at one host, and by what this computer can do without being late itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FORGOTTEN_S = 1.2
"""After which coturn has forgotten what was given back: its timer looks once a second."""
_LOOK_S = 0.02
_LATE_S = 0.025
"""From this lateness on no check is begun: what is late here would be called slow at the server."""
_HOLD_S = 2.0


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
        self._on_time = asyncio.Event()
        self._watching = asyncio.create_task(self._watch())

    def lane(self, host: str) -> Lane:
        """Return the way to a host."""
        return self._lanes.setdefault(host, Lane(self._width))

    @asynccontextmanager
    async def at(self, host: str) -> AsyncIterator[Lane]:
        """Hold a place at a host, once this computer has the time for it."""
        lane = self.lane(host)
        await lane.enter()
        try:
            with contextlib.suppress(TimeoutError):
                # For a while only: a slow computer would never begin.
                async with asyncio.timeout(_HOLD_S):
                    await self._on_time.wait()
            yield lane
        finally:
            await lane.leave()

    async def _watch(self) -> None:
        """Measure how late this program is."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            await asyncio.sleep(_LOOK_S)
            if loop.time() - began_s - _LOOK_S > _LATE_S:
                self._on_time.clear()
            else:
                self._on_time.set()

    def close(self) -> None:
        """Stop measuring."""
        self._watching.cancel()
