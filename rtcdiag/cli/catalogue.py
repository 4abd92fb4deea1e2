"""The catalogue of findings as text and as JSON."""

import re
import shutil
from difflib import get_close_matches
from textwrap import fill
from typing import Any

import msgspec

from rtcdiag.cli.entry import BadInputError
from rtcdiag.findings import ROLES, Entry, Role, catalogue

_WHO: dict[Role, str] = {
    "you": "You",
    "network_admin": "Network administrator",
    "server_operator": "Server operator",
    "developer": "Developer",
}


def all_as_text() -> str:
    """Return one line a code, with its severity and its title."""
    rows = catalogue().items()
    wide = max((len(code) for code, _ in rows), default=0)
    return "".join(f"{code:<{wide}}  {entry.severity:<7}  {_words(entry.title)}\n" for code, entry in rows)


def all_as_json() -> str:
    """Return all codes with row, severity, stage and title."""
    return _json(
        [
            {"code": code, "row": entry.row, "severity": entry.severity, "stage": entry.stage, "title": entry.title}
            for code, entry in catalogue().items()
        ]
    )


def one_as_text(code: str) -> str:
    """Return the whole entry of a code, wrapped to the terminal's width."""
    entry = _entry(code)
    blocks = [f"{code.lower()} ({entry.severity})", _words(entry.title), _words(entry.meaning)]
    blocks += [f"{_WHO[role]}: {_words(entry.remedy[role])}" for role in ROLES if role in entry.remedy]
    blocks += [f"See {', '.join(entry.references)}"] if entry.references else []
    width = max(40, min(100, shutil.get_terminal_size().columns))
    return "\n\n".join(fill(" ".join(block.split()), width, break_long_words=False) for block in blocks) + "\n"


def one_as_json(code: str) -> str:
    """Return the whole entry of a code."""
    return _json({"code": code.lower(), **msgspec.to_builtins(_entry(code))})


def _entry(code: str) -> Entry:
    entries = catalogue()
    if code.lower() not in entries:
        near = get_close_matches(code.lower(), entries, n=1)
        hint = f"did you mean {near[0]}?" if near else "rtcdiag explain lists all of them"
        raise BadInputError(f"{code!r} is no code of a finding ({hint})")
    return entries[code.lower()]


def _words(text: str) -> str:
    """Show the place of a fact, ``{name}`` in the catalogue, as ``<name>``."""
    return re.sub(r"\{(\w+)[^}]*\}", r"<\1>", text)


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
