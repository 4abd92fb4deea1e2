"""JSON: one document, its targets written as they are read."""

from collections.abc import Iterator

import msgspec

from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import json_text
from rtcdiag.health.result import Round, encoder


def render(found: Round, options: RenderOptions) -> Iterator[str]:  # noqa: ARG001 - every format has this signature
    """Yield the document, indented, with a final newline."""
    head = msgspec.json.format(encoder.encode(found.summary), indent=2).decode()
    yield json_text(head.removesuffix("\n}").encode()) + ',\n  "targets": ['
    comma = "\n"
    for result in found.results:
        piece = msgspec.json.format(encoder.encode(result), indent=2)
        yield comma + "    " + json_text(piece).replace("\n", "\n    ")
        comma = ",\n"
    yield "\n  ]\n}\n"
