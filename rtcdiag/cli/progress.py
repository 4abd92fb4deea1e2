"""The transient line on a terminal while a run lasts."""

from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.text import Text


def status(text: str) -> AbstractContextManager[object]:
    """Return a context in which the line stands on standard error; nothing where the terminal cannot erase it."""
    console = Console(stderr=True, force_terminal=True)  # the caller has looked; FORCE_COLOR is about color only
    if console.is_dumb_terminal:
        return nullcontext()
    return console.status(Text(text, no_wrap=True, overflow="ellipsis"))
