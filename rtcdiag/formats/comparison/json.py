"""JSON, as the schema promises."""

from rtcdiag.compare import Comparison, encode
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import json_text


def render(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the comparison as JSON."""
    return json_text(encode(comparison))
