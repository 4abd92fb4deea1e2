"""The line on a terminal tells how long a run still lasts, where that is known."""

from time import monotonic

import pytest
from rich.console import Console
from rich.progress import Progress

from rtcdiag.cli.progress import Bars, Line


@pytest.mark.parametrize(
    ("lasts_s", "passed_s", "left"), [(192.0, 0.0, "3:12 left"), (192.0, 130.0, "1:02 left"), (5.0, 9.0, "0:00 left")]
)
def test_the_line_counts_down_to_zero(lasts_s: float, passed_s: float, left: str) -> None:
    line = Line("asking", lasts_s, monotonic() - passed_s)
    assert line.__rich__().plain.startswith(f"asking, {left}; Ctrl-C")


def test_where_the_end_is_not_known_nothing_is_said_of_it() -> None:
    assert Line("asking").__rich__().plain == "asking"


def test_an_experiment_has_one_bar_that_never_goes_back() -> None:
    drawn = Progress(console=Console(quiet=True), auto_refresh=False)
    bars = Bars(drawn)
    for done_s in (1.0, 4.0, 2.0):
        bars.tell("quality", done_s, 10.0)
    bars.tell("soak", 99.0, 60.0)
    assert [(task.description, task.completed, task.total) for task in drawn.tasks] == [
        ("quality", 4.0, 10.0),
        ("soak", 60.0, 60.0),
    ]
    assert [task.fields["left"] for task in drawn.tasks] == ["0:06 left", "0:00 left"]
