"""Texts of strangers that a pattern could try from each character to the end: read once, they take no time."""

import time
from collections.abc import Callable

import pytest

from rtcdiag.config import ConfigError
from rtcdiag.config.health import read_health_config
from rtcdiag.formats.embedded import extract_json
from rtcdiag.redact.names import is_domain
from rtcdiag.redact.text import addresses_in, hosts_in, with_names, words_in
from rtcdiag.report import ReportError
from rtcdiag.signaling.sdp import looks_like_sdp

LONG = 200_000
LIMIT_S = 10.0
"""Quadratic, each takes minutes."""


def refused_configuration(text: str) -> None:
    with pytest.raises(ConfigError):
        read_health_config(text, "x", {})


def cut_off_page(text: str) -> None:
    with pytest.raises(ReportError):
        extract_json(text)


TEXTS: dict[str, tuple[Callable[[str], object], str]] = {
    "braces that are pasted": (looks_like_sdp, "{" * LONG),
    "beginnings of JSON that are pasted": (looks_like_sdp, '{"sdp}' * (LONG // 6)),
    "a table of TOML that never ends": (refused_configuration, "[" + " " * LONG),
    "a script element that never ends": (cut_off_page, "<script" + ' id="rtcdiag-report"' * (LONG // 4)),
    "stars in a report": (lambda text: list(words_in(text)), "*" * LONG),
    "stars and dots in a report": (lambda text: with_names(text, str), "a" + ".*" * LONG),
    "numbers in a report": (lambda text: list(addresses_in(text)), "1." * LONG),
    "colons in a report": (lambda text: list(addresses_in(text)), "a:" * LONG),
    "schemes in a report": (lambda text: list(hosts_in(text)), "http://turn:" * LONG),
    "labels of a name": (is_domain, "a." * LONG),
    "dashes of a name": (is_domain, "a-" * LONG),
}


@pytest.mark.parametrize(("read", "text"), TEXTS.values(), ids=TEXTS)
def test_a_long_text_of_strangers_is_read_once(read: Callable[[str], object], text: str) -> None:
    began_s = time.monotonic()
    read(text)
    assert time.monotonic() - began_s < LIMIT_S


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*.a.example, b_c-d.example.", ["*.a.example", "b_c-d.example"]),
        ("(turn:relay.example:3478)", ["turn", "relay.example", "3478"]),
        ("a..b a-.-b -a- _x_ *", ["a..b", "a-.-b", "a", "_x_"]),
    ],
)
def test_words_that_could_be_names_end_in_letters_and_digits(text: str, words: list[str]) -> None:
    assert list(words_in(text)) == words
