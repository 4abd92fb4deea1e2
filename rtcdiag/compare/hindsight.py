"""Whether the two reports predicted what happened, and where not, which of their facts was wrong."""

from collections.abc import Iterator

from rtcdiag.address import Scope
from rtcdiag.compare.halves import Halves, learned
from rtcdiag.compare.outcome import by_family, measured
from rtcdiag.compare.party import Party
from rtcdiag.compare.predict import FamilyResult, Prediction
from rtcdiag.compare.session import FamilyHindsight, Hindsight, JoinedPair, Letter, PairEnd
from rtcdiag.report import Direct
from rtcdiag.traversal import Reachable
from rtcdiag.traversal.sides import EIM

_UNKNOWN = "one of the reports' facts; which one cannot be told"


def hindsight(found: Halves, predicted: Prediction) -> Hindsight:
    """Put the prediction beside the outcome."""
    direct, relayed = measured(found)
    right = _right(predicted.direct, direct)
    families = dict(_families(found, predicted))
    wrong = "no" in (right, *(item.right for item in families.values()))
    return Hindsight(
        direct=predicted.direct,
        relayed=predicted.relayed,
        why=_why(predicted),
        direct_right=right,
        relayed_right=_right(predicted.relayed, relayed),
        families=families,
        wrong_input="; ".join(_wrong(found, predicted)) or _UNKNOWN if wrong else "",
    )


_HAPPENED: dict[Direct, Reachable] = {"confirmed": "yes", "relay-needed": "no", "blocked": "no"}


def _families(found: Halves, predicted: Prediction) -> Iterator[tuple[str, FamilyHindsight]]:
    for family, result in predicted.families.items():
        achieved = by_family(found)[family.value]
        happened = _HAPPENED.get(achieved, "unknown")
        if achieved != "not-tested":
            right = _right(result.direct, happened)
            known = FamilyHindsight(predicted=result.direct, happened=happened, right=right, why=result.why)
            yield family.value, known


def _why(predicted: Prediction) -> str:
    return next(result.why for result in predicted.families.values() if result.direct == predicted.direct)


def _right(promised: Reachable, happened: Reachable) -> Reachable:
    if "unknown" in (promised, happened):
        return "unknown"
    return "yes" if promised == happened else "no"


def _wrong(found: Halves, predicted: Prediction) -> Iterator[str]:
    for letter, end in found.each:
        if end.session.address_changed:
            yield f"{letter.upper()}'s network changed while the session waited"
    yield from _too_bad(found) if found.reached("direct") else _too_good(found, predicted)


def _party(found: Halves, letter: Letter) -> Party:
    return found.a if letter == "a" else found.b


def _too_good(found: Halves, predicted: Prediction) -> Iterator[str]:
    """Name what was worse than reported."""
    for row in learned(found):
        side = _party(found, row.whose).families[row.address.family]
        if row.proves and side.endpoint.mappings == EIM:
            yield (
                f"{row.whose.upper()}'s mapping: its report says endpoint-independent, and towards the other end "
                f"the NAT used port {row.address.port} in place of {row.told.port if row.told else 'the told one'}"
            )
    if any(result.path is not None and result.path.a == "host" for result in _near(predicted)):
        yield "they are not on one local network, or it keeps its computers apart from each other"
    for result in predicted.families.values():
        if result.direct == "yes" and result.unless:
            yield f"the order of the first packets: {result.unless}"
    deaf = [letter.upper() for letter, end in found.each if not end.heard]
    if len(deaf) == 1:
        sender = "A" if deaf == ["B"] else "B"
        yield f"a filter: packets of {sender} do not reach {deaf[0]}, although the reports let them through"


def _near(predicted: Prediction) -> list[FamilyResult]:
    return [result for result in predicted.families.values() if result.direct == "yes" and result.same_address]


def _too_bad(found: Halves) -> Iterator[str]:
    """Name what was better than reported."""
    for pair in found.reached("direct"):
        yield from _about(found, pair)
        return


def _about(found: Halves, pair: JoinedPair) -> Iterator[str]:
    ends: tuple[tuple[Letter, PairEnd], ...] = (("a", pair.a), ("b", pair.b))
    if all(end.address.scope is Scope.PRIVATE for _, end in ends):
        yield "they are on one private network, which their reports do not show"
    for letter, end in ends:
        yield from _of_end(found, letter, end)


def _of_end(found: Halves, letter: Letter, end: PairEnd) -> Iterator[str]:
    name, family = letter.upper(), end.address.family
    side = _party(found, letter).families[family]
    if side.absent:
        yield f"{name} has a path over IPv{family.value[-1]}, of which its report says: {side.absent}"
    elif end.base is not None and end.type != "relay" and side.local and end.base.ip not in side.local:
        yield f"{name} used {end.base.host}, and its report describes another interface"
    elif end.type == "srflx" and end.mapped == end.address and EIM[0] not in side.endpoint.mappings:
        yield f"{name}'s mapping: its NAT used the told port towards the other end, and its report says it would not"
