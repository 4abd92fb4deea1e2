"""Standard output and standard error: what may be written there, and how, whatever stands at the other end."""

import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class OutputError(Exception):
    """A result that could not be written, although all that can be checked before had been; the message is one line."""


def emit(text: str, *, utf8: bool = False) -> None:
    """Write a result to standard output, and nothing where its reader has gone.

    ``utf8``: a file format, whose encoding is not the terminal's. Otherwise characters that the terminal's encoding
    lacks become escapes.
    """
    stream = sys.stdout
    if stream is None:  # started without one, as pythonw is
        return
    encoding = "utf-8" if utf8 else (stream.encoding or "utf-8")
    try:
        stream.flush()
        stream.buffer.write(text.encode(encoding, "backslashreplace"))
        stream.buffer.flush()
    except BrokenPipeError:
        _discard_the_rest()
    except OSError as error:
        _discard_the_rest()
        raise OutputError(f"standard output: {error.strerror}") from None


def say(text: str) -> None:
    """Write one line to standard error; a terminal's control characters in it do nothing."""
    stream = sys.stderr
    if stream is None:
        return
    line = printable(text)
    encoding = stream.encoding or "utf-8"
    try:
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
    except OSError:
        return  # nobody is left to be told


def tell(text: str) -> None:
    """Write a sentence to standard error, broken between words where it stands on a terminal: nobody copies it."""
    columns = _columns(sys.stderr)
    lines = textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False) if columns else [text]
    for line in lines:
        say(line)


def _columns(stream: TextIO | None) -> int:
    """Return how wide a terminal is; 0 for what is none, or does not tell."""
    if stream is None or not is_terminal(stream):
        return 0
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


def printable(text: str) -> str:
    """Return one line whose characters do nothing but show."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


@contextmanager
def silence_closed_pipe() -> Iterator[None]:
    """Let a reader close the pipe early (``rtcdiag … | head -1``) without a word from here or from the interpreter."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_the_rest()


def _discard_the_rest() -> None:
    """Let what is written from now on go nowhere: the interpreter flushes once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def colors(stream: TextIO) -> bool:
    """Whether to color: NO_COLOR wins over FORCE_COLOR, both over TERM=dumb and what the stream is."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits at the other end."""
    return stream is not None and not stream.closed and stream.isatty()


def shows_unicode(stream: TextIO | None) -> bool:
    """Whether the stream's encoding has the characters that the text format likes to use."""
    try:
        "…→·✓".encode((stream and stream.encoding) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def lasting(seconds: float) -> str:
    """Return a time as people say it: ``10 minutes``, ``1 minute``, ``40 seconds``."""
    number, unit = (
        (round(seconds / 60), "minute") if seconds >= 60 and seconds % 60 == 0 else (round(seconds), "second")
    )
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
