"""What may be written to the two streams, and how."""

import fcntl
import io
import os
import struct
import sys
import termios

import pytest

from rtcdiag.cli.streams import colors, emit, lasting, say, shows_unicode, silence_closed_pipe, tell


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def stream(encoding: str) -> tuple[io.TextIOWrapper, io.BytesIO]:
    raw = io.BytesIO()
    return io.TextIOWrapper(raw, encoding=encoding), raw


@pytest.mark.parametrize(
    ("environment", "on_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_color_follows_the_environment_and_then_the_terminal(
    environment: dict[str, str], on_terminal: bool, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colors(Terminal()) is on_terminal
    assert colors(io.StringIO()) is elsewhere


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", b"a \\u2192 b\\xe9"), ("latin-1", b"a \\u2192 b\xe9")])
def test_a_terminal_that_lacks_a_character_gets_its_escape(
    encoding: str, shown: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, raw = stream(encoding)
    monkeypatch.setattr(sys, "stdout", text)
    emit("a → bé")
    assert raw.getvalue() == shown


def test_a_file_format_is_utf_8_whatever_the_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text, raw = stream("ascii")
    monkeypatch.setattr(sys, "stdout", text)
    emit("é", utf8=True)
    assert raw.getvalue() == "é".encode()


def test_a_line_on_standard_error_is_one_line_and_moves_no_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    text, raw = stream("ascii")
    monkeypatch.setattr(sys, "stderr", text)
    say("a\nb\x1b[2Jc\x00 é")
    assert raw.getvalue() == b"a\\nb\\x1b[2Jc\\x00 \\xe9\n"


@pytest.mark.parametrize(
    ("columns", "shown"),
    [(20, b"Nothing comes where\nthere-is no path:\nrtcd1.o.AAAAAAAAAAAAAAAAAAAA\n"), (0, None), (80, None)],
)
def test_a_sentence_is_broken_between_words_on_a_terminal_that_tells_its_width(
    columns: int, shown: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "Nothing comes where there-is no path: rtcd1.o.AAAAAAAAAAAAAAAAAAAA"
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with open(slave, "w", encoding="utf-8") as terminal:  # noqa: PTH123 - an open descriptor
        monkeypatch.setattr(sys, "stderr", terminal)
        tell(sentence)
        seen = b""
        while not seen.endswith(b"A\r\n"):
            seen += os.read(master, 1000)
    assert seen.replace(b"\r", b"") == (shown or f"{sentence}\n".encode())
    os.close(master)


def test_a_program_without_streams_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    emit("a")
    say("b")
    tell("c")


def test_whether_the_terminal_shows_more_than_ascii_is_asked_of_its_encoding() -> None:
    assert shows_unicode(stream("utf-8")[0])
    assert not shows_unicode(stream("ascii")[0])
    assert not shows_unicode(stream("cp437")[0])
    assert not shows_unicode(None)


def test_a_closed_pipe_is_silent_and_stays_so() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", pipe)
        with silence_closed_pipe():
            emit("a")
        emit("b")  # where nobody reads any more


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(600.0, "10 minutes"), (60.0, "1 minute"), (90.0, "90 seconds"), (40.0, "40 seconds"), (1.2, "1 second")],
)
def test_a_time_is_told_in_the_unit_in_which_it_is_whole(seconds: float, words: str) -> None:
    assert lasting(seconds) == words
