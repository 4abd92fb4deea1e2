"""Checks for scrapes: targets by name, so many at once, none longer than its scrape, everything given back."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from rtcdiag.config import HealthTarget
from rtcdiag.demands import Depth
from rtcdiag.evidence import Environment
from rtcdiag.exporter.budget import checking_s
from rtcdiag.exporter.lately import Lately
from rtcdiag.fleet import Settings
from rtcdiag.fleet.lanes import Lanes
from rtcdiag.fleet.lateness import Lateness
from rtcdiag.fleet.one import judged, now, observe
from rtcdiag.fleet.room import Room
from rtcdiag.fleet.settings import Surroundings
from rtcdiag.health import HealthResult, Try, crashed, unchecked
from rtcdiag.net import Net
from rtcdiag.net.resolver import MOST_AT_ONCE, Resolver
from rtcdiag.probes.environment import environment

LOOK_S = 30.0
"""After so long this computer is looked at again: it may have got another address, or IPv6."""
_RELEASE_S = 4.0


class BusyError(Exception):
    """There are too many scrapes already, or it ends."""


class _Scrape:
    """What the checks of one scrape have in common."""

    def __init__(self, here: Surroundings, settings: Settings, end_s: float) -> None:
        self.here, self.settings, self.end_s = here, settings, end_s
        self.is_over = False
        """Whether nobody waits for them any more."""

    def left_s(self) -> float:
        return 0.0 if self.is_over else self.end_s - asyncio.get_running_loop().time()


class Checks:
    """All checks of one exporter."""

    def __init__(self, targets: Iterable[HealthTarget], settings: Settings, most_scrapes: int) -> None:
        """Call it where an event loop runs."""
        self.take(targets, settings)
        self._most_scrapes = most_scrapes
        self._places = asyncio.Semaphore(settings.at_once)
        self._lately = Lately()
        self._look_ups = asyncio.Semaphore(MOST_AT_ONCE)
        self._lanes = Lanes(settings.at_one_host)
        self._here = environment(Net(settings.options))
        self._looked_s = asyncio.get_running_loop().time()
        self._lateness: Lateness | None = None
        self._tasks: set[asyncio.Task[HealthResult]] = set()
        self._closed = False
        self.scrapes = 0
        """Scrapes under way."""

    def take(self, targets: Iterable[HealthTarget], settings: Settings) -> None:
        """Check these from now on; scrapes under way go on with those before."""
        self._targets: dict[str, list[HealthTarget]] = {}
        for target in targets:
            self._targets.setdefault(target.name, []).append(target)
        self._settings = settings

    @property
    def targets(self) -> Mapping[str, list[HealthTarget]]:
        """What can be asked for: the URIs of each name."""
        return self._targets

    @property
    def under_way(self) -> int:
        """Checks that were begun and have not given everything back yet."""
        return len(self._tasks)

    async def probe(
        self, uris: Sequence[HealthTarget], depth: Depth | None, budget_s: float
    ) -> tuple[HealthResult, ...]:
        """Check every URI of a target, one of ``targets``, in so many seconds; raise BusyError.

        A check that is not over by then goes on only to give back what it holds, and so it does when this is cancelled.
        """
        if self._closed or self.scrapes >= self._most_scrapes:
            raise BusyError
        self.scrapes += 1
        # Names are looked up anew by each scrape.
        resolver = Resolver(places=self._look_ups)
        self._lateness = self._lateness or Lateness()
        here = Surroundings(self._environment(), resolver, self._lateness)
        scrape = _Scrape(here, self._settings, asyncio.get_running_loop().time() + checking_s(budget_s))
        targets = [replace(item, depth=depth or item.depth) for item in uris]
        tasks = [self._begin(target, scrape) for target in targets]
        try:
            await asyncio.wait(tasks, timeout=budget_s)
            return tuple(_result(*pair, scrape) for pair in zip(tasks, targets, strict=True))
        finally:
            scrape.is_over = True
            self.scrapes -= 1
            for task in tasks:
                task.cancel()
            await resolver.close()

    def _begin(self, target: HealthTarget, scrape: _Scrape) -> asyncio.Task[HealthResult]:
        task = asyncio.create_task(self._check(target, scrape))
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[HealthResult]) -> None:
        self._tasks.discard(task)
        if not self._tasks and self._lateness is not None:
            # It looks fifty times a second: not while there is nothing to do. Hosts may have more room by then.
            self._lateness.close()
            self._lateness, self._lanes = None, Lanes(self._settings.at_one_host)

    async def _check(self, target: HealthTarget, scrape: _Scrape) -> HealthResult:
        loop = asyncio.get_running_loop()

        async def attempt() -> Try | None:
            left_s = scrape.left_s()
            return await observe(target, scrape.settings, scrape.here, left_s=left_s) if left_s > 0 else None

        room = Room(self._lanes, scrape.here.lateness, places=self._places)
        tried = await room.check(target.server.host, attempt)
        if tried is None:
            return _unchecked(target, scrape, "other checks took all the time of this scrape")
        self._lately.learn(target.server.host, tried.evidence, loop.time())
        try:
            return judged(target, tried, scrape.settings, self._lately.controls(loop.time()))
        except Exception as error:  # noqa: BLE001 - a bug of a rule is told as "not tested", like one of a probe
            return crashed(target, error, depth=scrape.settings.depth_of(target), started_at=tried.started_at)

    def _environment(self) -> Environment:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_s > LOOK_S:
            self._here, self._looked_s = environment(Net(self._settings.options)), now_s
        return self._here

    async def close(self) -> None:
        """Begin nothing any more, and wait until everything is given back."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_RELEASE_S)


def _unchecked(target: HealthTarget, scrape: _Scrape, why: str) -> HealthResult:
    return unchecked(target, depth=scrape.settings.depth_of(target), started_at=now(), why=why)


def _result(task: asyncio.Task[HealthResult], target: HealthTarget, scrape: _Scrape) -> HealthResult:
    if task.done() and not task.cancelled():
        return task.result()
    return _unchecked(target, scrape, "the time of this scrape was over first")
