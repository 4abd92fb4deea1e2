"""How long a scrape may take: what Prometheus says, less what the answer needs to arrive."""

import math
import re

HEADER = "x-prometheus-scrape-timeout-seconds"
DEFAULT_S = 10.0
"""Where nobody says it: Prometheus' own default."""
MOST_S = 120.0
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def budget_s(header: str | None, offset_s: float) -> float:
    """Return the seconds that a check may take; raise ValueError for a header that is no time.

    Of a short time-out half is left, whatever the offset.
    """
    limit_s = DEFAULT_S if header is None else _seconds(header)
    return max(limit_s - offset_s, limit_s / 2)


def _seconds(text: str) -> float:
    if _NUMBER.fullmatch(text.strip()) is None:
        raise ValueError("X-Prometheus-Scrape-Timeout-Seconds is no number of seconds")
    seconds = float(text)
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError("X-Prometheus-Scrape-Timeout-Seconds has to be more than 0")
    return min(seconds, MOST_S)


def checking_s(budget: float) -> float:
    """Return after how long a check is to be cut off, so that what it holds is given back within the budget."""
    return budget - min(1.0, budget / 4)
