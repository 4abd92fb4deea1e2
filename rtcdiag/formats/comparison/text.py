"""Text for a terminal: the answer first and last."""

from rich.console import RenderableType
from rich.text import Text

from rtcdiag.compare import Comparison, Session, SideSummary
from rtcdiag.formats.comparison.session_text import sections
from rtcdiag.formats.comparison.tables import tables
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.terminal import Paper, Section, fold
from rtcdiag.formats.words import DIRECT, DIRECT_TONE, REACH_TONE, SIDE, redaction
from rtcdiag.report import Direct

LINES = 24
"""Without -v, at 80 columns."""


def render(comparison: Comparison, options: RenderOptions) -> str:
    """Return the comparison for a terminal of ``options``."""
    paper = Paper(options)
    head = _head(paper, comparison)
    summary = paper.wrap(paper.text(comparison.verdict.summary), hanging=0, most=None if options.verbosity else 4)
    if options.verbosity:
        body = _tables(paper, comparison)
    elif comparison.session is not None:
        body = _happened(paper, comparison, comparison.session, LINES - 2 * len(head) - len(summary) - 2)
    else:
        body = list(_brief(paper, comparison))
    return paper.written([*head, *summary, Text(), *body, Text(), *head])


def _head(paper: Paper, comparison: Comparison) -> list[Text]:
    verdict = comparison.verdict
    answer = (DIRECT[verdict.direct_p2p].upper(), DIRECT_TONE[verdict.direct_p2p])
    known = f"  (confidence {verdict.confidence}, {redaction(comparison.redaction.level)})"
    return paper.wrap(paper.text("Direct P2P of A and B  ", answer, known), most=1)


def _happened(paper: Paper, comparison: Comparison, session: Session, room: int) -> list[RenderableType]:
    """Return what happened, and which changes would help."""
    found = [*sections(paper, session, comparison), _changes(paper, comparison)]
    lines, left = fold(paper, [section for section in found if section.rows], room - 1)
    more = paper.wrap(paper.text((f"More with -v: {', '.join(left)}", "muted")), most=1) if left else []
    return [*lines, *more]


def _changes(paper: Paper, comparison: Comparison) -> Section:
    rows = tuple((paper.text(line),) for line in _change_lines(comparison))
    return Section(label="Would be", rows=rows, noun="change")


def _change_lines(comparison: Comparison) -> list[str]:
    """Say what would flip the answer; what either side can do, once."""
    sides: dict[tuple[Direct, str], list[str]] = {}
    for change in comparison.verdict.would_change_if:
        sides.setdefault((change.then, change.change), []).append(SIDE[change.side])
    return [
        f"{DIRECT[then].upper()} with this change {' or '.join(where)}: {what}" for (then, what), where in sides.items()
    ]


def _brief(paper: Paper, comparison: Comparison) -> list[Text]:
    lines: list[Text] = []
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        nats = "; ".join(f"{family.replace('ip', 'IP')} {words}" for family, words in side.nat.items())
        lines += paper.wrap(paper.text(f"{name}  {nats or _own_words(side)}"), most=3)
    for family, found in comparison.families.items():
        answers = (("direct", found.direct), ("relayed", found.relayed))
        parts = [part for word, answer in answers for part in (f"  {word} ", (answer, REACH_TONE[answer]))]
        lines += paper.wrap(paper.text(family.replace("ip", "IP"), *parts), most=1)
    for told in _change_lines(comparison):
        lines += paper.wrap(paper.text(("Would be ", "info"), told), most=2)
    for note in comparison.notes:
        lines += paper.wrap(paper.text(("Note: ", "warn"), note), most=2)
    return lines


def _own_words(side: SideSummary) -> str:
    """Return what a report says of its own network, so that "here" is its place and not the reader's."""
    return f"its report says: {side.summary}" if side.summary else "its report says nothing of a NAT"


def _tables(paper: Paper, comparison: Comparison) -> list[RenderableType]:
    found = tables(comparison)
    shown = [[*paper.table(table), Text()] for table in found]
    notes = [line for note in comparison.notes for line in paper.wrap(paper.text(("Note: ", "warn"), note))]
    return [part for table in shown for part in table][:-1] + ([Text(), *notes] if notes else [])
