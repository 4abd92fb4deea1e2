"""One HTML file, with the difference embedded as JSON."""

from rtcdiag.diff import Difference, encode
from rtcdiag.formats.difference.tables import CHANGE_TONE, tables
from rtcdiag.formats.fitting import HERE, digest, fitted
from rtcdiag.formats.html import environment
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.tables import folded


def render(difference: Difference, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the page. It depends on nothing but the difference."""
    data = encode(difference)
    return fitted(lambda most: _page(difference, most, digest(data)), data, "difference")


def _page(difference: Difference, most: int, sha256: str) -> str:
    return (
        environment()
        .get_template("two.html")
        .render(
            shown=difference,
            noun="difference",
            question="Compared with before",
            answer=difference.change,
            command="diff",
            status=f"now {difference.verdict.status}",
            tone=CHANGE_TONE[difference.change],
            tables=tuple(folded(table, most) for table in tables(difference)),
            notes=difference.notes[:most],
            digest=sha256,
            here=HERE,
        )
    )
