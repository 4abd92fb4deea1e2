"""What a session tells while it goes on: one plain line each."""

from collections.abc import Callable
from typing import Literal, NamedTuple

Stage = Literal[
    "told", "waiting", "heard", "connected", "changed", "measuring", "no-path", "left", "address-changed", "server"
]


class Told(NamedTuple):
    """What happened, in a word for programs and a line for people."""

    stage: Stage
    words: str


OnProgress = Callable[[Told], None]
