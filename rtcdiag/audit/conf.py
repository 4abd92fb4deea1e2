"""coturn's configuration file, read as coturn reads it, and nothing secret kept of it."""

import re
from difflib import get_close_matches

from rtcdiag.audit.options import options
from rtcdiag.evidence import ConfigLine, SecretShape

MAX_BYTES = 1 << 20
"""A configuration has some hundred lines; coturn's commented example has 26 KB."""
MOST_SETTINGS = 10_000
_LONGEST_LINE = 1023
"""coturn reads lines into 1024 bytes, and takes what is left of a longer one for another line."""
_LONGEST_VALUE = 200
_SETTING = re.compile(r"(?P<option>[^ =\t]+)(?P<sign>[ =\t]+)?(?P<value>.*)", re.DOTALL)
_HASHED = re.compile(r"0x[0-9A-Fa-f]{32,}|\$5\$.*", re.DOTALL)
_ON_OR_OFF = re.compile(r"[01-9nNfFyYtT].*|on|off|", re.IGNORECASE | re.DOTALL)
"""What coturn takes for yes or no; it ends where a switch has anything else behind it, a comment too."""
UNREADABLE = "(not on or off)"
"""Instead of the value of a switch that is none of these."""
UNKNOWN = "(unknown)"
"""Instead of an option that is none of coturn's and not like any: the line may be anything, a secret too."""


class ConfError(ValueError):
    """A file that is no configuration of coturn; the message says why."""


def parse(data: bytes) -> tuple[ConfigLine, ...]:
    """Return the settings with their line numbers; raise ConfError for what is no text."""
    if b"\0" in data:
        raise ConfError("not a text file")
    found = [(number, line) for number, raw in enumerate(data.split(b"\n"), 1) if (line := _content(raw))]
    if len(found) > MOST_SETTINGS:
        raise ConfError(f"more than {MOST_SETTINGS} settings")
    too_long = next((number for number, line in found if len(line) > _LONGEST_LINE), None)
    if too_long is not None:
        raise ConfError(f"line {too_long} is longer than the {_LONGEST_LINE} bytes that coturn reads")
    return tuple(_line(number, _text(line)) for number, line in found)


def _content(raw: bytes) -> bytes:
    """Return a line without what is around its setting; nothing of a comment."""
    line = raw.lstrip(b" \t").rstrip(b"\r\n")
    return b"" if line.startswith(b"#") else line


def _text(line: bytes) -> str:
    """Read what coturn takes for bytes; a byte order mark is a part of its line to both."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _line(number: int, line: str) -> ConfigLine:
    match = _SETTING.match(line)
    if match is None:  # it begins with =
        return ConfigLine(number=number, option=UNKNOWN)
    option, value, lists = match["option"], _unquoted(match["value"]), options()
    if option in lists.secret:
        return ConfigLine(number=number, option=option, secret=_shape(option, value))
    if option not in lists.known and not get_close_matches(option[:64], lists.known, n=1):
        option = UNKNOWN
    if option in lists.switches and not _ON_OR_OFF.fullmatch(value):
        return ConfigLine(number=number, option=option, value=UNREADABLE)
    shown = value[:_LONGEST_VALUE] if option in lists.shown and match["sign"] else None
    return ConfigLine(number=number, option=option[:64], value=shown or None)


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value.rstrip(" \t")
    return value[1:].rstrip(" \t").removesuffix('"')


def _shape(option: str, value: str) -> SecretShape:
    name, _, password = value.partition(":") if option == "user" else ("", "", value)
    hashed = _HASHED.fullmatch(password) is not None
    if hashed:
        return SecretShape(length=len(password), hashed=True)
    if password.lower() in options().well_known_secrets:
        return SecretShape(length=len(password), weak="well-known")
    return SecretShape(length=len(password), weak="like-the-name" if name and password == name else None)
