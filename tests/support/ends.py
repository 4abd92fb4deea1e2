"""Two ends of a session on computers of a test's own network, each begun when the test wants it."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.coturn import Coturn
from support.netns import Namespace
from support.process import PATIENCE
from support.sessions import END, Seen, seen

USER, PASSWORD = "alice", "wonderland"


class Ends:
    """Side a offers, side b answers; what they tell each other are files in a directory."""

    def __init__(self, directory: Path, server: Coturn, **settings: str) -> None:
        self.directory = directory
        self._common = {
            "RTCDIAG_USERNAME": USER,
            "RTCDIAG_PASSWORD": PASSWORD,
            "RTCDIAG_LAB_STUN": server.uri("stun"),
            "RTCDIAG_LAB_TURN": server.uri("turn"),
            **settings,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @contextlib.contextmanager
    def begun(self, side: str, where: Namespace, settings: Mapping[str, str] | None = None) -> Iterator[None]:
        """Begin one end in a namespace; it is ended with the block."""
        env = {**self._common, **(settings or {}), "RTCDIAG_LAB_SIDE": side}
        with where.running(
            [sys.executable, END, self.directory], log=self.directory / f"{side}.log", env=env
        ) as process:
            self._processes[side] = process
            yield

    def told(self, side: str) -> str:
        """Return what an end has said so far."""
        return (self.directory / f"{side}.log").read_text(errors="replace")

    def messages(self, side: str) -> list[str]:
        """Return what an end has told the other so far."""
        names = sorted(self.directory.glob(f"{side}-*"), key=lambda path: int(path.name.partition("-")[2]))
        return [path.read_text() for path in names]

    def wait_for(self, side: str, words: str, *, within_s: float = 10.0) -> None:
        """Wait until an end has said, or told the other, what contains these words."""
        end = time.monotonic() + PATIENCE * within_s
        while not any(words in text for text in (self.told(side), *self.messages(side))):
            assert time.monotonic() < end, self.told(side)
            assert self._processes[side].poll() is None, self.told(side)
            time.sleep(0.02)

    def seen(self, side: str, *, within_s: float = 20.0) -> Seen:
        """Wait for the end, and return what it saw."""
        assert self._processes[side].wait(PATIENCE * within_s) == 0, self.told(side)
        return seen(self.directory, side, self.told(side))
