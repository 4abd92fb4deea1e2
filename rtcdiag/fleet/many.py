"""All targets of a run: as many at once as is good for them, each result handed over as soon as it is there."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from rtcdiag.config import HealthTarget
from rtcdiag.evidence import Allocation, Challenge, TurnStep
from rtcdiag.fleet.controls import Controls
from rtcdiag.fleet.lanes import Lane, Lanes
from rtcdiag.fleet.one import judged, now, observe
from rtcdiag.fleet.settings import Settings, Surroundings
from rtcdiag.health import HealthResult, Try, crashed, unchecked

OnResult = Callable[[HealthResult], None]
OnStart = Callable[[HealthTarget], None]
_NO_ROOM = (486, 508)
"""Allocation Quota Reached and Insufficient Capacity (RFC 8656 section 19)."""
_MISMATCH = 437
"""Allocation Mismatch (RFC 8656 section 7.2): coturn remembers a port for a while after it was given back."""
ROOM_TRIES = 12
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
        await round_.close()
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
        self._lanes = Lanes(settings.at_one_host)
        self._held: set[asyncio.Task[None]] = set()
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
        """Check a target; again with fewer beside it where the server had no room for all of ours."""
        for _ in range(ROOM_TRIES):
            async with self._lanes.at(target.server.host) as lane:
                await self._here.lateness.on_time()
                width = lane.width
                self._on_start(target)
                tried = await observe(target, self._settings, self._here, left_s=self._left_s())
                self._controls.learn(tried.evidence)
                no_room = lacked_room(tried, lane)
                if no_room:
                    lane.narrow(width)
                if self._is_over() or not (no_room or met_itself(tried)):
                    break
        return tried

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
        elif result.status == "failed" and not self._controls.known.is_set() and len(self._held) < _MOST_HELD:
            # Nobody has answered yet: whether this network or the server is silent will be known later.
            self._held.add(asyncio.create_task(self._later(target, tried)))
            return
        self._on_result(result)

    async def _later(self, target: HealthTarget, tried: Try) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self._controls.known.wait()
        self._on_result(self._judged(target, tried))

    async def interrupt(self, workers: list[asyncio.Task[None]]) -> None:
        """Let the checks give back what they hold, and return what they know."""
        self.interrupted = True
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def close(self) -> None:
        """Judge what was held back, and stop."""
        self._controls.known.set()
        await asyncio.gather(*self._held)


def met_itself(tried: Try) -> bool:
    """Whether the server took one of our ports for one that it still knows from a check before (437)."""
    steps = tried.evidence.of(TurnStep, lambda item: isinstance(item, (Challenge, Allocation)))
    refused = {step.allocation for step in steps if _error_code(step) == _MISMATCH}
    granted = {step.allocation for step in tried.evidence.of(Allocation) if step.exchange.succeeded}
    return bool(refused - granted)


def _error_code(step: TurnStep) -> int | None:
    exchange = step.exchange if isinstance(step, (Challenge, Allocation)) else None
    return exchange.answer.error_code if exchange is not None and exchange.answer is not None else None


def lacked_room(tried: Try, lane: Lane) -> bool:
    """Whether the server refused for want of room what it may grant when less of ours is there."""
    refused = tried.evidence.of(Allocation, lambda item: _error_code(item) in _NO_ROOM)
    return bool(refused) and (lane.busy > 1 or lane.rest_s == 0.0)


def _carry_on() -> None:
    """Take a cancellation as "stop here": the caller still wants what there is."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
