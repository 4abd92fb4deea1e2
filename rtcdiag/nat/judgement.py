"""A conclusion on its way: a value with what it rests on, or the reason why there is none."""

from typing import Generic, TypeVar

import msgspec

from rtcdiag.nat.behavior import BEHAVIORS, Behavior, Certainty

T = TypeVar("T")

SURE = 1e-6
"""No conclusion is given a smaller probability of being wrong: what no model covers is more likely than that."""

CONTRADICTION = "servers disagree as no NAT makes them: "
"""How a reason begins where no NAT could explain what the servers told."""

OPT_IN = "not tested: "
"""How a reason begins where the experiment runs only when it is asked for; the option follows."""

NO_NAT = "there is no NAT"


class Judgement(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One field of ``Nat``: ``value``, or None and ``why``."""

    value: T | None = None
    why: str = ""
    p_wrong: float | None = None
    evidence: tuple[str, ...] = ()
    inferred: str = ""
    """From which signs, where nobody told it."""

    @property
    def certainty(self) -> Certainty:
        """What a report says of it."""
        return Certainty(p_wrong=bounded(self.p_wrong), evidence=distinct(self.evidence))


class Class(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping or filtering behavior: what is left possible; determined where that is one."""

    possible: tuple[Behavior, ...] = BEHAVIORS
    why: str = ""
    """Why it is not determined."""
    p_wrong: float | None = None
    evidence: tuple[str, ...] = ()

    @property
    def behavior(self) -> Behavior:
        """The one behavior that is left, or ``undetermined``."""
        return self.possible[0] if len(self.possible) == 1 and not self.why else "undetermined"

    @property
    def certainty(self) -> Certainty:
        """What a report says of it."""
        return Certainty(p_wrong=bounded(self.p_wrong), evidence=distinct(self.evidence))


def bounded(p_wrong: float | None) -> float | None:
    """Return the probability to two significant digits, never below ``SURE``."""
    return None if p_wrong is None else float(f"{min(max(p_wrong, SURE), 1.0):.1e}")


def distinct(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the observation ids without repeats and without those that were not given one yet."""
    return tuple(dict.fromkeys(name for name in ids if name))
