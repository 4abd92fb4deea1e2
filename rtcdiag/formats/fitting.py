"""A page with its JSON inside, no longer than attachments and previews take."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cache

from markupsafe import Markup

from rtcdiag.formats.embedded import Embedded, packed, plain

LIMIT_BYTES = 300_000
"""How long a page is at most, as far as folding helps: attachments and previews have limits."""
FOLDS = (400, 200, 100, 60, 40, 25, 12)
"""How many rows the tables of a page have at most; the next smaller number is tried where the page is too long."""
HERE = Markup("<!--report-->")
"""Where the JSON is put into the page: no string of a report can be this, for all of them are escaped."""


def fitted(page: Callable[[int], str], data: bytes, name: str) -> str:
    """Return the page that ``page`` makes with so many rows a table, with ``data`` as the JSON called ``name`` in it.

    Where it would be too long, the embedded JSON is compressed first, and then the tables are folded.
    """
    page = cache(page)
    made = ""
    for embedded, most in _wanted(data):
        made = page(most).replace(HERE, _script(embedded, name), 1)
        if len(made.encode()) <= LIMIT_BYTES:
            break
    return made


def _wanted(data: bytes) -> Iterator[tuple[Embedded, int]]:
    """Yield what to try, the longest page first; the JSON is compressed only where it comes to that."""
    yield plain(data), FOLDS[0]
    small = packed(data)
    yield from ((small, most) for most in FOLDS)


def digest(data: bytes) -> str:
    """Return the SHA-256 of JSON as it is embedded."""
    return hashlib.sha256(plain(data).text.encode()).hexdigest()


def _script(embedded: Embedded, name: str) -> str:
    return f'<script type="{embedded.media_type}" id="rtcdiag-{name}">{embedded.text}</script>'
