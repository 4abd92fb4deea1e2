"""The difference of two reports to text: pure functions ``render(difference, options) -> str``, one file a format."""

from importlib import import_module

from rtcdiag.diff import Difference
from rtcdiag.formats.options import RenderOptions

FORMATS = ("text", "json", "html", "markdown")


def render(name: str, difference: Difference, options: RenderOptions | None = None) -> str:
    """Return the difference in the format called ``name``; raise ValueError for a name that it does not have."""
    if name not in FORMATS:
        raise ValueError(f"{name!r} is no format of a difference: choose one of {', '.join(FORMATS)}")
    text: str = import_module(f"{__name__}.{name}").render(difference, options or RenderOptions())
    return text
