"""The report inside its page: as plain JSON, or compressed where the page would be too long with it."""

import base64
import binascii
import gzip
import re
import zlib

import msgspec

from rtcdiag.formats.safe import script_json
from rtcdiag.report import ReportError

MAX_BYTES = 64 << 20
"""How long the JSON of a page may be; a page of some kilobytes can hold gigabytes of one character."""
# That the tag ends at all is asked first: else each of a million attributes would be tried up to the end of the page.
_SCRIPT = re.compile(
    r"<script\b(?=[^<>]*>)[^<>]*\bid=[\"']?rtcdiag-(?:report|comparison|difference)\b[^<>]*>", re.IGNORECASE
)
_END = re.compile(r"</script\s*>", re.IGNORECASE)


class Embedded(msgspec.Struct, frozen=True):
    """What stands in a page's script element."""

    media_type: str
    text: str


def plain(data: bytes) -> Embedded:
    """Return JSON as everybody can read it."""
    return Embedded("application/json", script_json(data).strip())


def packed(data: bytes) -> Embedded:
    """Return JSON as gzip (RFC 1952) in base64: what ``base64 -d | gunzip`` reads."""
    inner = gzip.compress(plain(data).text.encode(), mtime=0)
    return Embedded("application/gzip", base64.encodebytes(inner).decode().strip())


def extract_json(html: str) -> bytes:
    """Return the JSON that a page embeds; raise ReportError for a page that has none or is cut off."""
    start = _SCRIPT.search(html)
    if start is None:
        raise ReportError("no report is embedded in this HTML, or it is cut off before the report")
    end = _END.search(html, start.end())
    if end is None:
        raise ReportError("this HTML is cut off inside the report that it embeds")
    data = html[start.end() : end.start()].strip().encode()
    return data if data.startswith(b"{") else _unpacked(data)


def _unpacked(data: bytes) -> bytes:
    try:
        unpacker = zlib.decompressobj(wbits=31)
        text = unpacker.decompress(base64.b64decode(b"".join(data.split()), validate=True), MAX_BYTES)
    except (binascii.Error, zlib.error):
        raise ReportError("the report that this HTML embeds is neither JSON nor gzip in base64") from None
    if not unpacker.eof:
        raise ReportError("the report that this HTML embeds is cut off, or too long")
    return text
