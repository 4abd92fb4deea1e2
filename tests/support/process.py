"""Other people's programs, run for a bounded time and always ended."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

GRACE_S = 5.0
PATIENCE = 3
"""How many times the time that a test thinks enough a command may take: a bound against hangs, on any machine."""
RTCDIAG = str(Path(sys.executable).with_name("rtcdiag"))
"""The installed command of this environment."""


@contextlib.contextmanager
def stopped(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop a process, every thread of it, while the block runs: its sockets stay, and nobody reads them (Linux)."""
    process.send_signal(signal.SIGSTOP)
    end = time.monotonic() + GRACE_S
    try:
        while _still_runs(process.pid):
            assert time.monotonic() < end, "the process does not stop"
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def _still_runs(pid: int) -> bool:
    states = (
        task.joinpath("stat").read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").iterdir()
    )
    return any(state != "T" for state in states)


def run(
    command: Sequence[str | Path],
    *,
    timeout: float = 30.0,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command and return its exit code, output and errors; `env` adds to this process's environment.

    Raises `subprocess.TimeoutExpired`, with what it printed so far, after ending it and its children.
    """
    with subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(stdin, timeout=PATIENCE * timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            _wait_for_end_of(process.pid)
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _wait_for_end_of(group: int) -> None:
    """Wait until nothing of a killed process group runs any more: they are killed, but not yet gone (Linux)."""
    end = time.monotonic() + GRACE_S
    while any(_runs_in(group, process) for process in Path("/proc").glob("[0-9]*/stat")):
        assert time.monotonic() < end, "what was killed still runs"
        time.sleep(0.01)


def _runs_in(group: int, stat: Path) -> bool:
    try:
        state, _, pgrp = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
    except OSError:
        return False
    return int(pgrp) == group and state not in {"Z", "X"}


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the background, with both outputs in `log`, until the block ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(GRACE_S)
