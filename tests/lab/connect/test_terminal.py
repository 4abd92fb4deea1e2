"""Long texts are pasted into a real terminal, which is as it was before whatever happens."""

import json
import os
import pty
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.process import RTCDIAG
from support.terminal import Terminal, on_a_terminal

pytestmark = pytest.mark.lab
OFFER = json.loads((Path(__file__).parents[2] / "support" / "sdp" / "chromium-media.json").read_text())
LONG = json.dumps({**OFFER, "type": "answer"})
"""Read to its end, it is refused as an answer, and nobody is contacted."""
# A network without any way out: whatever is wrong with the program, it reaches nobody.
COMMAND = ["/usr/bin/unshare", "--net", RTCDIAG, "connect", "-"]
REFUSED = "this is an answer, and an offer is wanted"


@contextmanager
def _asking() -> Iterator[Terminal]:
    """Start a program that waits for an offer to be pasted, on a terminal that no shell repairs."""
    with on_a_terminal(*COMMAND) as terminal:
        assert "Paste the offer" in terminal.readline()
        _until(lambda: not terminal.is_cooked())
        yield terminal


def _until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


def _shown(terminal: Terminal, words: str) -> str:
    while words not in (line := terminal.readline()):
        assert line, f"the program ended without {words!r}"
    return line


@pytest.mark.parametrize("marks", [("", "\r"), ("\x1b[200~", "\x1b[201~")], ids=["plain", "bracketed"])
def test_more_than_a_line_of_the_terminal_holds_is_read_whole(marks: tuple[str, str]) -> None:
    assert len(LONG) > 6000
    with _asking() as terminal:
        terminal.write(marks[0] + LONG + marks[1])
        assert REFUSED in _shown(terminal, "rtcdiag:")


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda terminal: terminal.write("\x03"), 130),
        (lambda terminal: terminal.stop(signal.SIGINT), 130),
        (lambda terminal: terminal.stop(signal.SIGTERM), -signal.SIGTERM),
        (lambda terminal: terminal.write("\x04"), 2),
    ],
    ids=["Ctrl-C", "SIGINT", "SIGTERM", "Ctrl-D"],
)
def test_the_terminal_is_as_before_when_the_program_is_ended(end: Callable[[Terminal], None], code: int) -> None:
    with _asking() as terminal:
        keeps_it_open = os.open(Path(f"/proc/{terminal.pid}/fd/0").readlink(), os.O_RDWR | os.O_NOCTTY)
        end(terminal)
        assert terminal.wait() == code
        assert terminal.is_cooked()
        os.close(keeps_it_open)


def test_after_a_stop_the_terminal_is_read_again_as_before() -> None:
    with _asking() as terminal:
        terminal.stop(signal.SIGSTOP)
        terminal.cook()  # as a shell does
        assert terminal.is_cooked()
        terminal.stop(signal.SIGCONT)
        _until(lambda: not terminal.is_cooked())
        terminal.write(LONG + "\r")
        assert REFUSED in _shown(terminal, "rtcdiag:")


def test_what_is_pasted_behind_a_text_does_not_reach_the_shell() -> None:
    master, slave = pty.openpty()
    command = f"{shlex.join(COMMAND)} ; echo again"
    with subprocess.Popen(["sh", "-i"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as shell:
        os.write(master, f"{command}\r".encode())
        _read_until(master, "Paste the offer")
        os.write(master, f"{LONG}\recho un''wanted\r".encode())
        _read_until(master, REFUSED)
        os.write(master, b"\x04")
        assert "unwanted" not in _read_until(master, "\nagain")
        os.write(master, b"exit\r")
        shell.wait(20)
    os.close(master)
    os.close(slave)


def _read_until(master: int, words: str) -> str:
    seen = b""
    while words.encode() not in seen:
        seen += os.read(master, 65536)
    return seen.decode("utf-8", "replace")


def test_tmux_pastes_six_kilobytes(tmp_path: Path) -> None:
    text = tmp_path / "offer"
    text.write_text(LONG)
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]

    def do(*words: str) -> str:
        return subprocess.run([*tmux, *words], capture_output=True, text=True, timeout=20, check=True).stdout

    line = f"{shlex.join(COMMAND)}; echo exit $?; cat"
    do("new-session", "-d", "-x", "200", "-y", "50", line)
    try:
        _until(lambda: "Paste the offer" in do("capture-pane", "-p"))
        do("load-buffer", str(text))
        do("paste-buffer", "-p")
        _until(lambda: REFUSED in do("capture-pane", "-p"))
        do("send-keys", "C-c")
        _until(lambda: "exit 130" in do("capture-pane", "-p"))
    finally:
        do("kill-server")
