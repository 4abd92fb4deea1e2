"""A health check to text: ``render(round, options)`` yields it piece by piece, one file a format.

The results may be ten thousand and stay on disk: a format reads them as often as it needs, and keeps few.
"""

from collections.abc import Iterator
from importlib import import_module

from rtcdiag.formats.options import RenderOptions
from rtcdiag.health.result import Round

HEALTH_FORMATS: dict[str, str] = {
    "text": ".txt",
    "json": ".json",
    "jsonl": ".jsonl",
    "junit": ".xml",
    "markdown": ".md",
    "prometheus": ".prom",
    "github": "",
    "gitlab": "",
    "nagios": "",
}
"""The name of each format, which is also that of its module, and the suffix that stands for it, where one does."""


def render(name: str, found: Round, options: RenderOptions | None = None) -> Iterator[str]:
    """Yield the run in the format called ``name``; raise ValueError for a name that no format has."""
    if name not in HEALTH_FORMATS:
        raise ValueError(f"{name!r} is no format: choose one of {', '.join(HEALTH_FORMATS)}")
    pieces: Iterator[str] = import_module(f"{__name__}.{name}").render(found, options or RenderOptions())
    return pieces
