"""A session on a terminal without -v: sections that fold into what lines there are."""

from collections.abc import Iterator

from rtcdiag.compare import Comparison, OneWay, Session
from rtcdiag.formats.comparison.session import ACHIEVED, RIGHT, learned_words, lost_words, pair_words, waiting_words
from rtcdiag.formats.terminal import Paper, Row, Section
from rtcdiag.formats.words import POLICY, SIGNALING, ms

WORTH_MS = 500.0
"""What gathering cost is told from so much on."""


def sections(paper: Paper, session: Session, comparison: Comparison) -> list[Section]:
    """Return what happened, the most telling first."""
    named = (
        ("Policies", "policy", _policies(paper, session)),
        ("Pairs", "detail", _pairs(paper, session)),
        ("Packets", "detail", _packets(paper, session)),
        ("NAT", "address", _learned(paper, session)),
        ("Predicted", "detail", _prediction(paper, session)),
        ("Session", "detail", _session(paper, session)),
        ("Gathering", "detail", _gathering(paper, session)),
        ("Note", "note", [(paper.text((note, "warn")),) for note in comparison.notes]),
    )
    made = [Section(label=label, noun=noun, rows=tuple(rows), weight=3) for label, noun, rows in named]
    return [section for section in made if section.rows]


def _policies(paper: Paper, session: Session) -> Iterator[Row]:
    for item in session.policies:
        word, tone = ACHIEVED[item.outcome]
        ends = {"a": session.a.times, "b": session.b.times}
        when = ", ".join(
            f"{letter.upper()} {ms(ends[letter].checked_for_ms(t_ms))}" for letter, t_ms in item.nominated_ms.items()
        )
        after = f", nominated after {when} of checks" if when else ""
        yield (paper.text(f"{POLICY[item.policy]:<14}", paper.tag(tone, word), after),)


def _pairs(paper: Paper, session: Session) -> Iterator[Row]:
    """Return the pairs that were used, and how many there were."""
    for pair in session.pairs:
        if pair.nominated:
            used = ", ".join(POLICY[policy] for policy in pair.nominated)
            yield (paper.text(pair_words(pair), f" ({used})"),)
    worked = sum(pair.agreed for pair in session.pairs)
    if session.pairs:
        yield (paper.text(f"{worked} of {len(session.pairs)} candidate pairs connected; -v shows all"),)


def _packets(paper: Paper, session: Session) -> Iterator[Row]:
    for way in session.ways:
        lost, tone = lost_words(way)
        yield (paper.text(f"{way.sender.upper()} to {way.receiver.upper()}  lost ", (lost, tone), _more(way)),)


def _more(way: OneWay) -> str:
    jitter = f", jitter {ms(way.jitter_ms)}" if way.jitter_ms is not None else ""
    trip = way.round_trip_ms
    there = f", round trip {ms(trip.p50)} (p95 {ms(trip.p95)})" if trip else ""
    return f" of {way.sent}, reordered {way.reordered}{jitter}{there}"


def _learned(paper: Paper, session: Session) -> list[Row]:
    return [(paper.text(line),) for line in learned_words(session)]


def _prediction(paper: Paper, session: Session) -> Iterator[Row]:
    for family, item in session.prediction.families.items():
        over = f"IPv{family[-1]}  "
        if item.predicted == "unknown":
            yield (paper.text(f"{over}not known: {item.why}"),)
        else:
            word, tone = RIGHT[item.right]
            why = "" if item.right == "unknown" else f" ({item.why})"
            yield (paper.text(f"{over}direct {item.predicted}: ", paper.tag(tone, word), why),)
    if session.prediction.wrong_input:
        yield (paper.text(("Wrong was ", "warn"), session.prediction.wrong_input),)


def _session(paper: Paper, session: Session) -> Iterator[Row]:
    how = "candidates one by one (trickle)" if session.trickle else "all candidates at once (no trickle)"
    ways = {name: SIGNALING[side.signaling or session.signaling] for name, side in (("A", session.a), ("B", session.b))}
    by = f"A by {ways['A']}, B by {ways['B']}" if len(set(ways.values())) > 1 else f"by {ways['A']}"
    yield (paper.text(f"{by}, {how}"),)


def _gathering(paper: Paper, session: Session) -> Iterator[Row]:
    for name, side in (("A", session.a), ("B", session.b)):
        if side.waiting is not None and side.waiting.kept_back_ms >= WORTH_MS:
            yield (paper.text(f"{name}  {waiting_words(side)}"),)
