"""What a format is told about the place where its text will be read."""

import msgspec


class RenderOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to render; only ``text`` looks at anything but the verbosity."""

    width: int = 80
    """Columns of the terminal."""
    color: bool = False
    """Whether ANSI escape sequences may be written."""
    unicode: bool = True
    """Whether the terminal shows more than ASCII."""
    source: str | None = None
    """The file that a finding may point at, where there is one: the configuration of a health check."""
    verbosity: int = 0
    """0: the answer in at most 24 lines. 1: all tables. 2: every message too."""
