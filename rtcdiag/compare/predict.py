"""What ICE will achieve between two people, family by family: every possibility that their reports leave is tried."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from rtcdiag.address import Family
from rtcdiag.compare.between import Standing, standing
from rtcdiag.compare.party import InFamily, Party
from rtcdiag.traversal import (
    APART,
    Between,
    Endpoint,
    Names,
    Path,
    Reachable,
    certain,
    explain,
    outcomes,
    proviso,
    taken_for_granted,
)

LETTERS = Names("A", "A's", "at A", "B", "B's", "at B")
_ORDER = ("host", "srflx", "prflx", "relay")
"""As ICE prefers them (RFC 8445 section 5.1.2.2), but that what was told comes before what is learned."""
_HAIRPINNING = "the NAT sends back in what goes to its own address (hairpinning)"


class PairPath(msgspec.Struct, frozen=True, kw_only=True):
    """How each side is reached: the type of the candidate that the other one sends to."""

    a: str
    b: str


class FamilyResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one address family achieves."""

    direct: Reachable
    relayed: Reachable
    """Whether a path with a relay on at least one end works."""
    path: PairPath | None = None
    """The direct path, else the relayed one, where one is certain."""
    same_address: bool | None = None
    """Whether both are seen with one public address; None where that cannot be told."""
    why: str
    unless: str = ""
    """What a direct yes takes for granted: when it does not hold; empty where it always does."""


class Prediction(NamedTuple):
    """Over both families."""

    direct: Reachable
    relayed: Reachable
    families: dict[Family, FamilyResult]


def predict_pair(a: Party, b: Party) -> Prediction:
    """Predict each family, and take the best: ICE tries both."""
    families = {family: _in_family(a, b, family) for family in Family}
    return Prediction(
        _best(result.direct for result in families.values()),
        _best(result.relayed for result in families.values()),
        families,
    )


def _best(answers: Iterable[Reachable]) -> Reachable:
    found = set(answers)
    return "yes" if "yes" in found else "unknown" if "unknown" in found else "no"


def _in_family(a: Party, b: Party, family: Family) -> FamilyResult:
    one, two = a.families[family], b.families[family]
    stand = standing(a, b, family)
    found = outcomes(one.endpoint, two.endpoint, stand.betweens)
    direct = certain(any(path.direct for path in paths) for paths in found)
    relayed = certain(any(not path.direct for path in paths) for paths in found)
    if direct == "no" and _other_way(one, two):
        direct = "unknown"
    return FamilyResult(
        direct=direct,
        relayed=relayed,
        path=_path(found),
        same_address=stand.same_address,
        why=_why(one, two, stand, direct),
        unless=_unless(one, two, stand) if direct == "yes" else "",
    )


def _unless(one: InFamily, two: InFamily, stand: Standing) -> str:
    return proviso(taken_for_granted(one.endpoint, two.endpoint, stand.betweens), LETTERS)


def _other_way(one: InFamily, two: InFamily) -> str:
    """Name a way out of which less is known, by which ICE may connect all the same."""
    if one.absent or two.absent or one.endpoint.udp is False or two.endpoint.udp is False:
        return ""
    ways = [(name, way) for name, side in (("A", one), ("B", two)) for way in side.other_ways]
    return f"{ways[0][0]} also has {ways[0][1].interface or 'another interface'}" if ways else ""


def _path(found: frozenset[frozenset[Path]]) -> PairPath | None:
    """Return the best path that every possibility has."""
    common = frozenset.intersection(*found)
    best = sorted(common, key=lambda path: (not path.direct, sum(map(_ORDER.index, path)), path))
    return PairPath(a=best[0].here, b=best[0].peer) if best else None


def _why(one: InFamily, two: InFamily, stand: Standing, direct: Reachable) -> str:
    for name, side in (("A", one), ("B", two)):
        if side.absent:
            return f"{name}: {side.absent}"
    if direct == "unknown" and (words := _other_way(one, two)):
        return f"{words}, by which a path may exist"
    if stand.betweens != (APART,) and not (direct == "yes" and APART in stand.betweens):
        return _near(one.endpoint, two.endpoint, stand, direct)
    unknown = [f"{name}: {side.unknown}" for name, side in (("A", one), ("B", two)) if side.unknown]
    if unknown and direct == "unknown":
        return "; ".join(unknown)
    return explain(one.endpoint, two.endpoint, LETTERS)


def _near(one: Endpoint, two: Endpoint, stand: Standing, direct: Reachable) -> str:
    if direct == "yes":
        return f"{stand.why}, and {_HAIRPINNING}" if any(way.hairpinning for way in stand.betweens) else stand.why
    if direct == "no":
        return f"{stand.why}, and neither reaches the other from outside"
    groups = {
        "both are on one local network": [way for way in stand.betweens if way.same_network],
        _HAIRPINNING: [way for way in stand.betweens if way.hairpinning],
        "they are behind different NATs": [way for way in stand.betweens if way == APART],
    }
    good = [words for words, betweens in groups.items() if _all_direct(one, two, betweens)]
    return f"{stand.why}: direct if {', or if '.join(good)}" if good else stand.why


def _all_direct(one: Endpoint, two: Endpoint, betweens: list[Between]) -> bool:
    found = outcomes(one, two, betweens)
    return bool(found) and all(any(path.direct for path in paths) for paths in found)
