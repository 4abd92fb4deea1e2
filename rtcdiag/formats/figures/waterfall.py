"""The waterfall: every step of the run as a bar on one time axis, grouped by server; steps of one name share a row."""

import msgspec

from rtcdiag.evidence import Evidence
from rtcdiag.formats.figures import percent, shorten, ticks
from rtcdiag.formats.tables.steps import Step, steps
from rtcdiag.formats.words import Tone, ms

_NO_BAR = ("Asked for", "Not tested", "Candidate")


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One step, in percent of the axis."""

    x: float
    width: float
    marks: tuple[float, ...]
    """The transmissions behind the first."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of one server that have a name and an outcome in common."""

    label: str
    words: str
    tone: Tone
    bars: tuple[Bar, ...]


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One server and its rows."""

    name: str
    rows: tuple[Row, ...]


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """The whole figure."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[str, float], ...]
    left: int
    """Steps that did not fit."""


_Row = tuple[str, str, Tone]
"""Lane, label and tone: what steps of one row have in common."""


def waterfall(evidence: Evidence, most: int = 120) -> Waterfall | None:
    """Return the figure with at most ``most`` rows, None where there is nothing to draw."""
    drawn = [step for step in steps(evidence) if not step.label.startswith(_NO_BAR)]
    rows: dict[_Row, list[Step]] = {}
    for step in sorted(drawn, key=lambda step: step.t_ms):
        rows.setdefault((step.lane, step.label, step.tone), []).append(step)
    shown = dict(list(rows.items())[:most])
    if not shown:
        return None
    span = max(step.t_ms + step.duration_ms for members in shown.values() for step in members) or 1.0
    return Waterfall(
        lanes=tuple(_lane(name, shown, span) for name in dict.fromkeys(lane for lane, _, _ in shown)),
        ticks=tuple((ms(value) if value else "0", place) for value, place in ticks(span)),
        left=len(drawn) - sum(map(len, shown.values())),
    )


def _lane(name: str, rows: dict[_Row, list[Step]], span: float) -> Lane:
    return Lane(
        name=name,
        rows=tuple(_row(label, tone, members, span) for (lane, label, tone), members in rows.items() if lane == name),
    )


def _row(label: str, tone: Tone, members: list[Step], span: float) -> Row:
    times = f" \u00d7 {len(members)}" if len(members) > 1 else ""
    return Row(label=label + times, words=_words(tone, members), tone=tone, bars=tuple(_bar(s, span) for s in members))


def _bar(step: Step, span: float) -> Bar:
    marks = tuple(percent(sent, span) for sent in step.sent_ms[1:])
    width = max(percent(step.duration_ms, span), 0.4)
    return Bar(x=min(percent(step.t_ms, span), 100 - width), width=width, marks=marks)


def _words(tone: Tone, members: list[Step]) -> str:
    """Return how steps ended where something was wrong, else how long they took."""
    outcomes = list(dict.fromkeys(step.outcome for step in members))
    lasted = sorted(step.duration_ms for step in members)
    if tone in ("bad", "warn") or not lasted[-1]:
        return shorten(outcomes[0], 60) + (", \u2026" if len(outcomes) > 1 else "")
    least, longest = ms(lasted[0]), ms(lasted[-1])
    return longest if least == longest else f"{least} to {longest}"
