"""What a person pastes, or a file or pipe brings: read piece by piece, however long, and cancellable.

A terminal gives lines of at most 4095 characters (Linux; macOS: 1024) unless it is told to hand over each character as
it comes. While a `Terminal` is open it is told so, and to mark what is pasted (bracketed paste); it is as it was before
once the source is closed.
"""

import asyncio
import contextlib
import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

if sys.platform != "win32":
    import signal
    import termios

MOST_BYTES = 200_000
"""A longer piece is handed over as it stands."""
QUIET_S = 0.5
"""So long nothing comes any more after a line's end: then it was all."""
REST_S = 0.05
"""So long what was pasted behind a whole code may take: it must not go to the shell."""
SLOW_S = 10.0
"""So long the end of a paste may take whose beginning was marked."""
POLL_S = 0.3
BEGIN, END = b"\x1b[200~", b"\x1b[201~"
_ON, _OFF = b"\x1b[?2004h", b"\x1b[?2004l"
_CTRL_D = b"\x04"
_ENDS = (b"\n", b"\r", b".", b"}")


class EndOfInputError(Exception):
    """Nothing more will come."""


class Over:
    """Marks in what a source gives: the end of a piece, or of everything."""

    PIECE: Final = "piece"
    ALL: Final = "all"


Chunk = bytes | str
"""Bytes, or one of the marks of `Over`."""


class Source(Protocol):
    """Where texts come from."""

    def start(self, give: Callable[[Chunk], None]) -> None:
        """Begin to give what comes, in the loop's thread."""
        ...

    def close(self) -> None:
        """Give nothing any more, and leave all as it was before."""
        ...


class Pasting:
    """Puts together what belongs together."""

    def __init__(self, source: Source, is_whole: Callable[[str], bool]) -> None:
        """Take a source, and what tells a text to which nothing more can belong."""
        self._source = source
        self._is_whole = is_whole
        self._chunks: asyncio.Queue[Chunk] = asyncio.Queue()
        self._ended = False
        source.start(self._chunks.put_nowait)

    async def read(self) -> str:
        """Return the next piece that is not blank; raise EndOfInputError after the last."""
        while not self._ended:
            text = await self._piece()
            if text.strip():
                return text
        raise EndOfInputError

    async def _piece(self) -> str:
        data = b""
        while not self._is_over(data):
            try:
                async with asyncio.timeout(self._patience_s(data)):
                    chunk = await self._chunks.get()
            except TimeoutError:
                break
            if isinstance(chunk, str):
                self._ended = chunk == Over.ALL
                break
            data += chunk
        if _CTRL_D in data:
            self._ended = not _text(data).strip()
        return _text(data)

    def _is_over(self, data: bytes) -> bool:
        if BEGIN in data:  # its end is marked too, and what stands before that must not go to the shell
            return END in data.rpartition(BEGIN)[2] or len(data) > MOST_BYTES
        return len(data) > MOST_BYTES or _CTRL_D in data

    def _patience_s(self, data: bytes) -> float | None:
        """Return how long more may be waited for; None: as long as the person needs."""
        if BEGIN in data:
            return SLOW_S
        if data.endswith(_ENDS) and self._is_whole(_text(data)):
            return REST_S
        return QUIET_S if data.endswith(_ENDS[:2]) else None

    def close(self) -> None:
        """Leave the source as it was before."""
        self._source.close()


def _text(data: bytes) -> str:
    for mark in (BEGIN, END, _CTRL_D):
        data = data.replace(mark, b"")
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


