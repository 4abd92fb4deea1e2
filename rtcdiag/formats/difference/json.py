"""JSON, as the schema promises."""

from rtcdiag.diff import Difference, encode
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import json_text


def render(difference: Difference, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the difference as JSON."""
    return json_text(encode(difference))
