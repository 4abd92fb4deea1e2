"""Hostile strings, one function at a time."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.formats.safe import LIMIT, ascii_only, clean, code_span, json_text, markdown, script_json
from support.hostile import HOSTILE


@given(st.text())
def test_a_clean_string_is_one_printable_line(text: str) -> None:
    assert clean(text).isprintable()


@pytest.mark.parametrize("text", ["plain", "größe 全角", "[red]", "a|b `c` <d>"])
def test_a_string_that_prints_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x00", "\\x00"),
        ("\u009b", "\\x9b"),
        ("\u202egnp", "\\u202egnp"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_would_act_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_long_string_says_how_much_of_it_is_missing() -> None:
    assert clean("x" * (LIMIT + 7)) == "x" * LIMIT + "… (7 more characters)"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_ascii_is_ascii(text: str) -> None:
    assert ascii_only(clean(text)).isascii()


def test_signs_that_have_an_ascii_twin_get_it() -> None:
    assert ascii_only("dns → allocate …") == "dns -> allocate ..."


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("**b** _i_ `c`", "\\*\\*b\\*\\* \\_i\\_ \\`c\\`"),
        ("a | b", "a \\| b"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("3.11.2", "3.11.2"),
        ("=====", "\\====="),
        ("[x](y)", "\\[x\\](y)"),
        ("https://evil.example", "https\\://evil.example"),
        ("@team", "(at)team"),
        ("   code", "code"),
    ],
)
def test_nothing_in_prose_becomes_markup(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


@pytest.mark.parametrize(
    ("text", "span"), [("a`b", "`a'b`"), ("a|b", "`a\\|b`"), ("", ""), ("  ", ""), ("\n", "`\\n`")]
)
def test_a_code_span_cannot_be_left(text: str, span: str) -> None:
    assert code_span(text) == span


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_for_a_terminal_or_a_script_has_the_same_value(text: str) -> None:
    data = msgspec.json.encode({"a": text})

    assert msgspec.json.decode(json_text(data)) == msgspec.json.decode(script_json(data)) == {"a": text}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_json_in_a_script_element_cannot_end_it(text: str) -> None:
    embedded = script_json(msgspec.json.encode(text))

    assert not {"<", ">", "&", "\u2028", "\u2029"} & set(embedded)
