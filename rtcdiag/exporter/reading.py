"""The configuration of an exporter that runs for months: read again when told to; a wrong one is not taken."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

from rtcdiag.config import ConfigError, HealthConfig
from rtcdiag.exporter.checks import Checks
from rtcdiag.fleet import Settings, settings_for


class Reading:
    """Reads the configuration again, and remembers whether the last time worked; the first time, before, did."""

    def __init__(self, read: Callable[[], HealthConfig], settings: Settings, checks: Checks) -> None:
        """Take what reads the configuration (it raises ConfigError), and who checks what is in it."""
        self._read, self._settings, self._checks = read, settings, checks
        self.successful = True
        """Whether the last time worked."""
        self.succeeded_at_s = time.time()
        """When it last did, in UNIX seconds."""

    async def again(self) -> str:
        """Read it once more, beside the checks, and return in one line what became of it."""
        try:
            config = await asyncio.to_thread(self._read)
        except ConfigError as error:
            self.successful = False
            return f"the configuration stays as it was: {error}"
        except Exception as error:  # noqa: BLE001 - an exporter that works survives a bug of a reader
            self.successful = False
            return f"the configuration stays as it was: internal error: {type(error).__name__}"
        self._checks.take(config.targets, settings_for(self._settings, config, None))
        self.successful, self.succeeded_at_s = True, time.time()
        return f"read the configuration again: {_told(len(self._checks.targets))}"


def _told(count: int) -> str:
    return f"{count} target{'' if count == 1 else 's'}"


@contextlib.contextmanager
def told_by_signal() -> Iterator[asyncio.Event]:
    """Give an event that SIGHUP sets while the block runs; where the system has no such signal nothing sets it.

    Where it says that the terminal was closed, it ends this program as SIGTERM does.
    """
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    if not hasattr(signal, "SIGHUP"):
        yield event
        return
    told = (signal.raise_signal, signal.SIGTERM) if _hangs_on_a_terminal() else (event.set,)
    loop.add_signal_handler(signal.SIGHUP, *told)
    try:
        yield event
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _hangs_on_a_terminal() -> bool:
    """Tell whether a terminal controls this program, that was not told to outlive it (nohup)."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
