"""What stands on a terminal while a run lasts, and is gone when it ends: a line, or a bar for each long experiment."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from rtcdiag.net import OnProgress


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
        left = _minutes(self.lasts_s - (time.monotonic() - self.began_s))
        return f", {left} left; Ctrl-C: what is known by then"


@contextmanager
def status(line: Line) -> Iterator[None]:
    """Let the line stand on standard error; nothing where the terminal cannot erase it."""
    console = _console()
    if console.is_dumb_terminal:
        yield None
        return
    with console.status(line):
        yield None


@contextmanager
def bars(text: str) -> Iterator[OnProgress | None]:
    """Give what draws a bar for each experiment below a line of text; None where the terminal cannot erase it."""
    console = _console()
    if console.is_dumb_terminal:
        yield None
        return
    # No thread draws beside the program: it would get in the way of what has to be sent at its time.
    drawn = _Drawn(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
        auto_refresh=False,
    )
    drawn.line = Text(f"{text}; Ctrl-C: what is known by then", no_wrap=True, overflow="ellipsis")
    with drawn:
        yield Bars(drawn).tell


class _Drawn(Progress):
    """A line above the bars, erased with them."""

    line = Text()

    def get_renderables(self) -> Iterator[RenderableType]:
        """Return what is drawn (rich)."""
        yield self.line
        yield self.make_tasks_table(self.tasks)


class Bars:
    """A bar for each experiment, by its name; of several relays, the one that is furthest."""

    def __init__(self, drawn: Progress) -> None:
        """Draw nothing yet."""
        self._drawn = drawn
        self._tasks: dict[str, TaskID] = {}

    def tell(self, what: str, done_s: float, total_s: float) -> None:
        """Show how far an experiment is."""
        if what not in self._tasks:
            self._tasks[what] = self._drawn.add_task(what, total=total_s, left="")
        task = self._tasks[what]
        known = next(item for item in self._drawn.tasks if item.id == task)
        furthest_s = max(known.completed, min(done_s, total_s))
        self._drawn.update(task, completed=furthest_s, left=f"{_minutes(total_s - furthest_s)} left", refresh=True)


def _minutes(seconds: float) -> str:
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{seconds:02}"


def _console() -> Console:
    return Console(stderr=True, force_terminal=True)  # the caller has looked; FORCE_COLOR is about color only
