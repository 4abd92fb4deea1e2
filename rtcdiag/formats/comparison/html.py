"""One HTML file, with the comparison embedded as JSON."""

from markupsafe import Markup

from rtcdiag.compare import Comparison, encode
from rtcdiag.formats.comparison.tables import tables
from rtcdiag.formats.html import environment
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import script_json
from rtcdiag.formats.words import DIRECT_TONE


def render(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the page. It depends on nothing but the comparison."""
    return (
        environment()
        .get_template("comparison.html")
        .render(
            comparison=comparison,
            tone=DIRECT_TONE[comparison.verdict.direct_p2p],
            tables=tables(comparison),
            embedded=Markup(script_json(encode(comparison)).strip()),  # noqa: S704 - script_json has escaped it
        )
    )
