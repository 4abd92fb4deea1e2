"""Markdown for a ticket."""

from rtcdiag.compare import Comparison
from rtcdiag.formats.comparison.tables import tables
from rtcdiag.formats.markdown import table_lines
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import code_span, markdown
from rtcdiag.formats.words import DIRECT


def render(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the comparison as Markdown."""
    verdict = comparison.verdict
    blocks = [
        f"## Direct P2P of A and B: {DIRECT[verdict.direct_p2p].upper()}",
        markdown(verdict.summary),
        *(table_lines(table) for table in tables(comparison)),
        *(f"Note: {markdown(note)}." for note in comparison.notes),
        f"{markdown(comparison.tool.name)} {code_span(comparison.tool.version)}, {code_span(comparison.started_at)}, "
        f"reports {code_span(comparison.a.report)} and {code_span(comparison.b.report)}, "
        f"redaction {comparison.redaction.level}.",
    ]
    return "\n\n".join(blocks) + "\n"
