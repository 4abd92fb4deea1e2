"""At most ten new STUN transactions in any one second to one server address (RFC 5780 section 5).

A retransmission is no new transaction. An experiment that needs many at once may have places kept free for it.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from rtcdiag.address import IPAddress

MOST = 10
WINDOW_MS = 1100.0
"""A second, and what the way to the server may take off the time between two requests."""


class Window:
    """When transactions with one address began, and how many places are kept."""

    def __init__(self) -> None:
        """Begin with all places free."""
        self.kept = 0
        self._began_ms: deque[float] = deque(maxlen=MOST)

    def wait_ms(self, now_ms: float, *, kept: bool) -> float | None:
        """Return how long until the next transaction may begin, 0 for now; None where only kept places are left."""
        while self._began_ms and now_ms - self._began_ms[0] >= WINDOW_MS:
            self._began_ms.popleft()
        room = MOST - len(self._began_ms) - (0 if kept else self.kept)
        if room > 0:
            return 0.0
        return self._began_ms[0] + WINDOW_MS - now_ms if self._began_ms else None

    def begin(self, now_ms: float, *, kept: bool) -> None:
        """Note that a transaction begins."""
        self._began_ms.append(now_ms)
        self.kept -= min(self.kept, kept)


class Pacer:
    """Lets transactions begin, for all probes of a run: first come, first served, but for kept places."""

    def __init__(self, now_ms: Callable[[], float]) -> None:
        """Take the clock of the run."""
        self._now_ms = now_ms
        self._queues: dict[IPAddress, _Queue] = {}

    def keep(self, ip: IPAddress, places: int) -> None:
        """Keep places for those who ask for ``kept`` ones."""
        self._queue(ip).window.kept = places

    def release(self, ip: IPAddress) -> None:
        """Give up what is kept."""
        queue = self._queue(ip)
        queue.window.kept = 0
        queue.changed.set()

    async def turn(self, ip: IPAddress, *, kept: bool = False) -> None:
        """Wait until one more transaction with an address may begin."""
        queue = self._queue(ip)
        async with queue.kept if kept else queue.free:
            while (wait_ms := queue.window.wait_ms(self._now_ms(), kept=kept)) != 0.0:
                await queue.sleep(wait_ms)
            queue.window.begin(self._now_ms(), kept=kept)

    def _queue(self, ip: IPAddress) -> "_Queue":
        return self._queues.setdefault(ip, _Queue())


class _Queue:
    """Those who wait for one address."""

    def __init__(self) -> None:
        self.window = Window()
        self.kept, self.free = asyncio.Lock(), asyncio.Lock()
        self.changed = asyncio.Event()

    async def sleep(self, wait_ms: float | None) -> None:
        """Sleep so long, or until there may be room before."""
        self.changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if wait_ms is None else wait_ms / 1000):
                await self.changed.wait()
