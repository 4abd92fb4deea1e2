"""How late this program itself is: what waits here for its turn must not be called slow at a server."""

import asyncio
import contextlib
from collections.abc import Iterator

_LOOK_S = 0.02
_LATE_S = 0.025
"""From this lateness on no check is begun."""
_HOLD_S = 2.0


class Meter:
    """How late this program was, in sum, while the meter ran."""

    late_ms = 0.0


class Lateness:
    """Looks at the clock again and again; make it where an event loop runs, and close it."""

    def __init__(self) -> None:
        """Begin to look."""
        self._on_time = asyncio.Event()
        self._meters: set[Meter] = set()
        self._watching = asyncio.create_task(self._watch())

    async def on_time(self) -> None:
        """Wait until this program is on time; for a while only, or a slow computer would never begin."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HOLD_S):
                await self._on_time.wait()

    @contextlib.contextmanager
    def meter(self) -> Iterator[Meter]:
        """Measure while the block runs."""
        meter = Meter()
        self._meters.add(meter)
        try:
            yield meter
        finally:
            self._meters.discard(meter)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            await asyncio.sleep(_LOOK_S)
            late_s = loop.time() - began_s - _LOOK_S
            for meter in self._meters:
                meter.late_ms += late_s * 1000
            if late_s > _LATE_S:
                self._on_time.clear()
            else:
                self._on_time.set()

    def close(self) -> None:
        """Stop looking."""
        self._watching.cancel()
