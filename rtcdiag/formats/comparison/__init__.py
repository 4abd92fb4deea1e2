"""A comparison to text: pure functions ``render(comparison, options) -> str``, one file a format."""

from importlib import import_module

from rtcdiag.compare import Comparison
from rtcdiag.formats.options import RenderOptions

FORMATS = ("text", "json", "html", "markdown")


def render(name: str, comparison: Comparison, options: RenderOptions | None = None) -> str:
    """Return the comparison in the format called ``name``; raise ValueError for a name that no format has."""
    if name not in FORMATS:
        raise ValueError(f"{name!r} is no format of a comparison: choose one of {', '.join(FORMATS)}")
    text: str = import_module(f"{__name__}.{name}").render(comparison, options or RenderOptions())
    return text
