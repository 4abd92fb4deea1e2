"""Strings that a hostile server sends, and reports in which every free text is one of them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from rtcdiag.report import Report, ReportError, decode, encode, evidence_of
from support.reports import REPORTS

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "end of script": "</script><script>alert(1)</script>",
    "comment": "<!-- <script",
    "rich markup": "[red]not red[/red] [link=http://evil.example]x[/link] :boom:",
    "color": "\x1b[31mred\x1b[0m",
    "window title": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "C1 escape": "\u009b31mred",
    "newlines": "one\ntwo\r\nthree\x0bfour\x0cfive",
    "line separators": "one\u2028two\u2029three\u0085four",
    "NUL": "a\x00b",
    "bidi": "safe\u202egnp.exe\u2066x\u2069",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "table cell": "a | b | c",
    "code span": "``` ` `` code",
    "markdown": "# head\n- [x](javascript:alert(1)) ![i](http://evil.example) **b** _i_ ~~s~~ &lt; &#60;",
    "mention": "@everyone #1 see https://evil.example and www.evil.example",
    "jinja": "{{ 7 * 7 }} {% raw %}",
    "format": "{0} {name!r} %s %(x)s",
    "wide": "全角文字" * 40,
    "long word": "x" * 5000,
    "many words": "word " * 2000,
    "combining": "e" + "\u0301" * 300,
    "blank": "   ",
    "empty": "",
}


_SHORT = [text for text in HOSTILE.values() if 0 < len(text.strip()) < 100]
_AT_ONCE, _PARTS = 7, 6
TOGETHER = {
    **{
        f"together {part}": " ".join((_SHORT * 2)[start : start + _AT_ONCE])
        for part in range(_PARTS)
        for start in [part * len(_SHORT) // _PARTS]
    },
    **{name: text for name, text in HOSTILE.items() if text not in _SHORT},
}
"""The same in fewer strings: the short ones several at a time, each of them twice, and the long and the empty ones."""


@cache
def poisoned_report(name: str, text: str) -> Report:
    """Return the poisoned report of a name, made once."""
    return poisoned(REPORTS[name](), text)


def poisoned(report: Report, text: str) -> Report:
    """Return the report with every string that may be any text replaced by ``text``, names of facts included."""
    tree = msgspec.json.decode(encode(report))
    for place in _free(encode(report)):
        _put(tree, place, text)
    tree["options"]["flags"][text] = text
    for finding in tree["findings"]:
        finding["facts"][text] = [text]
    return decode(msgspec.json.encode(tree))


@cache
def _free(data: bytes) -> tuple[tuple[Any, ...], ...]:
    """Return the places of all strings that a report may have changed: no enumeration, address or tag."""
    tree = msgspec.json.decode(data)
    return tuple(place for place, old in tuple(_strings(tree, ())) if _is_free(tree, place, old))


def _is_free(tree: Any, place: tuple[Any, ...], old: str) -> bool:
    if place[-1] in ("kind", "schema_version"):
        return False
    unknown = _unknown(tree, place)
    _put(tree, place, "anything")
    try:
        return _unknown(tree, place) == unknown
    except ReportError:
        return False
    finally:
        _put(tree, place, old)


def _unknown(tree: Any, place: tuple[Any, ...]) -> int:
    """Return whether the piece of evidence at a place is not understood; all of them for each string take seconds."""
    pieces = [tree["evidence"][place[1]]] if place[0] == "evidence" else []
    return evidence_of(decode(msgspec.json.encode({**tree, "evidence": pieces})))[1]


def _strings(node: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(node, str):
        yield place, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from _strings(child, (*place, key))


def _put(tree: Any, place: tuple[Any, ...], value: str) -> None:
    for key in place[:-1]:
        tree = tree[key]
    tree[place[-1]] = value
