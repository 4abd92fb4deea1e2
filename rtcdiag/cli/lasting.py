"""The options of what takes long: each wrong value is named before anyone is contacted."""

from typing import NamedTuple

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import Lasting

MIN_QUALITY_S, MAX_QUALITY_S = 1.0, 3600.0
_AROUND_S = 6.0
"""What an experiment takes beside the time that it was given: allocating, waiting for the last packets, releasing."""


class Wanted(NamedTuple):
    """What was asked for, as the run takes it."""

    quality_s: float | None

    @property
    def lasts_s(self) -> float:
        """How much longer all of it makes the run."""
        return sum(_AROUND_S + seconds for seconds in (self.quality_s,) if seconds is not None)


def lasting_of(lasting: Lasting) -> Wanted:
    """Return what was asked for; raise BadInputError for the first value that cannot be."""
    return Wanted(_quality_s(lasting.quality))


def _quality_s(seconds: float | None) -> float | None:
    if seconds is not None and not MIN_QUALITY_S <= seconds <= MAX_QUALITY_S:  # so is NaN refused
        raise BadInputError(
            f"--quality {seconds:g}: not between {MIN_QUALITY_S:g} and {MAX_QUALITY_S:g} seconds (10 is a good start)"
        )
    return seconds
