"""Markdown for a ticket."""

from rtcdiag.compare import Comparison
from rtcdiag.formats.comparison.tables import tables
from rtcdiag.formats.markdown import table_lines
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import code_span, markdown
from rtcdiag.formats.words import DIRECT, redaction


def render(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the comparison as Markdown."""
    verdict = comparison.verdict
    blocks = [
        f"## Direct P2P of A and B: {DIRECT[verdict.direct_p2p].upper()}",
        markdown(verdict.summary),
        f"*{verdict.status}; confidence {verdict.confidence}; {redaction(comparison.redaction.level)}*",
        *(table_lines(table) for table in tables(comparison)),
        *(f"Note: {markdown(note)}." for note in comparison.notes),
        _footer(comparison),
    ]
    return "\n\n".join(blocks) + "\n"


def _footer(comparison: Comparison) -> str:
    tool, a, b = comparison.tool, comparison.a, comparison.b
    return (
        f"{markdown(tool.name)} {code_span(tool.version)}, {code_span(comparison.started_at)}, "
        f"reports {code_span(a.report)} and {code_span(b.report)}, redaction {comparison.redaction.level}."
    )
