r"""Hostile strings made harmless: what servers and peers send, and what a saved report of a stranger holds.

Nothing is dropped. A character that would act instead of being read (ESC, NUL, newline, U+202E, …) is written as its
escape, such as ``\x1b``, so that the evidence stays visible. Rich markup needs nothing here: the text format builds
``rich.text.Text`` objects and has markup switched off.
"""

import re

LIMIT = 400
"""Characters of one string that are shown; the JSON has all of it."""

_ASCII = str.maketrans(
    {
        "…": "...",
        "→": "->",
        "←": "<-",
        "├": "|",
        "└": "`",
        "│": "|",
        "─": "-",
        "\u2013": "-",
        "—": "-",
        "·": "|",
        "\u00d7": "x",
        "\u2019": "'",
        "≥": ">=",
    }
)
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>|~#!&^$]")
_WWW = re.compile(r"\b(www)\.", re.IGNORECASE)
_JIRA = re.compile(r"\{(?=[A-Za-z])|!(?=\S)")
_LINE_START = re.compile(r"^((?:\d{1,9}(?=[.)](?:\s|$))|(?=[-+=])))")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_SCRIPT = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def clean(text: str, *, limit: int = LIMIT) -> str:
    r"""Return one line of printable characters, at most ``limit`` of them and a count of what was left out.

    Printable is what Unicode calls so, and the space: no control, format (bidi), surrogate or separator character.
    """
    shown = text if len(text) <= limit else text[:limit]
    if not shown.isprintable():
        shown = "".join(character if character.isprintable() else _escape(character) for character in shown)
    return shown if len(text) <= limit else f"{shown}… ({len(text) - limit} more characters)"


def ascii_only(text: str) -> str:
    """Return the text for a terminal that shows ASCII only: look-alikes where there are some, else escapes."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def markdown(text: str) -> str:
    """Return prose for Markdown and Jira: no markup, HTML, table cell, mention or link can start in it."""
    escaped = _MARKDOWN.sub(_markdown_escape, clean(text).strip())
    escaped = _WWW.sub(r"\1\\.", escaped.replace("://", "\\://").replace("@", "(at)"))
    return _LINE_START.sub(r"\1\\", escaped)


def code_span(text: str) -> str:
    """Return a value as a Markdown code span, in a table cell too; a backtick in it becomes an apostrophe.

    In Jira's own markup a backtick means nothing: a blank keeps what looks like a macro or a picture from being one.
    """
    inner = _JIRA.sub(r"\g<0> ", clean(text).replace("`", "'")).replace("|", "\\|").strip()
    return f"`{inner}`" if inner else ""


def json_text(data: bytes) -> str:
    r"""Return JSON as text that is safe to print: what does not print is escaped as ``\u009b`` inside its string."""
    text = data.decode()
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(
        character if character == "\n" or character.isprintable() else _json_escape(character) for character in text
    )


def script_json(data: bytes) -> str:
    """Return JSON that can stand in an HTML script element: the same values, without ``<``, ``>``, ``&`` and U+2028."""
    return json_text(data).translate(_SCRIPT)


def _escape(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii") if character > "\x7f" else _low(character)


def _low(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\x{ord(character):02x}")


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _markdown_escape(match: re.Match[str]) -> str:
    character = match[0]
    return _ENTITIES.get(character, "\\" + character)
