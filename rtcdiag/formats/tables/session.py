"""A session of two as one end saw it: what each policy achieved, every candidate pair, and the packets that came."""

from collections.abc import Iterator

from rtcdiag.evidence import CheckedPair, Evidence, PeerStream
from rtcdiag.evidence.session import PairState
from rtcdiag.formats.tables import Cell, Table, browser, code
from rtcdiag.formats.words import POLICY, Tone, count, ms
from rtcdiag.session import Answer, End, Lesson, end_of, lessons

ANSWER: dict[Answer, tuple[str, Tone]] = {
    "yes": ("connected", "ok"),
    "no": ("no path", "bad"),
    "untested": ("not tried", "muted"),
    "unfinished": ("not known", "muted"),
}
STATE: dict[PairState, tuple[str, Tone]] = {
    "succeeded": ("connected", "ok"),
    "in-progress": ("not answered yet", "muted"),
    "waiting": ("not tried", "muted"),
    "failed": ("no answer", "bad"),
}
_ORDER: tuple[PairState, ...] = ("succeeded", "in-progress", "waiting", "failed")


def tables(evidence: Evidence) -> tuple[Table, ...]:
    """Return those that have rows; none where no session was held."""
    end = end_of(evidence)
    more = browser.table(evidence)
    found = (policies(end), more, pairs(end), streams(end), learned(end)) if end is not None else ()
    return tuple(table for table in found if table.rows)


def policies(end: End) -> Table:
    """Return what each policy achieved."""
    rows = tuple(
        (
            Cell(POLICY[item.policy]),
            Cell(*ANSWER[end.answer(item.policy)]),
            Cell(ms(item.first_success_ms)),
            Cell(ms(item.nominated_ms)),
        )
        for item in end.session.policies
    )
    columns = ("policy", "outcome", "first success", "nominated")
    return Table(caption="What each policy achieved", columns=columns, rows=rows)


def ordered(end: End) -> list[CheckedPair]:
    """Return the pairs, those that connected first."""
    return sorted(end.pairs, key=lambda pair: (_ORDER.index(pair.state), end.relayed(pair), pair.rtt_ms or 0.0))


def pairs(end: End) -> Table:
    """Return every candidate pair that was checked."""
    rows = tuple(_pair(end, pair) for pair in ordered(end))
    columns = ("pair", "way", "state", "round trip", "checks", "heard", "seen as")
    note = "Checks: sent and answered. Heard: checks of the other end that came in. Seen as: by the other end."
    return Table(caption="Candidate pairs", columns=columns, rows=rows, note=note)


def _pair(end: End, pair: CheckedPair) -> tuple[Cell, ...]:
    return (
        code(pair_words(pair)),
        Cell("relay" if end.relayed(pair) else "direct"),
        Cell(*STATE[pair.state]),
        Cell(ms(pair.rtt_ms)),
        Cell(f"{pair.requests}, {pair.answered}"),
        Cell(str(pair.heard)),
        code(pair.mapped),
    )


def pair_words(pair: CheckedPair) -> str:
    """Return both addresses of a pair."""
    return f"{pair.local_type} {pair.local} to {pair.remote_type} {pair.remote}"


def streams(end: End) -> Table:
    """Return the packets that came in."""
    rows = tuple(tuple(_stream(item)) for item in end.streams)
    columns = ("from", "sent", "lost", "reordered", "jitter", "round trip, median / p95")
    return Table(caption="Packets from the other end", columns=columns, rows=rows)


def _stream(item: PeerStream) -> Iterator[Cell]:
    got, trip = item.inward, item.round_trip_ms
    yield code(item.remote)
    yield Cell(str(got.sent) if got.sent else "not known")
    yield Cell(*lost_words(item))
    yield Cell(str(got.reordered))
    yield Cell(ms(got.jitter_ms.mean) if got.jitter_ms else "")
    yield Cell(f"{ms(trip.p50)} / {ms(trip.p95)}" if trip else "")


def lost_words(item: PeerStream) -> tuple[str, Tone]:
    """Return how many got lost on their way here."""
    got = item.inward
    if not got.sent:
        return f"not known, {count(got.received, 'packet')} came", "muted"
    return f"{got.lost} ({got.lost_percent:.1f} %)", "warn" if got.lost else "ok"


def learned(end: End) -> Table:
    """Return the peer-reflexive candidates, and what they prove."""
    rows = tuple(_lesson(item) for item in lessons(end))
    columns = ("address", "whose", "told instead", "proves", "why not more")
    return Table(caption="Addresses that only checks showed", columns=columns, rows=rows)


def _lesson(item: Lesson) -> tuple[Cell, ...]:
    proof = "the NAT maps by destination (symmetric)" if item.dependent else "nothing"
    whose = "this end's" if item.whose == "own" else "the other end's"
    return code(item.address), Cell(whose), code(item.told), Cell(proof), Cell(item.why_not)
