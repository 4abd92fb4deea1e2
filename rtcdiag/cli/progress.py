"""The transient line on a terminal while a run lasts."""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text


@dataclass(frozen=True)
class Line:
    """A text, and how long it will still take; rendered anew at each turn of the spinner."""

    text: str
    lasts_s: float | None = None
    """About how long the run lasts from now, where that is known."""
    began_s: float = field(default_factory=time.monotonic)

    def __rich__(self) -> Text:
        """Return the line as it stands now (rich)."""
        return Text(self.text + self._left(), no_wrap=True, overflow="ellipsis")

    def _left(self) -> str:
        if self.lasts_s is None:
            return ""
        minutes, seconds = divmod(max(0, round(self.lasts_s - (time.monotonic() - self.began_s))), 60)
        return f", {minutes}:{seconds:02} left; Ctrl-C: what is known by then"


def status(line: Line) -> AbstractContextManager[object]:
    """Return a context in which the line stands on standard error; nothing where the terminal cannot erase it."""
    console = Console(stderr=True, force_terminal=True)  # the caller has looked; FORCE_COLOR is about color only
    if console.is_dumb_terminal:
        return nullcontext()
    return console.status(line)
