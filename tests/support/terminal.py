"""A program on a terminal of its own, as a person would run it; Linux only."""

import contextlib
import os
import pty
import signal
import termios
from collections.abc import Iterator, Mapping
from typing import TextIO

_COOKED = termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN


class Terminal:
    """What the person sees and types."""

    def __init__(self, pid: int, file: TextIO) -> None:
        self.pid = pid
        self._file = file
        self._ended: int | None = None

    def readline(self) -> str:
        """Return the next line that the program prints, with what was typed into it."""
        return self._file.readline()

    def write(self, text: str) -> None:
        """Type these characters; Ctrl-C is the third one of ASCII."""
        os.write(self._file.fileno(), text.encode())

    def is_cooked(self) -> bool:
        """Tell whether the terminal hands over lines and shows what is typed, as a shell expects it."""
        return bool(termios.tcgetattr(self._file.fileno())[3] & _COOKED == _COOKED)

    def cook(self) -> None:
        """Make it so."""
        attributes = termios.tcgetattr(self._file.fileno())
        attributes[3] |= _COOKED
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, attributes)

    def stop(self, number: int) -> None:
        """Send the program a signal."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Return the program's exit code, or less than 0 for a signal, once it has ended."""
        if self._ended is None:
            self._ended = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._ended


@contextlib.contextmanager
def on_a_terminal(*command: str, env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run a program on a terminal while the block runs; it is killed if it still runs then."""
    pid, file = pty.fork()
    if pid == 0:
        os.execve(command[0], command, {**os.environ, **(env or {})})  # noqa: S606 - no shell in between
    with open(file, encoding="utf-8", buffering=1, newline="\n") as text:  # noqa: PTH123 - an open descriptor
        terminal = Terminal(pid, text)
        try:
            yield terminal
        finally:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                terminal.wait()
