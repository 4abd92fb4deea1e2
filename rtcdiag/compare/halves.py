"""Two reports that are the two halves of one session, and what they achieved together."""

from collections.abc import Iterator
from typing import NamedTuple

from rtcdiag.address import Family
from rtcdiag.clocks import clocks_of
from rtcdiag.compare.between import comparable
from rtcdiag.compare.joining import Ends, joined
from rtcdiag.compare.party import Party
from rtcdiag.compare.session import (
    Achieved,
    JoinedPair,
    LearnedAddress,
    Letter,
    OneWay,
    PolicyResult,
    SelectedPair,
    SessionSide,
    Waiting,
)
from rtcdiag.evidence import PeerStream
from rtcdiag.evidence.session import Policy, PolicyOutcome, Selection
from rtcdiag.report import Report, evidence_of, started_at_s
from rtcdiag.session import Answer, End, Lesson, end_of, latest, lessons

_POLICIES: tuple[Policy, ...] = ("all", "direct", "relay")
_MOST_AHEAD_S = 300.0
"""Codes are taken from clocks that are no further apart."""
_READING_S = 4.0
"""How exact the difference of two clock readings is: each is of whole seconds, and took its way."""


class ComparisonError(ValueError):
    """Two reports that cannot be compared; the message is one line for people."""


class Halves(NamedTuple):
    """The two parties of a session, the offerer first, and its pairs."""

    a: Party
    b: Party
    ends: Ends
    pairs: tuple[JoinedPair, ...]

    @property
    def each(self) -> tuple[tuple[Letter, End], ...]:
        """Both ends with their letters."""
        return (("a", self.ends.a), ("b", self.ends.b))

    @property
    def same_computer(self) -> bool:
        """Whether both ends ran on one computer."""
        return self.ends.a.same_computer or self.ends.b.same_computer

    @property
    def inside(self) -> tuple[Letter, ...]:
        """The ends that could not be reached for want of a public address; where no UDP passes, none is wanted."""
        families = (self.a.families[Family.IPV4], self.b.families[Family.IPV4])
        if self.achieved("direct") != "no-path" or any(side.endpoint.udp is False for side in families):
            return ()
        a, b = self.ends.a.inside, self.ends.b.inside
        found: dict[Letter, bool] = {"a": "own" in a or "remote" in b, "b": "own" in b or "remote" in a}
        return tuple(letter for letter, is_inside in found.items() if is_inside)

    def reached(self, policy: Policy, family: Family | None = None) -> tuple[JoinedPair, ...]:
        """Return the pairs of a policy that both ends agree to have worked."""
        return tuple(
            pair
            for pair in self.pairs
            if pair.agreed
            and (policy == "all" or pair.relayed == (policy == "relay"))
            and (family is None or pair.a.address.family is family)
        )

    def _answer(self, end: End, policy: Policy) -> Answer:
        """Return an end's answer: of copied text, an end to which nothing came cannot know whether the other was there.

        Both were while the offerer checked, if the answerer was given up no earlier than the offerer's session ended.
        """
        answer, session = end.answer(policy), end.session
        waited = session.role == "answerer" and session.stop in ("interrupted", "expired")
        silent = session.signaling == "copied-text" and (waited or session.stop == "no-path")
        if answer == "unfinished" and silent and self._outlasted_s >= self._ahead_s:
            return "no" if end.of(policy) else "untested"
        return answer

    @property
    def doubtful(self) -> bool:
        """Whether the answerer was there for as long as the offerer only if no clock is wrong."""
        copied = self.ends.a.session.signaling == "copied-text" and self.ends.a.session.stop == "no-path"
        return copied and 0.0 <= self._outlasted_s < self._ahead_s

    @property
    def _outlasted_s(self) -> float:
        """How much later than the offerer's session the answerer's ended, each by its own clock."""
        return _ended_s(self.b, self.ends.b) - _ended_s(self.a, self.ends.a)

    @property
    def _ahead_s(self) -> float:
        """How far the answerer's clock may be ahead of the offerer's, at most.

        Other clocks tell, where both ends asked some; and the answerer cannot have had the offer before it was told.
        """
        bounds = [_MOST_AHEAD_S]
        told, heard = (
            _at_s(self.a, self.ends.a.session.times.told_ms),
            _at_s(self.b, self.ends.b.session.times.heard_ms),
        )
        if told is not None and heard is not None:
            bounds.append(heard - told)
        one, other = (_offset_s(side.report) for side in (self.a, self.b))
        if one is not None and other is not None:
            bounds.append(other - one + _READING_S)
        return min(bounds)

    def achieved(self, policy: Policy) -> Achieved:
        """Return what a policy came to: no more than what both ends say."""
        if self.reached(policy):
            return "connected"
        answers = {self._answer(end, policy) for _, end in self.each}
        if answers <= {"no", "untested"}:
            return "no-path" if "no" in answers else "not-tested"
        return "unfinished"


def _ended_s(party: Party, end: End) -> float:
    """Return when a session ended, by its computer's clock."""
    return started_at_s(party.report.started_at) + (end.session.duration_ms or 0.0) / 1000


def _at_s(party: Party, t_ms: float | None) -> float | None:
    """Return a moment of a session by its computer's clock."""
    return None if t_ms is None else started_at_s(party.report.started_at) + t_ms / 1000


