"""The options of what takes long: each wrong value is named before anyone is contacted."""

import re
from typing import NamedTuple

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.experiment_options import Lasting

MIN_QUALITY_S, MAX_QUALITY_S = 1.0, 3600.0
KBPS = 1000
MIN_KBPS, MAX_KBPS = 50, 10_000
MIN_SOAK_S, MAX_SOAK_S = 5.0, 12 * 3600.0
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_AROUND_S = 6.0
"""What an experiment takes beside its own time: allocating, waiting for the last packets, releasing."""
_RAMP_S = 4 * 13.0
"""The ramp, which goes through one relay after another: enough for four."""


class Wanted(NamedTuple):
    """What was asked for, as the run takes it."""

    quality_s: float | None
    throughput_kbps: int | None
    soak_s: float | None

    @property
    def lasts_s(self) -> float:
        """How much longer all of it makes the run at most."""
        times = (self.quality_s, None if self.throughput_kbps is None else _RAMP_S, self.soak_s)
        return sum(_AROUND_S + seconds for seconds in times if seconds is not None)


def lasting_of(lasting: Lasting) -> Wanted:
    """Return what was asked for; raise BadInputError for the first value that cannot be."""
    return Wanted(_quality_s(lasting.quality), _kbps(lasting), _soak_s(lasting.soak))


def _quality_s(seconds: float | None) -> float | None:
    if seconds is not None and not MIN_QUALITY_S <= seconds <= MAX_QUALITY_S:  # so is NaN refused
        raise BadInputError(
            f"--quality {seconds:g}: not between {MIN_QUALITY_S:g} and {MAX_QUALITY_S:g} seconds (10 is a good start)"
        )
    return seconds


def _kbps(lasting: Lasting) -> int | None:
    rate = lasting.throughput_up_to
    if not lasting.throughput:
        if rate is not None:
            raise BadInputError(f"--throughput-up-to {rate}: how far --throughput goes, which is not asked for")
        return None
    if rate is not None and not MIN_KBPS <= rate <= MAX_KBPS:
        raise BadInputError(f"--throughput-up-to {rate}: not between {MIN_KBPS} and {MAX_KBPS} kbit/s")
    return rate or KBPS


def _soak_s(text: str | None) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smh]?)", text)
    if found is None:
        raise BadInputError(f"--soak {text}: not a duration (write 90s or 11m)")
    seconds = float(found[1]) * _UNITS[found[2]]
    if not MIN_SOAK_S <= seconds <= MAX_SOAK_S:
        raise BadInputError(f"--soak {text}: not between {MIN_SOAK_S:g}s and {MAX_SOAK_S / 3600:g}h")
    return seconds