class Threaded:
    """A source that is read by a thread of its own: pipes, files and the terminals of Windows cannot be waited for.

    The thread ends with the process where it cannot be woken: closing does not wait for it.
    """

    def __init__(self, follow: Callable[["Threaded"], None]) -> None:
        """Take what gives everything that comes, until `closed` is set."""
        self._follow = follow
        self._give: Callable[[Chunk], None] | None = None
        self._loop = asyncio.get_running_loop()
        self.closed = threading.Event()

    def start(self, give: Callable[[Chunk], None]) -> None:
        """Begin to read."""
        self._give = give
        threading.Thread(target=self._run, daemon=True, name="reading").start()

    def _run(self) -> None:
        try:
            self._follow(self)
        except OSError:
            pass
        finally:
            self.give(Over.ALL)

    def give(self, chunk: Chunk) -> None:
        """Hand over, from the thread, what came."""
        if self._give is not None and not self.closed.is_set():
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._give, chunk)

    def close(self) -> None:
        """Give nothing any more."""
        self.closed.set()


def pipe(descriptor: int) -> Threaded:
    """Return what gives what comes through an open pipe or file."""
    return Threaded(lambda source: _follow_descriptor(source, descriptor))


def _follow_descriptor(source: Threaded, descriptor: int) -> None:
    while (data := os.read(descriptor, 65536)) and not source.closed.is_set():
        source.give(data)


def file(path: Path) -> Threaded:
    """Return what gives the content of a file: now if it is there, later if not, and again whenever it changes.

    A named pipe gives a piece for each who writes to it.
    """
    return Threaded(lambda source: _follow_file(source, path))


def _follow_file(source: Threaded, path: Path) -> None:
    known: tuple[int, int, int] | None = None
    while not source.closed.wait(0 if known is None else POLL_S):
        try:
            found = path.stat()
        except FileNotFoundError:
            known = (0, 0, 0)
            continue
        seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        if stat.S_ISFIFO(found.st_mode) or seen != known:
            known = seen
            _give_content(source, path)


def _give_content(source: Threaded, path: Path) -> None:
    with path.open("rb", buffering=0) as content:
        while (data := content.read(65536)) and not source.closed.is_set():
            source.give(data)
    source.give(Over.PIECE)


if sys.platform != "win32":

    class Terminal:
        """A terminal that hands over what is typed and pasted at once and does not show it."""

        def __init__(self, descriptor: int) -> None:
            """Take the terminal that this process reads from."""
            self._descriptor = descriptor
            self._loop = asyncio.get_running_loop()
            self._before: list[Any] | None = None

        def start(self, give: Callable[[Chunk], None]) -> None:
            """Change the terminal and begin to read."""
            self._before = termios.tcgetattr(self._descriptor)
            self._enter()
            self._loop.add_signal_handler(signal.SIGCONT, self._enter)  # a shell puts it back while we are stopped
            self._loop.add_reader(self._descriptor, self._read, give)

        def _enter(self) -> None:
            attributes = termios.tcgetattr(self._descriptor)
            attributes[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
            attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, attributes)
            self._write(_ON)

        def _read(self, give: Callable[[Chunk], None]) -> None:
            try:
                data = os.read(self._descriptor, 65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._loop.remove_reader(self._descriptor)
            give(data or Over.ALL)

        def _write(self, data: bytes) -> None:
            with contextlib.suppress(OSError):  # a terminal that can only be read does without marks
                os.write(self._descriptor, data)

        def close(self) -> None:
            """Put the terminal back; what was pasted and not read does not go to the shell."""
            if self._before is None:
                return
            before, self._before = self._before, None
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_signal_handler(signal.SIGCONT)
            self._write(_OFF)
            with contextlib.suppress(termios.error):  # it is gone
                termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, before)


def keyboard(descriptor: int) -> Source:
    """Return what gives what is typed and pasted into a terminal. On Windows this was not tried."""
    if sys.platform == "win32":
        return Threaded(_follow_console)
    return Terminal(descriptor)


def _follow_console(source: Threaded) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - there is none elsewhere
        import signal as signals  # noqa: PLC0415 - above, it is imported elsewhere only

        while not source.closed.is_set():
            if not msvcrt.kbhit():
                source.closed.wait(0.02)
                continue
            char = msvcrt.getwch()
            if char == "\x03":  # reading by characters takes away what Ctrl-C does
                signals.raise_signal(signals.SIGINT)
            source.give(char.encode("utf-8", "replace"))
