"""Markdown for a ticket."""

from rtcdiag.diff import Difference
from rtcdiag.formats.difference.tables import tables
from rtcdiag.formats.markdown import table_lines
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import code_span, markdown
from rtcdiag.formats.words import redaction


def render(difference: Difference, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the difference as Markdown."""
    blocks = [
        f"## Compared with before: {difference.change.upper()}",
        markdown(difference.verdict.summary),
        f"*{difference.verdict.status}; {redaction(difference.redaction.level)}*",
        *(table_lines(table) for table in tables(difference)),
        *(f"Note: {markdown(note)}." for note in difference.notes),
        _footer(difference),
    ]
    return "\n\n".join(blocks) + "\n"


def _footer(difference: Difference) -> str:
    tool, a, b = difference.tool, difference.a, difference.b
    return (
        f"{markdown(tool.name)} {code_span(tool.version)}, {code_span(difference.started_at)}, "
        f"reports {code_span(a.report)} and {code_span(b.report)}."
    )
