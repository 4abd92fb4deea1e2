"""One HTML file, with the difference embedded as JSON."""

from markupsafe import Markup

from rtcdiag.diff import Difference, encode
from rtcdiag.formats.difference.tables import CHANGE_TONE, tables
from rtcdiag.formats.html import environment
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import script_json


def render(difference: Difference, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the page. It depends on nothing but the difference."""
    return (
        environment()
        .get_template("difference.html")
        .render(
            difference=difference,
            tone=CHANGE_TONE[difference.change],
            tables=tables(difference),
            embedded=Markup(script_json(encode(difference)).strip()),  # noqa: S704 - script_json has escaped it
        )
    )
