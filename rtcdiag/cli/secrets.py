"""Passwords, secrets and tokens from files: one line each, which no error shows."""

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.files import read_text

_SECRET_BYTES = 4096


def secret_of(name: str, what: str) -> str:
    """Return the only line of a file, a password or a secret; errors never show it."""
    text = read_text(name, what=what, limit=_SECRET_BYTES)
    line = text.removesuffix("\n").removesuffix("\r")
    if not line or "\n" in line:
        raise BadInputError(f"{what} {name}: expected one line, found {'none' if not line else 'several'}")
    return line
