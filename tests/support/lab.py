"""`rtcdiag lab` as a test starts it, and what is left of it afterwards."""

import os
import re
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
    """Everything that bears the mark of one lab: processes by their environment, namespaces by who is in them."""

    def __init__(self) -> None:
        self.mark = f"RTCDIAG_TEST_MARK={uuid4().hex}"
        self._namespaces = set[str]()

    @property
    def environment(self) -> dict[str, str]:
        """Return what marks a lab that is started with it."""
        name, _, value = self.mark.partition("=")
        return {name: value}

    def processes(self) -> list[int]:
        """Return the marked processes, and remember which namespaces of their own they are in."""
        found = list(self._marked())
        for pid in found:
            self._namespaces |= _namespaces_of(pid) - _namespaces_of(os.getpid())
        return found

    def _marked(self) -> Iterator[int]:
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self.mark.encode() in path.joinpath("environ").read_bytes().split(b"\0"):
                    yield int(path.name)

    def namespaces(self) -> set[str]:
        """Return those of the remembered namespaces that some process is still in or has open."""
        return self._namespaces & {name for path in Path("/proc").glob("[0-9]*") for name in _held_by(path)}

    def left(self, within_s: float = 5.0) -> tuple[list[int], set[str]]:
        """Return what is left of processes and namespaces, after waiting until nothing is, or so long."""
        end = time.monotonic() + within_s
        while (left := (self.processes(), self.namespaces())) != ([], set()) and time.monotonic() < end:
            time.sleep(0.02)
        return left


def _namespaces_of(pid: int) -> set[str]:
    return set(_links(Path(f"/proc/{pid}/ns")))


def _held_by(process: Path) -> Iterator[str]:
    yield from _links(process / "ns")
    yield from _links(process / "fd")


def _links(directory: Path) -> Iterator[str]:
    with suppress(OSError):
        for entry in os.scandir(directory):
            with suppress(OSError):
                target = str(Path(entry.path).readlink())
                if re.fullmatch(r"(net|pid|mnt|user):\[\d+\]", target):
                    yield target
