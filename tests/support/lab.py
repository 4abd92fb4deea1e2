"""`rtcdiag lab` as a test starts it, and what is left of it afterwards."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from support.process import RTCDIAG, run

BEHAVIORS = {
    f"{mapping}/{filtering}": (words[mapping[:-1]], words[filtering[:-1]])
    for words in ({"ei": "endpoint-independent", "ad": "address-dependent", "apd": "address-and-port-dependent"},)
    for mapping in ("eim", "adm", "apdm")
    for filtering in ("eif", "adf", "apdf")
}
"""The nine NATs of RFC 4787 by the words of a specification: mapping and filtering."""
SERVER = "203.0.113.10"


def lab(*args: str | Path, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run a command of the lab."""
    return run([RTCDIAG, "lab", *args], timeout=timeout)


def behind(nat: str | Sequence[str], *command: str | Path, options: Sequence[str] = ()) -> str:
    """Return what a command prints behind a NAT, or behind several."""
    layers = [nat] if isinstance(nat, str) else nat
    done = lab("run", *(part for layer in layers for part in ("--nat", layer)), *options, "--", *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def asking(program: Path, *args: str) -> list[str | Path]:
    """Return the command line of a Python program of a test, with a bare interpreter."""
    return [sys.executable, "-S", program, *args]


class Traces:
    """The processes of one lab, by a mark in their environment.

    A lab's namespaces have no names and nobody outside has them open, so where no process is left, none of them is.
    """

    def __init__(self) -> None:
        self._mark = ("RTCDIAG_TEST_MARK", uuid4().hex)

    @property
    def environment(self) -> dict[str, str]:
        """Return what marks a lab that is started with it."""
        return dict([self._mark])

    def processes(self) -> list[int]:
        """Return the marked processes that run."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if self._is_marked(path)]

    def _is_marked(self, process: Path) -> bool:
        try:
            return "=".join(self._mark).encode() in process.joinpath("environ").read_bytes().split(b"\0")
        except OSError:
            return False

    def networks(self) -> set[str]:
        """Return the network namespaces in which they are or which they have open."""
        return {name for pid in self.processes() for name in _networks(pid)} - set(_networks(os.getpid()))

    def left(self, within_s: float = 5.0) -> list[int]:
        """Return what is left of the processes, after waiting until none is, or so long."""
        end = time.monotonic() + within_s
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.02)
        return left


def _networks(pid: int) -> Iterator[str]:
    for link in (Path(f"/proc/{pid}/ns/net"), *Path(f"/proc/{pid}/fd").glob("*")):
        with suppress(OSError):
            if (target := str(link.readlink())).startswith("net:"):
                yield target


def networks_of_the_kernel() -> int:
    """Return how many network namespaces the kernel keeps, roughly: some are only about to be freed."""
    lines = Path("/proc/slabinfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("net_namespace "))
