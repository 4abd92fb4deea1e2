"""JSON Lines: a target a line, as soon as it is known, and the summary on the last one."""

from collections.abc import Iterator

from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import json_text
from rtcdiag.health.result import HealthResult, HealthSummary, Round, encoder


def render(found: Round, options: RenderOptions) -> Iterator[str]:  # noqa: ARG001 - every format has this signature
    """Yield the lines."""
    for result in found.results:
        yield line(result)
    yield line(found.summary)


def line(item: HealthResult | HealthSummary) -> str:
    """Return one line."""
    return json_text(encoder.encode(item)) + "\n"
