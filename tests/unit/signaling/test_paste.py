"""What belongs together is read as one piece, whatever chunks it comes in."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from rtcdiag.signaling import paste
from rtcdiag.signaling.paste import Chunk, EndOfInputError, Over, Pasting


class Chunks:
    """A source that gives everything at once."""

    def __init__(self, *chunks: Chunk) -> None:
        self._chunks = chunks
        self.closed = False

    def start(self, give: Callable[[Chunk], None]) -> None:
        for chunk in self._chunks:
            give(chunk)

    def close(self) -> None:
        self.closed = True


def _read(*chunks: Chunk, pieces: int = 1) -> list[str]:
    async def read() -> list[str]:
        pasting = Pasting(Chunks(*chunks), lambda text: text.strip().endswith("."))
        return [await pasting.read() for _ in range(pieces)]

    return asyncio.run(asyncio.wait_for(read(), 10))


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paste, "QUIET_S", 0.001)
    monkeypatch.setattr(paste, "REST_S", 0.001)
    monkeypatch.setattr(paste, "SLOW_S", 0.001)


@pytest.mark.parametrize(
    "chunks",
    [
        [b"one two."],
        [b"one", b" two."],
        [b"one two.\n"],
        [b"o", b"n", b"e", b" ", b"t", b"w", b"o", b".", b"\n"],
        [b"\n", b"  \n", b"one two.\r"],
        [b"\x1b[200~one two.\x1b[201~"],
        [b"\x1b[20", b"0~one", b" two.", b"\x1b[2", b"01~"],
        [b"\x1b[200~one two."],
        [b"one two.\x04"],
        [b"one two.", Over.PIECE],
        [b"one two.", Over.ALL],
    ],
)
def test_a_text_comes_whole_in_whatever_chunks(chunks: Sequence[Chunk]) -> None:
    assert [text.strip() for text in _read(*chunks)] == ["one two."]


def test_what_stands_behind_a_whole_text_in_the_same_paste_is_not_left_for_the_shell() -> None:
    (text,) = _read(b"one.\n", b"rm x\n", b"rm y\n", Over.ALL)
    assert text == "one.\nrm x\nrm y\n"


def test_a_marked_paste_ends_at_its_mark_only() -> None:
    (text,) = _read(b"\x1b[200~one.\r", b"two.\r", b"three\x1b[201~")
    assert text == "one.\ntwo.\nthree"


def test_a_line_is_a_piece_when_nothing_more_comes() -> None:
    assert _read(b"hello\n") == ["hello\n"]


def test_pieces_are_told_apart() -> None:
    assert _read(b"one", Over.PIECE, b"two", Over.PIECE, pieces=2) == ["one", "two"]


def test_a_character_that_was_torn_apart_is_whole_again() -> None:
    quote = "“one.".encode()
    assert _read(quote[:1], quote[1:2], quote[2:]) == ["“one."]


@pytest.mark.parametrize("chunks", [[Over.ALL], [b"\x04"], [b" \n", Over.ALL], [b"\n\x04"]])
def test_nothing_at_all_is_the_end(chunks: Sequence[Chunk]) -> None:
    with pytest.raises(EndOfInputError):
        _read(*chunks)


def test_after_the_last_piece_comes_the_end() -> None:
    with pytest.raises(EndOfInputError):
        _read(b"one.", Over.ALL, pieces=2)


def test_a_paste_without_end_is_handed_over_in_bounded_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paste, "MOST_BYTES", 100)
    (text,) = _read(*(50 * b"x" for _ in range(10)))
    assert len(text) == 150
