"""No server address gets more than ten new transactions a second, whoever asks."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from rtcdiag.net.pacing import MOST, WINDOW_MS, Pacer, Window

HERE, THERE = ip_address("198.51.100.1"), ip_address("198.51.100.2")


def filled(count: int, *, gap_ms: float = 1.0, kept: int = 0) -> Window:
    window = Window()
    window.kept = kept
    for number in range(count):
        window.begin(number * gap_ms, kept=False)
    return window


def test_the_eleventh_waits_until_the_first_is_a_second_old() -> None:
    window = filled(MOST)

    assert filled(MOST - 1).wait_ms(50, kept=False) == 0
    assert window.wait_ms(50, kept=False) == WINDOW_MS - 50
    assert window.wait_ms(WINDOW_MS, kept=False) == 0
    assert WINDOW_MS >= 1000


@pytest.mark.parametrize("gap_ms", [0.0, 10.0, 90.0, 150.0])
def test_in_no_second_are_there_more_than_ten(gap_ms: float) -> None:
    window, now_ms, began = Window(), 0.0, []
    for _ in range(50):
        now_ms += gap_ms + (window.wait_ms(now_ms + gap_ms, kept=False) or 0.0)
        window.begin(now_ms, kept=False)
        began.append(now_ms)

    assert all(after - before >= 1000 for before, after in zip(began, began[MOST:], strict=False))


def test_kept_places_are_for_those_who_ask_for_them() -> None:
    window = filled(MOST - 4, kept=4)

    assert window.wait_ms(20, kept=False) == WINDOW_MS - 20
    assert window.wait_ms(20, kept=True) == 0
    window.begin(20, kept=True)
    assert window.kept == 3


def test_where_only_kept_places_are_left_there_is_no_telling_how_long() -> None:
    assert filled(0, kept=MOST).wait_ms(0, kept=False) is None


def in_order(work: Callable[[Pacer, list[str]], list[asyncio.Task[None]]]) -> list[str]:
    """Return who got a turn without any time going by."""

    async def run() -> list[str]:
        pacer, told = Pacer(lambda: 0.0), list[str]()
        tasks = work(pacer, told)
        for _ in range(20):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        return told

    return asyncio.run(run())


async def _turn(pacer: Pacer, told: list[str], name: str, *, there: bool = False, kept: bool = False) -> None:
    await pacer.turn(THERE if there else HERE, kept=kept)
    told.append(name)


def test_first_come_is_first_served_and_each_address_by_itself() -> None:
    def work(pacer: Pacer, told: list[str]) -> list[asyncio.Task[None]]:
        names = [str(number) for number in range(MOST + 2)]
        here = [asyncio.create_task(_turn(pacer, told, name)) for name in names]
        return [*here, asyncio.create_task(_turn(pacer, told, "there", there=True))]

    assert in_order(work) == [*map(str, range(MOST)), "there"]


def test_places_that_are_given_up_go_to_those_who_wait() -> None:
    def work(pacer: Pacer, told: list[str]) -> list[asyncio.Task[None]]:
        pacer.keep(HERE, MOST)
        waiting = asyncio.create_task(_turn(pacer, told, "waited"))
        mine = asyncio.create_task(_turn(pacer, told, "kept", kept=True))
        mine.add_done_callback(lambda _: pacer.release(HERE))
        return [waiting, mine]

    assert in_order(work) == ["kept", "waited"]
