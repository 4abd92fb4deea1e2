"""All targets of a run: as many at once as is good for them, each result handed over as soon as it is there."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from rtcdiag.config import HealthTarget
from rtcdiag.fleet.controls import Controls
from rtcdiag.fleet.lanes import Lanes
from rtcdiag.fleet.one import judged, now, observe
from rtcdiag.fleet.room import Room
from rtcdiag.fleet.settings import Settings, Surroundings
from rtcdiag.health import HealthResult, Try, crashed, unchecked

OnResult = Callable[[HealthResult], None]
OnStart = Callable[[HealthTarget], None]
_MOST_HELD = 256
"""So many results wait at most for a control; the others are judged without."""


async def check_all(
    targets: Sequence[HealthTarget],
    settings: Settings,
    here: Surroundings,
    on_result: OnResult,
    on_start: OnStart = lambda _target: None,
) -> bool:
    """Check every target; return whether all was done, False where the task was cancelled before.

    Whatever happens there is one result for each target, and what is held on servers is given back.
    """
    round_ = _Round(settings, here, on_result, on_start)
    queue = iter(targets)
    workers = [asyncio.create_task(round_.work(queue)) for _ in range(min(settings.at_once, len(targets)))]
    try:
        await asyncio.gather(*workers)
    except asyncio.CancelledError:
        _carry_on()
        await round_.interrupt(workers)
    finally:
        round_.close()
    why = "it was interrupted" if round_.interrupted else f"the deadline of {settings.deadline_s or 0:g} s came first"
    for target in queue:
        on_result(unchecked(target, depth=settings.depth_of(target), started_at=now(), why=why))
    return not round_.interrupted


class _Round:
    """One round of checks."""

    def __init__(self, settings: Settings, here: Surroundings, on_result: OnResult, on_start: OnStart) -> None:
        self.interrupted = False
        self._settings, self._here = settings, here
        self._on_result, self._on_start = on_result, on_start
        self._controls = Controls()
        self._room = Room(Lanes(settings.at_one_host), here.lateness)
        self._held: list[tuple[HealthTarget, Try]] = []
        """Failures that wait until it is known whether this network or the server is to blame."""
        loop = asyncio.get_running_loop()
        self._end_s = None if settings.deadline_s is None else loop.time() + settings.deadline_s

    def _left_s(self) -> float | None:
        return None if self._end_s is None else self._end_s - asyncio.get_running_loop().time()

    def _is_over(self) -> bool:
        left_s = self._left_s()
        return self.interrupted or (left_s is not None and left_s <= 0)

    async def work(self, queue: Iterator[HealthTarget]) -> None:
        """Check one target after the other, while there are some and time is left."""
        while not self._is_over():
            target = next(queue, None)
            if target is None:
                return
            await self._one(target)

    async def _one(self, target: HealthTarget) -> None:
        """Check a target, and once more as often as is asked for where it fails."""
        result = tried = None
        try:
            for attempt in range(1, self._settings.retries + 2):
                if attempt > 1:
                    await asyncio.sleep(self._settings.retry_after_s)
                seen = await self._with_room(target)
                tried = replace(seen, attempts=attempt, failed_before=attempt > 1)
                result = self._judged(target, tried)
                if result.status != "failed" or self._is_over():
                    break
        finally:
            # Also where it was cancelled: there is a result for every target that was begun.
            self._deliver(target, tried, result)

    async def _with_room(self, target: HealthTarget) -> Try:
        """Check a target, as often as the room of its server asks for."""

        async def attempt() -> Try:
            self._on_start(target)
            tried = await observe(target, self._settings, self._here, left_s=self._left_s())
            if self._controls.learn(tried.evidence):
                self._release()
            return tried

        return await self._room.check(target.server.host, attempt, self._is_over)

    def _judged(self, target: HealthTarget, tried: Try) -> HealthResult:
        try:
            return judged(target, tried, self._settings, self._controls)
        except Exception as error:  # noqa: BLE001 - the other targets survive every bug of a rule
            return crashed(target, error, depth=self._settings.depth_of(target), started_at=tried.started_at)

    def _deliver(self, target: HealthTarget, tried: Try | None, result: HealthResult | None) -> None:
        if tried is None or result is None:
            result = unchecked(
                target, depth=self._settings.depth_of(target), started_at=now(), why="it was interrupted"
            )
        elif result.status == "failed" and len(self._held) < _MOST_HELD and not self._controls.settle(tried.evidence):
            self._held.append((target, tried))
            return
        self._on_result(result)

    def _release(self, *, every: bool = False) -> None:
        """Hand over what was held back, and can be judged by now."""
        held, self._held = self._held, []
        for target, tried in held:
            if every or self._controls.settle(tried.evidence):
                self._on_result(self._judged(target, tried))
            else:
                self._held.append((target, tried))

    async def interrupt(self, workers: list[asyncio.Task[None]]) -> None:
        """Let the checks give back what they hold, and return what they know."""
        self.interrupted = True
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def close(self) -> None:
        """Judge what was held back, as nobody is left to answer."""
        self._release(every=True)


def _carry_on() -> None:
    """Take a cancellation as "stop here": the caller still wants what there is."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
