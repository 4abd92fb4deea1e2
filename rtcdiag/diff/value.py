"""One value that is another one now, and whether that is better or worse for calls."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Direction = Literal["better", "worse", "neither"]


class ValueChange(msgspec.Struct, frozen=True, kw_only=True):
    """One value, before and after."""

    where: str
    """What it is of: ``NAT over IPv4``, a server with its transport and address."""
    what: str
    before: str
    after: str
    direction: Direction = "neither"
    """``neither`` also where one of the two is not known."""
    finding: str | None = None
    """The code that owns it now, or owned it before."""


def direction_of(before: str, after: str, best_first: Sequence[str]) -> Direction:
    """Compare two values by an order, the best first; what is not in it cannot be compared."""
    if before not in best_first or after not in best_first or before == after:
        return "neither"
    return "worse" if best_first.index(after) > best_first.index(before) else "better"


def words_of(value: object) -> str:
    """Return a value as a reader knows it."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
