"""Asking without being waited for: send a few times, and stop early where nothing else of the run is left."""

import asyncio
from collections.abc import Callable
from typing import Literal

from rtcdiag.net import Net

SENDS_MS = (0.0, 100.0, 250.0)
WINDOW_MS = 400.0
LEAST_MS = 100.0
"""Silence is listened to for so long, however soon everything else has ended."""

Ends = set[asyncio.Task[Literal[True]] | asyncio.Task[None]]


async def listen(net: Net, done: asyncio.Event, send: Callable[[], None]) -> None:
    """Send now and twice more, until something is ``done``, the window ends, or nothing else of the run is left."""
    began_ms = net.now_ms()
    ends: Ends = {asyncio.create_task(done.wait()), asyncio.create_task(_left_alone(net, began_ms))}
    try:
        for at_ms in SENDS_MS:
            if await _ended(net, ends, began_ms + at_ms):
                return
            send()
        await _ended(net, ends, began_ms + WINDOW_MS)
    finally:
        for task in ends:
            task.cancel()


async def _left_alone(net: Net, began_ms: float) -> None:
    await net.others_done.wait()
    await asyncio.sleep((began_ms + LEAST_MS - net.now_ms()) / 1000)


async def _ended(net: Net, ends: Ends, at_ms: float) -> bool:
    """Wait until a time; return whether one of the ends came first."""
    ended, _ = await asyncio.wait(ends, timeout=max(0.0, at_ms - net.now_ms()) / 1000, return_when="FIRST_COMPLETED")
    return bool(ended)
