"""How long a scrape may take."""

import pytest

from rtcdiag.exporter.budget import DEFAULT_S, MOST_S, budget_s, checking_s


@pytest.mark.parametrize(
    ("header", "offset_s", "seconds"),
    [("10", 0.5, 9.5), ("15.000000", 0.5, 14.5), (" 3 ", 1, 2), (None, 0.5, DEFAULT_S - 0.5), ("999999", 0, MOST_S)],
)
def test_a_scrape_has_the_time_out_less_the_offset(header: str | None, offset_s: float, seconds: float) -> None:
    assert budget_s(header, offset_s) == seconds


@pytest.mark.parametrize("offset_s", [0.5, 10.0])
def test_of_a_short_time_out_half_is_left(offset_s: float) -> None:
    assert budget_s("0.8", offset_s) == pytest.approx(0.4)


@pytest.mark.parametrize("header", ["", "soon", "-1", "0", "0.0", "nan", "inf", "1e3", "٣", "1" * 10, "1,5"])
def test_a_header_that_is_no_time_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="X-Prometheus-Scrape-Timeout-Seconds"):
        budget_s(header, 0.5)


@pytest.mark.parametrize("budget", [0.05, 0.4, 2.0, 9.5, 119.5])
def test_a_check_ends_before_the_scrape_so_that_it_can_give_back_what_it_holds(budget: float) -> None:
    assert budget / 2 < checking_s(budget) < budget
    assert budget - checking_s(budget) <= 1
