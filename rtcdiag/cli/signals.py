"""What Ctrl-C and SIGTERM do: cancel once, so that everything is released, and end the process the second time."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def cancelled_by_signals(task: asyncio.Task[Any]) -> Iterator[list[int]]:
    """Let the first signal cancel the task; its number is then in the list. For the main thread, also of Windows."""
    loop = asyncio.get_running_loop()
    caught: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        caught.append(number)
        signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(task.cancel)

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def served_until_signal(serving: Coroutine[Any, Any, None]) -> int:
    """Run a server until a signal comes; return the exit code of that signal."""
    task = asyncio.create_task(serving)
    with cancelled_by_signals(task) as caught:
        try:
            await task
        except asyncio.CancelledError:
            return 128 + caught[0]
    raise AssertionError("the server ended by itself")
