"""A session that was held: its section, and the verdict on it."""

from collections.abc import Iterator
from typing import NamedTuple

from rtcdiag.compare.changes import changes
from rtcdiag.compare.halves import Halves, learned, policies, selected, side, ways
from rtcdiag.compare.hindsight import hindsight
from rtcdiag.compare.outcome import (
    Outcome,
    by_family,
    confidence_of,
    direct_word,
    inside_words,
    measured,
    outcome,
    status_of,
)
from rtcdiag.compare.predict import Prediction
from rtcdiag.compare.session import Session
from rtcdiag.report import Change, Direct, Verdict
from rtcdiag.traversal import Reachable


class Judged(NamedTuple):
    """What the session answers."""

    verdict: Verdict
    direct: Reachable
    relayed: Reachable


def held(found: Halves, predicted: Prediction) -> tuple[Session, Judged]:
    """Return what happened, and what follows."""
    a, b = side(found.ends.a), side(found.ends.b)
    broken = outcome(found, a, b)
    own = found.ends.a.session
    section = Session(
        session=own.session,
        signaling=own.signaling,
        trickle=own.trickle and found.ends.b.session.trickle,
        stage=broken.stage,
        side=broken.side,
        why=broken.why,
        a=a,
        b=b,
        policies=policies(found),
        pairs=found.pairs,
        selected=selected(found),
        learned=learned(found),
        ways=ways(found),
        prediction=hindsight(found, predicted),
    )
    return section, Judged(_verdict(found, broken, predicted, section), *measured(found))


def _verdict(found: Halves, broken: Outcome, predicted: Prediction, section: Session) -> Verdict:
    direct = direct_word(found)
    return Verdict(
        status=status_of(broken, direct, found),
        direct_p2p=direct,
        by_family=by_family(found),
        confidence=confidence_of(direct, found),
        summary=_sentence(found, broken, direct, section),
        would_change_if=tuple(_changes(found, direct, predicted)),
    )


def _sentence(found: Halves, broken: Outcome, direct: Direct, section: Session) -> str:
    if found.same_computer:
        return "Both ends ran on one computer: that they connected proves nothing for two."
    if broken.stage == "data":
        return f"A and B connected, but {broken.why}."
    if found.reached("all"):
        return f"A and B connected {broken.why}{_beside(found, direct, section)}."
    if broken.stage in ("checks", "gathering"):
        return f"A and B do not connect: {broken.why}{_because(section)}."
    return f"Whether A and B connect is not known ({broken.why})."


def _beside(found: Halves, direct: Direct, section: Session) -> str:
    """Say what is to be said of a direct path where the session used none."""
    if found.inside:
        return f"; whether they do directly is not known ({inside_words(found)})"
    if direct == "relay-needed":
        return f", and not directly{_because(section)}"
    return "" if direct == "confirmed" else "; whether they do directly was not tried"


def _because(section: Session) -> str:
    """Return the reason that the two reports give, where they foresaw it."""
    foreseen = (item.why for item in section.prediction.families.values() if item.right == "yes")
    why = next(foreseen, "")
    return f" ({why})" if why else ""


def _changes(found: Halves, direct: Direct, predicted: Prediction) -> Iterator[Change]:
    """Promise only what the model promises that was right: where it was wrong, a relay helps all the same."""
    if direct not in ("relay-needed", "blocked"):
        return
    if "no" not in (item.right for item in hindsight(found, predicted).families.values()):
        yield from (
            change
            for change in changes(found.a, found.b, predicted)
            if direct == "blocked" or change.then != "relay-needed"
        )
    elif direct == "blocked" and found.achieved("relay") == "not-tested":
        yield Change(side="a", change="configure a TURN server that works from there", then="relay-needed")