def _offset_s(report: Report) -> float | None:
    """Return how far a computer's clock is ahead of those that it asked."""
    return clocks_of(evidence_of(report)[0].observations).offset_s


def session_of(report: Report) -> End | None:
    """Return the session that a report is of, None for one of another command."""
    return end_of(evidence_of(report)[0])


def check(first: End, second: End) -> None:
    """Raise ComparisonError for two halves of one end."""
    if first.session.session == second.session.session and first.session.role == second.session.role:
        role = first.session.role
        raise ComparisonError(f"both are the {role}'s half of session {first.session.session}: take one of each end")


def halves(a: Party, b: Party, one: End, two: End) -> Halves:
    """Put the halves of one session together."""
    ends = Ends(a=one, b=two, comparable=comparable(a, b))
    return Halves(a, b, ends, joined(ends))


def side(end: End) -> SessionSide:
    """Return the session as one end ended it."""
    session = end.session
    return SessionSide(
        role=session.role,
        signaling=session.signaling,
        stop=session.stop,
        detail=session.detail,
        times=session.times,
        waiting=_waiting(end),
        address_changed=session.address_changed,
        refused_candidates=session.refused_candidates,
        released=session.released,
    )


def _waiting(end: End) -> Waiting | None:
    times = end.session.times
    if times.first_candidate_ms is None or times.gathered_ms is None:
        return None
    last = latest(end.gatherings)
    named = last if last is not None and last.server is not None else None
    return Waiting(
        kept_back_ms=max(0.0, times.gathered_ms - times.first_candidate_ms),
        paid=not end.session.trickle,
        server=named.server if named else None,
        answered=named is None or bool(named.candidates + named.redundant),
    )


def policies(found: Halves) -> tuple[PolicyResult, ...]:
    """Return what each policy achieved."""
    return tuple(_policy(found, policy) for policy in _POLICIES)


def _policy(found: Halves, policy: Policy) -> PolicyResult:
    own = {
        letter: outcome for letter, end in found.each for outcome in end.session.policies if outcome.policy == policy
    }
    return PolicyResult(
        policy=policy,
        outcome=found.achieved(policy),
        first_success_ms=_times(own, "first_success_ms"),
        nominated_ms=_times(own, "nominated_ms"),
    )


def _times(own: dict[Letter, PolicyOutcome], field: str) -> dict[Letter, float]:
    return {letter: t_ms for letter, outcome in own.items() if (t_ms := getattr(outcome, field)) is not None}


def selected(found: Halves) -> tuple[SelectedPair, ...]:
    """Return which pairs were used from when on, each end by its own clock."""
    return tuple(_selected(found, letter, item) for letter, end in found.each for item in end.session.selected)


def _selected(found: Halves, letter: Letter, item: Selection) -> SelectedPair:
    pair = next((one for one in found.pairs if _is(found, letter, one, item)), None)
    own = ((item.local, item.local_type), (item.remote, item.remote_type))
    if pair is not None:
        (a, a_type), (b, b_type) = (pair.a.address, pair.a.type), (pair.b.address, pair.b.type)
    else:
        (a, a_type), (b, b_type) = own if letter == "a" else own[::-1]
    return SelectedPair(seen_by=letter, t_ms=item.t_ms, policy=item.policy, a=a, a_type=a_type, b=b, b_type=b_type)


def _is(found: Halves, letter: Letter, pair: JoinedPair, item: Selection) -> bool:
    own, other = (pair.a, pair.b) if letter == "a" else (pair.b, pair.a)
    return item.local in (own.base, own.mapped) and found.ends.same(other.address, item.remote)


def learned(found: Halves) -> tuple[LearnedAddress, ...]:
    """Return what was learned of either end, once; that end's own view of it proves most."""
    rows: dict[tuple[Letter, str], LearnedAddress] = {}
    for letter, other, lesson in _lessons(found):
        whose: Letter = letter if lesson.whose == "own" else other
        row = LearnedAddress(
            whose=whose, address=lesson.address, told=lesson.told, proves=lesson.dependent, why_not=lesson.why_not
        )
        key = (whose, str(lesson.address) if found.ends.comparable else str(lesson.address.port))
        known = rows.get(key)
        if known is None or (row.proves and not known.proves):
            rows[key] = row
    return tuple(rows.values())


def _lessons(found: Halves) -> Iterator[tuple[Letter, Letter, Lesson]]:
    others: dict[Letter, Letter] = {"a": "b", "b": "a"}
    for letter, end in found.each:
        yield from ((letter, others[letter], lesson) for lesson in lessons(end))


def ways(found: Halves) -> tuple[OneWay, ...]:
    """Return the packets of each way, counted where they came in."""
    others: dict[Letter, Letter] = {"a": "b", "b": "a"}
    return tuple(_way(others[letter], letter, item) for letter, end in reversed(found.each) for item in end.streams)


def _way(sender: Letter, receiver: Letter, item: PeerStream) -> OneWay:
    got = item.inward
    return OneWay(
        sender=sender,
        receiver=receiver,
        policy=item.policy,
        sent=got.sent,
        received=got.received,
        lost_percent=round(got.lost_percent, 3) if got.sent else None,
        lost_in_a_row=got.lost_in_a_row,
        reordered=got.reordered,
        duplicated=got.duplicated,
        jitter_ms=got.jitter_ms.mean if got.jitter_ms else None,
        round_trip_ms=item.round_trip_ms,
    )
