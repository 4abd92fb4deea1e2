"""Round-trip times: whether they differ by more than they vary by themselves."""

from collections.abc import Iterator
from functools import lru_cache
from math import comb
from statistics import NormalDist, median

import msgspec

from rtcdiag.diff.servers import RowPair
from rtcdiag.diff.value import Direction

_P_SAME = 0.01
"""As often two equal networks would show samples that are at least as far apart."""
_LEAST_MS, _LEAST_SHARE = 1.0, 0.1
"""A smaller change, however sure, matters to nobody."""
_WORSE_MS, _WORSE_SHARE = 20.0, 0.5
"""From here on a call is worse for it."""
_MOST = 500
"""Samples of one side that are looked at: a run has about five."""
_EXACT = 12
"""Up to so many samples on each side the probability is counted out."""


class LatencyChange(msgspec.Struct, frozen=True, kw_only=True):
    """The round-trip time to one server over one path."""

    server: str
    transport: str
    before_ms: float
    """The median."""
    after_ms: float
    samples: tuple[int, int]
    """How many there were before and after."""
    p_same: float | None = None
    """How often samples of one and the same line would be so far apart (rank sum test); None: too few to tell."""
    beyond_noise: bool | None = None
    """None where there are too few samples to tell."""
    direction: Direction = "neither"

    @property
    def open(self) -> bool:
        """Whether it would matter, and there are too few samples to tell."""
        return self.beyond_noise is None and _matters(self.before_ms, self.after_ms)


def latency_changes(pairs: tuple[RowPair, ...]) -> Iterator[LatencyChange]:
    """Yield the round-trip times of all servers that both reports asked, changed or not."""
    for pair in pairs:
        before, after = _samples(pair.before.quality), _samples(pair.after.quality)
        if before and after:
            yield _change(pair, before, after)


def _samples(quality: object) -> tuple[float, ...]:
    found = quality.get("rtt_ms") if isinstance(quality, dict) else None
    values = found if isinstance(found, (list, tuple)) else ()
    return tuple(value for value in values[:_MOST] if isinstance(value, (int, float)) and value >= 0)


def _change(pair: RowPair, before: tuple[float, ...], after: tuple[float, ...]) -> LatencyChange:
    one, two = median(before), median(after)
    p_same = _p_same(before, after)
    beyond = None if p_same is None else p_same < _P_SAME and _matters(one, two)
    direction: Direction = "neither"
    if beyond and abs(two - one) >= max(_WORSE_MS, _WORSE_SHARE * min(one, two)):
        direction = "worse" if two > one else "better"
    return LatencyChange(
        server=pair.name,
        transport=pair.after.transport,
        before_ms=round(one, 3),
        after_ms=round(two, 3),
        samples=(len(before), len(after)),
        p_same=p_same,
        beyond_noise=beyond,
        direction=direction,
    )


def _matters(one: float, two: float) -> bool:
    return abs(two - one) >= max(_LEAST_MS, _LEAST_SHARE * one)


def _p_same(before: tuple[float, ...], after: tuple[float, ...]) -> float | None:
    """Return the two-sided probability of the Mann-Whitney rank sum test; None where no samples could tell."""
    sizes = len(before), len(after)
    if 2 / comb(sum(sizes), sizes[0]) >= _P_SAME:
        return None
    wins = sum((one < two) + 0.5 * (one == two) for one in before for two in after)
    larger = max(wins, sizes[0] * sizes[1] - wins)
    if max(sizes) > _EXACT:
        mean, spread = sizes[0] * sizes[1] / 2, (sizes[0] * sizes[1] * (sum(sizes) + 1) / 12) ** 0.5
        return min(1.0, 2 * (1 - NormalDist(mean, spread).cdf(larger - 0.5)))
    ways = _ways(*sizes)
    return min(1.0, 2 * sum(ways[int(larger) :]) / sum(ways))


@lru_cache(maxsize=(_EXACT + 1) ** 2)
def _ways(first: int, second: int) -> tuple[int, ...]:
    """Return, for each number of wins, in how many orders of the samples the second has that many."""
    if not first or not second:
        return (1,)
    # The largest of all is one of the second's, which wins against all of the first, or one of the first's.
    counts = [0] * (first * second + 1)
    for wins, number in enumerate(_ways(first, second - 1)):
        counts[wins + first] += number
    for wins, number in enumerate(_ways(first - 1, second)):
        counts[wins] += number
    return tuple(counts)
