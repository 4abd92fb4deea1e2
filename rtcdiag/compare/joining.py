"""Two ends' candidate pairs as one list: what each end calls its own address, the other one knows by another."""

from collections.abc import Iterator

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.compare.session import JoinedPair, PairEnd
from rtcdiag.evidence import CheckedPair
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.evidence.session import PairState
from rtcdiag.session import End

_STATES: tuple[PairState, ...] = ("succeeded", "in-progress", "waiting", "failed")
_SEEN = 8
"""Weight of what was seen of the packets themselves, over what merely fits."""


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """Both halves of a session, A's first."""

    a: End
    b: End
    comparable: bool
    """Whether equal addresses in the two are equal; else only ports and families are."""

    def same(self, one: TransportAddress | None, two: TransportAddress | None) -> bool:
        """Tell whether two addresses are one, as far as redaction and hiding leave that to be told."""
        if one is None or two is None or one.port != two.port or one.family is not two.family:
            return False
        return not self.comparable or one.ip == two.ip or one.ip.is_unspecified or two.ip.is_unspecified


def joined(ends: Ends) -> tuple[JoinedPair, ...]:
    """Return every pair that either end checked, each once."""
    matches = _matches(ends)
    taken = {id(two) for two in matches.values()}
    rows = [_row(ends, one, matches.get(at)) for at, one in enumerate(ends.a.pairs)]
    rows += [_row(ends, None, two) for two in ends.b.pairs if id(two) not in taken]
    return tuple(sorted(rows, key=_rank))


def _rank(row: JoinedPair) -> tuple[int, bool, float]:
    trips = [trip for trip in (row.a.rtt_ms, row.b.rtt_ms) if trip is not None]
    return _STATES.index(row.state), row.relayed, min(trips, default=0.0)


def _matches(ends: Ends) -> dict[int, CheckedPair]:
    """Return B's view for A's pairs, by number: the best fitting ones first."""
    scored = sorted(_scores(ends), key=lambda item: (-item[0], item[1], item[2]))
    found: dict[int, CheckedPair] = {}
    taken: set[int] = set()
    for _, one, two in scored:
        if one not in found and two not in taken:
            found[one] = ends.b.pairs[two]
            taken.add(two)
    return found


def _scores(ends: Ends) -> Iterator[tuple[int, int, int]]:
    for at, one in enumerate(ends.a.pairs):
        for to, two in enumerate(ends.b.pairs):
            score = _score(ends, one, two)
            if score:
                yield score, at, to


def _score(ends: Ends, one: CheckedPair, two: CheckedPair) -> int:
    """Return how well two views fit: 0 where they are of different sockets."""
    seen = [ends.same(one.mapped, two.remote), ends.same(two.mapped, one.remote)]
    fits = [
        any(ends.same(one.remote, known) for known in _known(ends.b, two)),
        any(ends.same(two.remote, known) for known in _known(ends.a, one)),
    ]
    if not all(fits):
        return 0
    types = (one.remote_type == "host") == (two.remote_type == "host")
    states = (one.state == "succeeded") == (two.state == "succeeded")
    return 1 + _SEEN * sum(seen) + 2 * types + 4 * states


def _known(end: End, pair: CheckedPair) -> set[TransportAddress]:
    """Return the addresses by which the other end may know the socket of a pair."""
    learned = {item.address for item in end.learned if item.whose == "own" and item.local == pair.local}
    return {pair.local} | end.server_reflexive(pair.local) | learned | ({pair.mapped} if pair.mapped else set())


def _row(ends: Ends, one: CheckedPair | None, two: CheckedPair | None) -> JoinedPair:
    views = [view for view in (one, two) if view is not None]
    relayed = (one is not None and ends.a.relayed(one)) or (two is not None and ends.b.relayed(two))
    return JoinedPair(
        a=_end(one, two),
        b=_end(two, one),
        relayed=relayed,
        state=min((view.state for view in views), key=_STATES.index),
        agreed=_agreed(one, two) or _agreed(two, one),
        nominated=tuple(dict.fromkeys(policy for view in views for policy in view.nominated)),
    )


def _agreed(one: CheckedPair | None, two: CheckedPair | None) -> bool:
    """Tell whether a success of one is no surprise to the other."""
    if one is None or two is None or one.state != "succeeded" or not one.answered:
        return False
    return bool(two.answered or two.heard)


def _end(own: CheckedPair | None, other: CheckedPair | None) -> PairEnd:
    if own is None:
        assert other is not None
        return PairEnd(type=other.remote_type, address=other.remote)
    kind: CandidateType = other.remote_type if other is not None else own.local_type
    return PairEnd(
        # A base that sends through a relay is one, whatever the other end took the address for.
        type="relay" if own.local_type == "relay" else kind,
        address=other.remote if other is not None else own.mapped or own.local,
        base=own.local,
        mapped=own.mapped,
        state=own.state,
        checks=own.checks,
        requests=own.requests,
        answered=own.answered,
        heard=own.heard,
        rtt_ms=own.rtt_ms,
        first_success_ms=own.first_success_ms,
    )
