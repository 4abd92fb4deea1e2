"""What one server's tests say of the filter: which behaviors they exclude, and how likely that is wrong."""

import msgspec

from rtcdiag.nat.behavior import BEHAVIORS, Behavior


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What one server's tests exclude."""

    uri: str
    operator: str
    doubts: dict[Behavior, float] = {}
    """By excluded behavior: the probability that it is wrongly excluded."""
    why: str = ""
    """Why not more is excluded."""
    evidence: tuple[str, ...] = ()

    @property
    def possible(self) -> tuple[Behavior, ...]:
        """What is left."""
        return tuple(behavior for behavior in BEHAVIORS if behavior not in self.doubts)


def without_port(doubts: dict[Behavior, float], doubt: float) -> dict[Behavior, float]:
    """Exclude what would let another port of a contacted address in."""
    free = min(doubt, doubts.get("endpoint-independent", 1.0))
    return {"endpoint-independent": free, "address-dependent": doubt}
