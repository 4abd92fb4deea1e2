"""The page at ``/``: what can be scraped."""

from collections.abc import Mapping
from html import escape
from urllib.parse import quote

from rtcdiag.config import HealthTarget
from rtcdiag.formats.safe import clean

_MOST = 1000


def index(targets: Mapping[str, list[HealthTarget]]) -> str:
    """Return the page."""
    rows = "".join(_row(name, uris) for name, uris in list(targets.items())[:_MOST])
    more = f"<p>… and {len(targets) - _MOST} more.</p>" if len(targets) > _MOST else ""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>rtcdiag exporter</title>'
        "<h1>rtcdiag exporter</h1><p>Each link checks a STUN or TURN server now. "
        'Of the exporter itself there are <a href="/metrics">metrics</a>.</p>'
        f"<ul>{rows}</ul>{more}</html>\n"
    )


def _row(name: str, uris: list[HealthTarget]) -> str:
    link = f"/probe?target={quote(name, safe='')}"
    told = ", ".join(escape(clean(item.server.uri)) for item in uris[:10])
    debug = f'<a href="{link}&amp;debug=true">in detail</a>'
    return f'<li><a href="{link}">{escape(clean(name))}</a> ({told}; {debug})</li>'
