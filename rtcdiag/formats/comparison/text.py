"""Text for a terminal: the answer first and last."""

from rich.console import RenderableType
from rich.text import Text

from rtcdiag.compare import Comparison
from rtcdiag.formats.comparison.tables import changes, families, relays, sides
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.tables import Table
from rtcdiag.formats.terminal import Paper
from rtcdiag.formats.words import DIRECT, DIRECT_TONE, REACH_TONE, SIDE, redaction


def render(comparison: Comparison, options: RenderOptions) -> str:
    """Return the comparison for a terminal of ``options``."""
    paper = Paper(options)
    head = _head(paper, comparison)
    summary = paper.wrap(paper.text(comparison.verdict.summary), hanging=0, most=None if options.verbosity else 4)
    body = _tables(paper, comparison) if options.verbosity else _brief(paper, comparison)
    return paper.written([*head, *summary, Text(), *body, Text(), *head])


def _head(paper: Paper, comparison: Comparison) -> list[Text]:
    verdict = comparison.verdict
    answer = (DIRECT[verdict.direct_p2p].upper(), DIRECT_TONE[verdict.direct_p2p])
    known = f"  (confidence {verdict.confidence}, {redaction(comparison.redaction.level)})"
    return paper.wrap(paper.text("Direct P2P of A and B  ", answer, known), most=1)


def _brief(paper: Paper, comparison: Comparison) -> list[Text]:
    lines: list[Text] = []
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        nats = "; ".join(f"{family.replace('ip', 'IP')} {words}" for family, words in side.nat.items())
        lines += paper.wrap(paper.text(f"{name}  {nats or side.summary}"), most=3)
    for family, found in comparison.families.items():
        answers = (("direct", found.direct), ("relayed", found.relayed))
        parts = [part for word, answer in answers for part in (f"  {word} ", (answer, REACH_TONE[answer]))]
        lines += paper.wrap(paper.text(family.replace("ip", "IP"), *parts), most=1)
    for change in comparison.verdict.would_change_if:
        told = f"{DIRECT[change.then]} with this change {SIDE[change.side]}: {change.change}"
        lines += paper.wrap(paper.text(("Would be ", "info"), told), most=2)
    for note in comparison.notes:
        lines += paper.wrap(paper.text(("Note: ", "warn"), note), most=2)
    return lines


def _tables(paper: Paper, comparison: Comparison) -> list[RenderableType]:
    found: list[Table] = [table(comparison) for table in (sides, families, relays, changes)]
    shown = [[*paper.table(table), Text()] for table in found if table.rows]
    notes = [line for note in comparison.notes for line in paper.wrap(paper.text(("Note: ", "warn"), note))]
    return [part for table in shown for part in table][:-1] + ([Text(), *notes] if notes else [])
