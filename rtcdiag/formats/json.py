"""JSON: the report itself, safe to print on a terminal."""

from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import json_text
from rtcdiag.report import Report, encode


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the report as JSON, indented, with a final newline."""
    return json_text(encode(report))
