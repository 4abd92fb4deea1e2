"""The Date of an answer: which ones are a time, and what this clock is off by."""

import pytest

from rtcdiag.net.clock import http_time_s, offset_s

NOON = 1_795_435_200.0


@pytest.mark.parametrize(
    "date", ["Mon, 23 Nov 2026 12:00:00 GMT", "Monday, 23-Nov-26 12:00:00 GMT", "Mon, 23 Nov 2026 13:00:00 +0100"]
)
def test_a_date_is_a_time(date: str) -> None:
    assert http_time_s(date) == NOON


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "yesterday",
        "Mon, 23 Nov 2026 12:00:00",
        "Mon, 23 Nov 2026 12:00:00 -0000",
        "Mon, 99 Nov 2026 25:61:61 GMT",
        "Mon, 23 Nov 99999 12:00:00 GMT",
        "Mon, 23 Nov 9999 23:00:00 -2359",
        "1795435200",
        "\x1b[31m" * 1000,
    ],
)
def test_what_is_no_date_is_no_time(date: str | None) -> None:
    assert http_time_s(date) is None


@pytest.mark.parametrize(
    ("age", "later_s"), [("90", 90), ("0", 0), ("-5", 0), ("9" * 40, 0), ("x", 0), ("99999999", 604800)]
)
def test_the_age_that_a_cache_adds_counts_and_garbage_does_not(age: str, later_s: int) -> None:
    assert http_time_s("Mon, 23 Nov 2026 12:00:00 GMT", age) == NOON + later_s


def test_an_offset_is_positive_where_this_clock_is_ahead() -> None:
    assert offset_s(NOON + 100, NOON + 101, NOON) == 100.0
    assert offset_s(NOON - 100, NOON - 100, NOON) == -100.5
