"""Controls beside a transport that fails: when they start, and when what they saw is kept."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rtcdiag.evidence import Failure, Observation, Skipped
from rtcdiag.net import Net
from rtcdiag.options import RunOptions
from rtcdiag.probes.cross_check import checked_beside
from rtcdiag.probes.job import Record

SEEN = Skipped(t_ms=0.0, what="a control", why="it saw this")
TELLING = frozenset({Failure.TIMEOUT})


def kept(
    main: Callable[[asyncio.Event], Awaitable[str | Failure]], *, head_start_ms: float = 60_000.0
) -> tuple[str | Failure, list[Observation]]:
    """Run a check that records at once beside ``main``, which gets the event of its start."""

    async def whole() -> tuple[str | Failure, list[Observation]]:
        found, started = list[Observation](), asyncio.Event()

        async def check(record: Record) -> None:
            record(SEEN)
            started.set()
            await asyncio.sleep(0)

        net = Net(RunOptions(timeout_ms=2 * head_start_ms))
        return await checked_beside(main(started), check, TELLING, net, found.append), found

    return asyncio.run(asyncio.wait_for(whole(), 10))


async def fails(_started: asyncio.Event) -> str | Failure:
    return Failure.TIMEOUT


async def fails_otherwise(_started: asyncio.Event) -> str | Failure:
    return Failure.TLS_CERTIFICATE_EXPIRED


async def succeeds(_started: asyncio.Event) -> str | Failure:
    return "stream"


async def succeeds_late(started: asyncio.Event) -> str | Failure:
    await started.wait()
    return "stream"


async def fails_otherwise_late(started: asyncio.Event) -> str | Failure:
    await started.wait()
    return Failure.TLS_CERTIFICATE_EXPIRED


async def fails_late(started: asyncio.Event) -> str | Failure:
    await started.wait()
    return Failure.TIMEOUT


def test_a_failure_starts_the_check_without_waiting_for_its_head_start() -> None:
    assert kept(fails) == (Failure.TIMEOUT, [SEEN])


def test_silence_starts_the_check_before_the_failure() -> None:
    assert kept(fails_late, head_start_ms=0.0) == (Failure.TIMEOUT, [SEEN])


@pytest.mark.parametrize("main", [fails_otherwise, fails_otherwise_late])
def test_a_failure_that_the_check_does_not_explain_keeps_nothing_of_it(
    main: Callable[[asyncio.Event], Awaitable[str | Failure]],
) -> None:
    assert kept(main, head_start_ms=0.0) == (Failure.TLS_CERTIFICATE_EXPIRED, [])


@pytest.mark.parametrize("main", [succeeds, succeeds_late])
def test_success_forgets_the_check(main: Callable[[asyncio.Event], Awaitable[str | Failure]]) -> None:
    assert kept(main, head_start_ms=0.0) == ("stream", [])


def test_what_a_check_saw_until_the_run_was_cut_off_is_kept() -> None:
    async def whole() -> list[Observation]:
        found, started = list[Observation](), asyncio.Event()

        async def check(record: Record) -> None:
            started.set()
            try:
                await asyncio.sleep(60)
            finally:
                record(SEEN)

        async def silent() -> str | Failure:
            await asyncio.sleep(60)
            return "never"

        net = Net(RunOptions(timeout_ms=0.0))
        task = asyncio.create_task(checked_beside(silent(), check, TELLING, net, found.append))
        await started.wait()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        return found

    assert asyncio.run(asyncio.wait_for(whole(), 10)) == [SEEN]


def test_a_bug_in_a_check_is_not_swallowed() -> None:
    async def whole() -> None:
        async def check(_record: Record) -> None:
            raise ZeroDivisionError

        await checked_beside(fails(asyncio.Event()), check, TELLING, Net(RunOptions()), lambda _: None)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(whole())
