"""The experiments that go on beside a session: what this network does, and whether its relays work."""

import asyncio
import time
from itertools import chain

from msgspec.structs import replace

from rtcdiag.evidence import Evidence, Observation
from rtcdiag.net import Net
from rtcdiag.net.capture import Capture
from rtcdiag.options import RunOptions
from rtcdiag.targets import Server

PATIENCE_S = 6.0
"""How long, when the session is over, they may still take."""
QUIET_S = 2.5
"""How long a measurement waits for them."""


class Beside:
    """The experiments on this network."""

    def __init__(
        self,
        servers: tuple[Server, ...],
        options: RunOptions,
        capture: Capture | None = None,
        *,
        given: tuple[Observation, ...] = (),
    ) -> None:
        """Start the run's clock, and nothing else; ``given`` is what is known before anybody is asked."""
        self.net = Net(options, capture)
        self._servers, self._options, self._given = servers, options, given
        self._started_at_s = time.time()
        self._task: asyncio.Task[Evidence] | None = None

    def begin(self) -> None:
        """Begin, if they have not."""
        if self._task is None:
            # All probes, and all judgement: not while checks wait for the processor.
            from rtcdiag.planning import plan  # noqa: PLC0415 - see above
            from rtcdiag.run import gather  # noqa: PLC0415 - see above

            jobs = plan("connect", self._servers, self._options)
            self._task = asyncio.create_task(gather(jobs, self._options, net=self.net))

    async def quiet(self) -> None:
        """Wait until they leave the line and the processor to others, but not for long."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=QUIET_S)

    async def wait(self) -> Evidence | None:
        """Return what they saw, or what they saw until they have to end."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=PATIENCE_S)
        return await self.end()

    async def end(self) -> Evidence | None:
        """End them, and release what they hold."""
        if self._task is None:
            await self.net.close()
            return None
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
        return None if self._task.cancelled() else self._task.result()

    def with_session(self, session: tuple[Observation, ...], beside: Evidence | None) -> Evidence:
        """Return all that one end saw."""
        from rtcdiag.probes.environment import environment  # noqa: PLC0415 - see above
        from rtcdiag.run import numbered  # noqa: PLC0415 - see above

        found = numbered(chain(self._given, session, beside.observations if beside is not None else ()))
        if beside is not None:
            return replace(beside, started_at_s=self._started_at_s, observations=found)
        return Evidence(started_at_s=self._started_at_s, environment=environment(self.net), observations=found)
