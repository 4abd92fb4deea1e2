"""Redaction reaches each field by its type, and passes over those that can hold nothing to replace."""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.redact.roles import Role
from rtcdiag.redact.walk import rewritten


class Color(StrEnum):
    RED = "red"


class Inner(msgspec.Struct, frozen=True):
    word: str = "word"
    count: int = 1


class Everything(msgspec.Struct, frozen=True):
    word: str = "word"
    perhaps: str | None = "word"
    words: tuple[str, ...] = ("word",)
    by_name: dict[str, int] = msgspec.field(default_factory=lambda: {"word": 1})
    by_number: dict[int, tuple[int, str]] = msgspec.field(default_factory=lambda: {1: (1, "word")})
    mixed: int | str = "word"
    anything: Any = "word"
    inner: Inner = Inner()
    inners: tuple[Inner, ...] = (Inner(),)
    either: Color | str = "word"
    address: TransportAddress | None = TransportAddress("203.0.113.7", 1)
    fixed: Literal["word"] = "word"
    color: Color = Color.RED
    colors: tuple[Color, ...] = (Color.RED,)
    numbers: tuple[float | None, ...] = (1.5, None)
    yes: bool = True


def test_every_text_and_address_is_reached_and_what_can_only_be_a_fixed_word_or_a_number_stays() -> None:
    def text(old: str, _: Role) -> str:
        return f"new {old}"

    made = rewritten(Everything(), text, lambda old: TransportAddress("192.0.2.1", old.port))
    assert msgspec.to_builtins(made, enc_hook=str) == {
        "word": "new word",
        "perhaps": "new word",
        "words": ("new word",),
        "by_name": {"new word": 1},
        "by_number": {"new 1": (1, "new word")},
        "mixed": "new word",
        "anything": "new word",
        "inner": {"word": "new word", "count": 1},
        "inners": ({"word": "new word", "count": 1},),
        "either": "new word",
        "address": "192.0.2.1:1",
        "fixed": "word",
        "color": "red",
        "colors": ("red",),
        "numbers": (1.5, None),
        "yes": True,
    }
