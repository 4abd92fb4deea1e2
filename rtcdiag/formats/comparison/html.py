"""One HTML file, with the comparison embedded as JSON."""

from rtcdiag.compare import Comparison, encode
from rtcdiag.formats.comparison.tables import tables
from rtcdiag.formats.fitting import HERE, digest, fitted
from rtcdiag.formats.html import environment
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.tables import folded
from rtcdiag.formats.words import DIRECT, DIRECT_TONE


def render(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the page. It depends on nothing but the comparison."""
    data = encode(comparison)
    return fitted(lambda most: _page(comparison, most, digest(data)), data, "comparison")


def _page(comparison: Comparison, most: int, sha256: str) -> str:
    return (
        environment()
        .get_template("two.html")
        .render(
            shown=comparison,
            noun="comparison",
            question="Direct P2P of A and B",
            answer=DIRECT[comparison.verdict.direct_p2p],
            command=comparison.command,
            status=comparison.verdict.status,
            tone=DIRECT_TONE[comparison.verdict.direct_p2p],
            tables=tuple(folded(table, most) for table in tables(comparison)),
            notes=comparison.notes[:most],
            digest=sha256,
            here=HERE,
        )
    )
