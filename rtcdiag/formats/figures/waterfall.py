"""The waterfall: every step of the run as a bar on one time axis, grouped by server."""

import msgspec

from rtcdiag.evidence import Evidence
from rtcdiag.formats.figures import percent, shorten, ticks
from rtcdiag.formats.tables.steps import Step, steps
from rtcdiag.formats.words import Tone, ms

ROW = 20
"""Height of a row, in pixels."""
_MOST = 120
_NO_BAR = ("Asked for", "Not tested", "Candidate")


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One step; ``x`` and ``width`` in percent of the axis, ``y`` in pixels."""

    y: int
    x: float
    width: float
    label: str
    words: str
    short: str
    """What stands beside the bar."""
    tone: Tone
    marks: tuple[float, ...]
    """The transmissions behind the first."""
    text_x: float
    anchor: str
    inside: bool
    """Whether the words stand on the bar, for want of room beside it."""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One server and its bars."""

    name: str
    y: int
    bars: tuple[Bar, ...]


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """The whole figure; ``height`` in pixels."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[str, float], ...]
    height: int
    left: int
    """Steps that did not fit."""


def waterfall(evidence: Evidence) -> Waterfall | None:
    """Return the figure, None where there is nothing to draw."""
    drawn = [step for step in steps(evidence) if not step.label.startswith(_NO_BAR)]
    shown = sorted(drawn, key=lambda step: step.t_ms)[:_MOST]
    if not shown:
        return None
    span = max(step.t_ms + step.duration_ms for step in shown) or 1.0
    by_lane = {step.lane: [other for other in shown if other.lane == step.lane] for step in shown}
    lanes: list[Lane] = []
    y = ROW
    for name, members in by_lane.items():
        lanes.append(
            Lane(name=name, y=y, bars=tuple(_bar(step, y + at * ROW, span) for at, step in enumerate(members, 1)))
        )
        y += (len(members) + 1) * ROW + ROW // 3
    axis = tuple((ms(value) if value else "0", place) for value, place in ticks(span))
    return Waterfall(lanes=tuple(lanes), ticks=axis, height=y, left=len(drawn) - len(shown))


def _bar(step: Step, y: int, span: float) -> Bar:
    x, width = percent(step.t_ms, span), percent(step.duration_ms, span)
    text_x, anchor = _beside(x, x + width)
    return Bar(
        y=y,
        x=x,
        width=max(width, 0.4),
        label=step.label,
        words=step.outcome,
        short=_short(step),
        tone=step.tone,
        marks=tuple(percent(sent, span) for sent in step.sent_ms[1:]),
        text_x=text_x,
        anchor=anchor,
        inside=x < 40 and x + width > 60,
    )


def _short(step: Step) -> str:
    if step.tone in ("bad", "warn"):
        return shorten(step.outcome, 30)
    return ms(step.duration_ms) if step.duration_ms else shorten(step.outcome, 30)


def _beside(left: float, right: float) -> tuple[float, str]:
    if right <= 60:
        return right + 1, "start"
    return (left - 1, "end") if left >= 40 else (99.0, "end")
