"""The table that stands on a terminal while a health check runs, and is gone when it ends."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rtcdiag.cli.streams import is_terminal
from rtcdiag.config import HealthConfig, HealthTarget
from rtcdiag.health import HealthResult

_ROWS = 12


class Shown:
    """Takes what happens, and shows nothing."""

    def begun(self, target: HealthTarget) -> None:
        """Note that a target is being checked."""

    def done(self, result: HealthResult) -> None:
        """Note what came of it."""

    def tick(self) -> None:
        """Show that time goes by."""


@contextmanager
def shown(config: HealthConfig | None, told: Callable[[str], str], *, quiet: bool) -> Iterator[Shown]:
    """Let a table stand on standard error, where that is a terminal that can erase it; ``told`` redacts URIs."""
    if quiet or config is None or not is_terminal(sys.stderr):
        yield Shown()
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, force_terminal=True)  # the caller has looked; FORCE_COLOR is about color only
    if console.is_dumb_terminal:
        yield Shown()
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield _Table(live, len(config.targets), told)


class _Table(Shown):
    """How many are done, what ails, and who is being asked."""

    def __init__(self, live: object, total: int, told: Callable[[str], str]) -> None:
        self._live, self._total, self._told = live, total, told
        self._done = 0
        self._ail: list[HealthResult] = []
        self._last: list[HealthResult] = []
        self._asked: dict[str, float] = {}
        self._drawn_s = 0.0

    def begun(self, target: HealthTarget) -> None:
        self._asked[self._told(target.server.uri)] = time.monotonic()
        self._draw()

    def done(self, result: HealthResult) -> None:
        self._done += 1
        self._asked.pop(result.uri, None)
        if result.status in ("failed", "warning"):
            self._ail = [*self._ail, result][-_ROWS:]
        else:
            self._last = [*self._last, result][-_ROWS:]
        self._draw()

    def tick(self) -> None:
        self._draw()

    def _draw(self) -> None:
        """Draw anew, a few times a second: what is drawn is time that answers wait."""
        now_s = time.monotonic()
        if now_s - self._drawn_s < 0.2:
            return
        self._drawn_s = now_s
        self._live.update(self._table(now_s), refresh=True)  # type: ignore[attr-defined]  # rich's Live

    def _table(self, now_s: float) -> object:
        from rich.table import Table
        from rich.text import Text

        from rtcdiag.formats.health.words import TONE, WORD, label, told
        from rtcdiag.formats.safe import clean

        table = Table(box=None, pad_edge=False, show_header=False, title=f"{self._done} of {self._total} checked")
        table.title_justify = "left"
        rows = self._ail[-_ROWS:]
        rows += self._last[len(rows) - _ROWS :] if len(rows) < _ROWS else []
        styles = {"ok": "green", "warn": "yellow", "bad": "bold red", "muted": "dim"}
        for result in rows:
            style = styles.get(TONE[result.status], "")
            said = Text(clean(f"{label(result)}  {told(result)}"), no_wrap=True, overflow="ellipsis")
            table.add_row(Text(WORD[result.status], style), said)
        for uri, began_s in list(self._asked.items())[:2]:
            line = f"{clean(uri)}  {now_s - began_s:.0f} s"
            table.add_row(Text("…", "dim"), Text(line, "dim", no_wrap=True, overflow="ellipsis"))
        return table
