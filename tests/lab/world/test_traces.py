"""However a lab ends, nothing of it is left: no process, no namespace and so no interface."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.lab import Traces, networks_of_the_kernel
from support.nobody import as_nobody
from support.process import RTCDIAG, run
from support.terminal import on_a_terminal

pytestmark = pytest.mark.lab

# A program that tries to stay: in a session of its own, deaf to signals.
STAY = """
import os, signal, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
there, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(tell, b"1")
    time.sleep(60)
os.read(there, 1)
print("ready", flush=True)
time.sleep(60 if os.environ.get("WAIT") else 0)
"""
INTERNET = ["--with", "embedded", "--with", "coturn", "--name", "a.test=1.1.1.1", "--internet", "sleep 60"]
WHOLE = ["--nat", "symmetric", "--nat", "cgnat", *INTERNET, "--gateway", "sleep 60"]
PAIR = ["--a", "symmetric", "--a", "home-router", "--b", "firewall", *INTERNET]
STAYING = ["--", sys.executable, "-c", STAY]
LABS = {
    "run": ["run", *WHOLE, *STAYING],
    "pair": ["pair", *PAIR, *STAYING, "--and", "sleep", "60"],
    "pair behind one": ["pair", *PAIR, "--shared", "cgnat", *STAYING, "--and", "sleep", "60"],
}


@contextmanager
def started(traces: Traces, command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, **traces.environment, "WAIT": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def whole_lab() -> list[str]:
    return [RTCDIAG, "lab", *LABS["run"]]


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_nothing_is_left_after_the_parent_was_killed(user: str, kind: str) -> None:
    traces = Traces()
    wanted = [RTCDIAG, "lab", *LABS[kind]]
    with started(traces, wanted if user == "root" else as_nobody(wanted)) as process:
        assert len(traces.processes()) >= 10
        assert len(traces.networks()) == 4
        process.kill()
        assert process.wait(10) == -signal.SIGKILL
        assert traces.left() == []


@pytest.mark.parametrize("victim", ["keeper", "first process", "nat"])
def test_nothing_is_left_after_a_part_of_it_was_killed(victim: str) -> None:
    traces = Traces()
    with started(traces, whole_lab()) as process:
        keeper = children(process.pid)[0]
        first = children(keeper)[0]
        os.kill({"keeper": keeper, "first process": first, "nat": a_nat(first)}[victim], signal.SIGKILL)
        assert process.wait(10) in {125, 137}
        assert traces.left() == []


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def a_nat(first: int) -> int:
    return next(
        child
        for child in children(first)
        if any(str(file.readlink()) == "/dev/net/tun" for file in Path(f"/proc/{child}/fd").iterdir())
        and Path(f"/proc/{child}/cmdline").read_bytes().count(b"lab\0run")
    )


def test_nothing_is_left_after_the_command_ended_and_left_children() -> None:
    traces = Traces()
    done = run([RTCDIAG, "lab", "run", *WHOLE, "--", sys.executable, "-c", STAY], env=traces.environment)
    assert (done.stdout, done.returncode) == ("ready\n", 0)
    assert traces.left() == []


@pytest.mark.parametrize("kind", ["run", "pair"])
def test_nothing_is_left_after_ctrl_c(kind: str) -> None:
    traces = Traces()
    waiting = "import time; print('ready', flush=True); time.sleep(60)"
    options = {"run": WHOLE, "pair": [*PAIR, "--shared", "cgnat"]}[kind]
    other = ["--and", "sleep", "60"] if kind == "pair" else []
    with started(traces, [RTCDIAG, "lab", kind, *options, "--", sys.executable, "-c", waiting, *other]) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert traces.left() == []


@pytest.mark.parametrize("how", ["SIGTERM", "Ctrl-C"])
def test_a_lab_that_is_ended_while_it_is_built_does_not_start_the_command(how: str, tmp_path: Path) -> None:
    traces = Traces()
    ran = tmp_path / "ran"
    command = [RTCDIAG, "lab", "run", *WHOLE, "--", "sh", "-c", f"touch {ran}; sleep 20"]
    with on_a_terminal(*command, env=traces.environment) as terminal:
        end = time.monotonic() + 20
        while len(traces.processes()) < 4 and time.monotonic() < end:
            pass
        if how == "Ctrl-C":
            terminal.write("\x03")
        else:
            os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == {"Ctrl-C": 130, "SIGTERM": 143}[how]
    assert not ran.exists()
    assert traces.left() == []


def many(count: int, user: str) -> None:
    traces = Traces()
    command = [RTCDIAG, "lab", "run", "--nat", "symmetric", "--nat", "cgnat", "--with", "embedded", "--", "true"]
    wanted = command if user == "root" else as_nobody(command)
    for _ in range(count):
        assert run(wanted, env=traces.environment).returncode == 0
        assert traces.left() == []
    assert "to-a" not in run(["ip", "-o", "link"]).stdout


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_nothing_is_left_of_ten_labs_in_a_row(user: str) -> None:
    many(10, user)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_nothing_is_left_of_a_hundred_labs_in_a_row(user: str) -> None:
    before = networks_of_the_kernel()
    many(100, user)
    assert networks_of_the_kernel() < before + 100  # they had 300; other tests may have some now
