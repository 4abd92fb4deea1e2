"""The strip plot of round-trip times: a dot a sample, a bar at the median, one axis for all servers."""

import msgspec

from rtcdiag.formats.figures import percent, ticks
from rtcdiag.formats.tables.servers import Latency, latencies
from rtcdiag.formats.words import ms
from rtcdiag.report import Report

_SAMPLES = 200


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """One server's strip; places are percent of the axis."""

    name: str
    words: str
    """The same in numbers."""
    dots: tuple[float, ...]
    median: float
    p95: float


class Strips(msgspec.Struct, frozen=True, kw_only=True):
    """All strips and their axis."""

    rows: tuple[Strip, ...]
    ticks: tuple[tuple[str, float], ...]


def strips(report: Report, most: int = 100) -> Strips | None:
    """Return the plot of at most ``most`` servers, None where nothing was measured."""
    items = latencies(report)[:most]
    if not items:
        return None
    span = max(item.samples[-1] for item in items) * 1.05 or 1.0
    return Strips(
        rows=tuple(_strip(item, span) for item in items),
        ticks=tuple((f"{value:g} ms", place) for value, place in ticks(span)),
    )


def _strip(item: Latency, span: float) -> Strip:
    lost = f", {item.loss_percent:.0f} % lost" if item.answered < item.sent else ""
    times = f"median {ms(item.median)}, 95th percentile {ms(item.p95)}"
    return Strip(
        name=item.name,
        words=f"{times}, {item.answered} of {item.sent} answered{lost}",
        dots=tuple(percent(sample, span) for sample in item.samples[:_SAMPLES]),
        median=percent(item.median, span),
        p95=percent(item.p95, span),
    )
