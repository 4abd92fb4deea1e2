"""Text for a terminal: the answer first and last."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from rtcdiag.diff import Difference, ValueChange
from rtcdiag.formats.difference.tables import CHANGE_TONE, TONE, tables, told
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.terminal import Paper, Part
from rtcdiag.formats.words import DIRECT, ms, redaction, when

_ROOM = 14
"""Lines between the summary and the end without ``-v``."""


def render(difference: Difference, options: RenderOptions) -> str:
    """Return the difference for a terminal of ``options``."""
    paper = Paper(options)
    head = _head(paper, difference)
    summary = paper.wrap(paper.text(difference.verdict.summary), hanging=0, most=None if options.verbosity else 4)
    body = _tables(paper, difference) if options.verbosity else _brief(paper, difference)
    return paper.written([*head, *summary, Text(), *body, Text(), *head])


def _head(paper: Paper, difference: Difference) -> list[Text]:
    answer = (difference.change.upper(), CHANGE_TONE[difference.change])
    known = f"  (now {difference.verdict.status}, {redaction(difference.redaction.level)})"
    return paper.wrap(paper.text("Compared with before  ", answer, known), most=1)


def _brief(paper: Paper, difference: Difference) -> list[Text]:
    lines: list[Text] = []
    for name, side in (("A", difference.a), ("B", difference.b)):
        answer = f"{side.verdict.status}, direct P2P {DIRECT[side.verdict.direct_p2p]}"
        lines += paper.wrap(paper.text(f"{name}  {side.command} of {when(side.started_at)}: {answer}"), most=1)
    lines += [line for note in difference.notes for line in paper.wrap(paper.text(("Note: ", "warn"), note), most=2)]
    changed = [line for parts in _changes(difference) for line in paper.wrap(paper.text(*parts), most=2)]
    room = max(1, _ROOM - len(lines))
    left = paper.wrap(paper.text(("More with -v", "muted")), most=1) if len(changed) > room else []
    return [*lines, *changed[: room - len(left)], *left]


def _changes(difference: Difference) -> Iterator[list[Part]]:
    """Yield a line a change, the worse first."""
    for finding in difference.findings:
        if finding.direction != "neither":
            yield [
                (f"{finding.direction}: ", TONE[finding.direction]),
                f"{finding.change} {finding.title}  [{finding.code}]",
            ]
    values = (*difference.network, *difference.servers, *difference.candidates)
    for item in sorted(values, key=lambda item: ("worse", "better", "neither").index(item.direction)):
        yield [*_direction(item), f"{item.where}, {item.what}: {told(item, item.after)}, was {told(item, item.before)}"]
    for rtt in difference.latency:
        if rtt.beyond_noise or rtt.open:
            unsure = " (too few samples to tell)" if rtt.open else ""
            yield [
                f"round trip  {rtt.server} over {rtt.transport}: {ms(rtt.after_ms)}, was {ms(rtt.before_ms)}{unsure}"
            ]


def _direction(item: ValueChange) -> list[Part]:
    return [] if item.direction == "neither" else [(f"{item.direction}: ", TONE[item.direction])]


def _tables(paper: Paper, difference: Difference) -> list[RenderableType]:
    shown = [part for table in tables(difference) for part in (*paper.table(table), Text())]
    notes = [line for note in difference.notes for line in paper.wrap(paper.text(("Note: ", "warn"), note))]
    return [*shown[:-1], *([Text(), *notes] if notes else [])]
