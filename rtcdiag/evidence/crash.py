"""A probe that raised: an observation like any other, so that the report survives it."""

from rtcdiag.evidence.base import Observation


class Crash(Observation, frozen=True, kw_only=True, tag=True):
    """A bug of this program. The message of the exception is left out: it may hold what a server sent."""

    probe: str
    error: str
    """The exception's type."""
    where: str
    """``module.py:123``, the innermost frame inside this program."""
