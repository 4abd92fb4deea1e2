"""A person who runs ``rtcdiag connect`` on a terminal: ``rtcdiag lab pair … -- python connect_person.py DIRECTORY``.

On side a the person offers and first pastes the own line; on side b the person first pastes half of the offer. What the
two tell each other goes through files. Prints what the terminal showed, then the exit code.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.terminal import Terminal, on_a_terminal

DIRECTORY = Path(sys.argv[1])
SIDE = os.environ["RTCDIAG_LAB_SIDE"]
COMMAND = [
    str(Path(sys.executable).with_name("rtcdiag")),
    "connect",
    "--no-control",
    "--no-gateway",
    *("--server", os.environ["RTCDIAG_LAB_STUN"], "--server", os.environ["RTCDIAG_LAB_TURN"]),
    *("--reports-dir", str(DIRECTORY / SIDE)),
    *sys.argv[2:],
]


def shown_until(terminal: Terminal, words: str) -> str:
    """Wait for a line with these words, and pass everything on that stands before."""
    while words not in (line := terminal.readline()):
        assert line, f"the program ended without {words!r}"
        sys.stdout.write(line)
    sys.stdout.write(line)
    return line.strip()


def told(name: str) -> str:
    path = DIRECTORY / name
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"nobody told {name}"
        time.sleep(0.02)
    return path.read_text()


def tell(name: str, text: str) -> None:
    fresh = DIRECTORY / f"{name}.new"
    fresh.write_text(text)
    fresh.rename(DIRECTORY / name)


def offers() -> int:
    with on_a_terminal(*COMMAND, env={"XDG_STATE_HOME": str(DIRECTORY / SIDE)}) as terminal:
        line = shown_until(terminal, "rtcdiag connect rtcd1.o.")
        tell("offer", line)
        shown_until(terminal, "Waiting")
        terminal.write(f"{line}\r")
        shown_until(terminal, "your own offer")
        terminal.write(f"\x1b[200~{told('answer')}\x1b[201~")
        return ended(terminal)


def answers() -> int:
    offer = told("offer")
    with on_a_terminal(*COMMAND, "-", env={"XDG_STATE_HOME": str(DIRECTORY / SIDE)}) as terminal:
        shown_until(terminal, "Paste the offer")
        terminal.write(f"{offer[:60]}\r")
        shown_until(terminal, "cut off")
        terminal.write("> " + offer[:50] + "\r> " + offer[50:] + "\r")
        tell("answer", shown_until(terminal, "rtcd1.a."))
        return ended(terminal)


def ended(terminal: Terminal) -> int:
    try:
        while line := terminal.readline():
            sys.stdout.write(line)
    except OSError:  # how Linux says that nobody has the terminal open any more
        pass
    return terminal.wait()


code = offers() if SIDE == "a" else answers()
sys.stdout.write(f"exit {code}\n")
