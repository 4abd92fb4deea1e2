"""Report to text: pure functions ``render(report, options) -> str``, one file a format.

rich and Jinja2 are imported by the formats that need them, and a format only when it is asked for.
"""

from importlib import import_module
from os import PathLike
from pathlib import PurePath
from typing import TYPE_CHECKING

from rtcdiag.formats.options import RenderOptions

if TYPE_CHECKING:
    from rtcdiag.report import Report

__all__ = ["FORMATS", "RenderOptions", "format_of", "render"]

FORMATS: dict[str, str] = {
    "text": ".txt",
    "json": ".json",
    "html": ".html",
    "markdown": ".md",
    "firewall": ".firewall",
}
"""The name of each format, which is also that of its module, and the suffix of its files."""


def render(name: str, report: "Report", options: RenderOptions | None = None) -> str:
    """Return the report in the format called ``name``; raise ValueError for a name that no format has."""
    if name not in FORMATS:
        raise ValueError(f"{name!r} is no format: choose one of {', '.join(FORMATS)}")
    text: str = import_module(f"{__name__}.{name}").render(report, options or RenderOptions())
    return text


def format_of(path: str | PathLike[str]) -> str:
    """Return the name of the format that a file's suffix stands for; raise ValueError where it stands for none."""
    suffix = PurePath(path).suffix.lower()
    for name, own in FORMATS.items():
        if suffix == own:
            return name
    raise ValueError(f"{str(path)!r} has no suffix of a format: end it in one of {', '.join(FORMATS.values())}")
