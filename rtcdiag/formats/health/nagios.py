"""A Nagios plug-in's output: one line with performance data, then a line for each server that ails."""

from collections.abc import Iterator
from itertools import islice

from rtcdiag.demands import FIGURES, Threshold
from rtcdiag.formats.health.words import WORD, label, level, told
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import ascii_only, clean
from rtcdiag.health.result import HealthResult, Round
from rtcdiag.report import Status

_WORDS: dict[Status, str] = {"healthy": "OK", "degraded": "WARNING", "broken": "CRITICAL", "inconclusive": "UNKNOWN"}
_UNITS = {"ms": "ms", "s": "s", "%": "%", "days": ""}
_MOST_LINES = 30
_LINE_CHARS = 200


def render(found: Round, options: RenderOptions) -> Iterator[str]:  # noqa: ARG001 - every format has this signature
    """Yield the lines; performance data has the worst value of each figure."""
    summary = found.summary
    worst: dict[str, float] = {}
    ailing: list[HealthResult] = []
    for result in found.results:
        _worsen(worst, result)
        if result.status not in ("ok", "skipped"):
            ailing.append(result)
            ailing.sort(key=lambda item: ("failed", "not-tested", "warning").index(item.status))
            del ailing[_MOST_LINES:]
    counted = sum(summary.counts.values())
    failed = summary.counts.get("failed", 0)
    redacted = f" ({words})" if (words := level(summary)) else ""
    head = f"TURN {_WORDS[summary.verdict.status]} - {failed}/{counted} failed{redacted}: {summary.verdict.summary}"
    performance = [f"'working'={summary.counts['ok'] + summary.counts['warning']};;;0;{counted}"]
    performance += [_perf(name, value, summary.options.thresholds) for name, value in worst.items()]
    yield f"{_line(head)} | {' '.join(performance)}\n"
    for result in islice(ailing, _MOST_LINES):
        yield _line(f"{WORD[result.status]} {label(result)}: {told(result)}") + "\n"


def _worsen(worst: dict[str, float], result: HealthResult) -> None:
    for path in result.paths:
        for name, value in path.figures.items():
            choose = min if FIGURES[name].low_is_bad else max
            worst[name] = choose(worst.get(name, value), value)


def _perf(name: str, value: float, thresholds: dict[str, object]) -> str:
    figure = FIGURES[name]
    limit = Threshold(warning=figure.warning, critical=figure.critical)
    own = thresholds.get(name)
    if isinstance(own, dict):
        limit = Threshold(**own)
    # Where little is bad, the range that is good has no end: 21: is from 21 on.
    colon = ":" if figure.low_is_bad else ""
    bounds = [f"{bound:g}{colon}" if bound is not None else "" for bound in (limit.warning, limit.critical)]
    least = "" if figure.low_is_bad else "0"
    return f"'{name}'={value:.3f}{_UNITS[figure.unit]};{bounds[0]};{bounds[1]};{least}".rstrip(";")


def _line(text: str) -> str:
    # A bar begins performance data.
    return ascii_only(clean(text, limit=_LINE_CHARS)).replace("|", "/")
