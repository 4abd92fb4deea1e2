"""Whose clock is wrong: this computer's, another one's, or one of two that nobody else confirms."""

from collections.abc import Iterable
from statistics import median
from typing import Literal

import msgspec

from rtcdiag.evidence import ClockReading, Observation

AGREE_S = 30.0
"""Clocks that differ by less are taken for equal: a Date tells whole seconds, and the way takes time."""


class Clocks(msgspec.Struct, frozen=True):
    """What the clocks of other computers say of this one."""

    readings: tuple[ClockReading, ...] = ()
    """One for each host and role that told a time."""
    own: Literal["right", "wrong", "unknown"] = "unknown"
    """``right`` where any other clock agrees; ``wrong`` where none does, and a documented host or two that agree with
    each other say otherwise; else nobody knows which one is wrong."""
    offset_s: float | None = None
    """This clock minus the reference: whom it agrees with, or who outvotes it; None where no time was told."""

    def of(self, role: Literal["service", "server", "control"], host: str | None = None) -> float | None:
        """Return this clock minus the one of a host in a role."""
        found = (item.offset_s for item in self.readings if item.role == role and host in (None, item.host))
        return next(found, None)


def clocks_of(observations: Iterable[Observation]) -> Clocks:
    """Judge the clocks by all readings together."""
    told = (item for item in observations if isinstance(item, ClockReading) and item.offset_s is not None)
    readings = tuple({(item.host, item.role): item for item in told}.values())
    by_host = {item.host: item.offset_s for item in readings if item.offset_s is not None}
    if not by_host:
        return Clocks()
    nearest = min(by_host.values(), key=abs)
    if abs(nearest) <= AGREE_S:
        return Clocks(readings, "right", nearest)
    known = [item.offset_s for item in readings if item.role == "control" and item.offset_s is not None]
    outvoted = known or max((_agreeing(by_host.values(), offset) for offset in by_host.values()), key=len)
    if known or len(outvoted) > 1:
        return Clocks(readings, "wrong", median(outvoted))
    return Clocks(readings, "unknown", nearest)


def _agreeing(offsets: Iterable[float], with_s: float) -> list[float]:
    return [offset for offset in offsets if abs(offset - with_s) <= AGREE_S]
