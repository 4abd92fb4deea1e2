"""What the formats show of a session that two people held, as tables."""

from collections.abc import Iterator

from rtcdiag.address import TransportAddress
from rtcdiag.compare import Comparison, JoinedPair, OneWay, PairEnd, Session, SessionSide
from rtcdiag.compare.session import Achieved, Letter
from rtcdiag.evidence.session import SessionTimes
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.tables.session import STATE
from rtcdiag.formats.words import POLICY, REACH_TONE, Tone, count, ms
from rtcdiag.traversal import Reachable

ACHIEVED: dict[Achieved, tuple[str, Tone]] = {
    "connected": ("connected", "ok"),
    "no-path": ("no path", "bad"),
    "not-tested": ("not tried", "muted"),
    "unfinished": ("not known", "muted"),
}
RIGHT: dict[Reachable, tuple[str, Tone]] = {
    "yes": ("right", "ok"),
    "no": ("wrong", "bad"),
    "unknown": ("cannot be told", "muted"),
}
_OWN_START = "Each end's times count from its own start."
_TIMES = {
    "first_candidate_ms": "first candidate",
    "gathered_ms": "gathered",
    "told_ms": "told",
    "heard_ms": "heard the other",
    "first_check_ms": "first check",
    "first_success_ms": "first success",
    "nominated_ms": "nominated",
}


def tables(session: Session, comparison: Comparison) -> tuple[Table, ...]:
    """Return all of them; the most telling first."""
    return (
        policies(session),
        pairs(session),
        ways(session),
        learned(session),
        predictions(session, comparison),
        times(session),
        selected(session),
        gathering(session),
    )


def policies(session: Session) -> Table:
    """Return what each policy achieved."""
    rows = tuple(
        (
            Cell(POLICY[item.policy]),
            Cell(*ACHIEVED[item.outcome]),
            Cell(_by_end(item.first_success_ms)),
            Cell(_by_end(item.nominated_ms)),
        )
        for item in session.policies
    )
    columns = ("policy", "outcome", "first success", "nominated")
    return Table(caption="What each policy achieved", columns=columns, rows=rows, note=_OWN_START)


def _by_end(found: dict[Letter, float]) -> str:
    return ", ".join(f"{letter.upper()} {ms(t_ms)}" for letter, t_ms in found.items())


def pairs(session: Session) -> Table:
    """Return every candidate pair that was tried, as both ends saw it."""
    rows = tuple(
        (
            code(pair_words(pair)),
            Cell("relay" if pair.relayed else "direct"),
            Cell(*STATE[pair.state]) if pair.agreed or pair.state != "succeeded" else Cell("one end only", "warn"),
            Cell(_trips(pair)),
            Cell(_view(pair.a)),
            Cell(_view(pair.b)),
        )
        for pair in session.pairs
    )
    return Table(caption="Candidate pairs", columns=("pair", "way", "state", "round trip", "A saw", "B saw"), rows=rows)


def pair_words(pair: JoinedPair) -> str:
    """Return both addresses, each as the other end sends to it."""
    return f"A {pair.a.type} {pair.a.address} - B {pair.b.type} {pair.b.address}"


def _trips(pair: JoinedPair) -> str:
    return ", ".join(
        f"{name} {ms(end.rtt_ms)}" for name, end in (("A", pair.a), ("B", pair.b)) if end.rtt_ms is not None
    )


def _view(end: PairEnd) -> str:
    if end.state is None:
        return "nothing of it"
    mapped = f", seen as {end.mapped}" if end.mapped not in (None, end.base) else ""
    return f"from {end.base}{mapped}: {count(end.requests, 'check')} sent, {end.answered} answered, {end.heard} heard"


def ways(session: Session) -> Table:
    """Return the packets of each way."""
    rows = tuple(
        (
            Cell(f"{way.sender.upper()} to {way.receiver.upper()}"),
            Cell(str(way.sent)),
            Cell(*lost_words(way)),
            Cell(str(way.reordered)),
            Cell(ms(way.jitter_ms)),
            Cell(f"{ms(way.round_trip_ms.p50)} / {ms(way.round_trip_ms.p95)}" if way.round_trip_ms else ""),
        )
        for way in session.ways
    )
    return Table(
        caption="Packets each way",
        columns=("way", "sent", "lost", "reordered", "jitter", "round trip, median / p95"),
        rows=rows,
    )


def lost_words(way: OneWay) -> tuple[str, Tone]:
    """Return how many got lost."""
    if way.lost_percent is None:
        return "not known", "muted"
    return f"{way.sent - way.received} ({way.lost_percent:.1f} %)", "warn" if way.sent > way.received else "ok"


def learned(session: Session) -> Table:
    """Return the peer-reflexive candidates, and what they prove."""
    rows = tuple(
        (
            code(str(item.address)),
            Cell(item.whose.upper()),
            code(item.told),
            Cell(f"the NAT at {item.whose.upper()} maps by destination (symmetric)" if item.proves else "nothing"),
            Cell(item.why_not),
        )
        for item in session.learned
    )
    return Table(
        caption="Addresses that only checks showed",
        columns=("address", "whose", "told instead", "proves", "why not more"),
        rows=rows,
    )


def learned_words(session: Session) -> list[str]:
    """Say what they prove, once for each told address."""
    seen: dict[tuple[Letter, TransportAddress | None], list[str]] = {}
    for item in session.learned:
        if item.proves:
            seen.setdefault((item.whose, item.told), []).append(str(item.address.port))
    return [
        f"{whose.upper()} told port {told.port if told else ''} and used {' and '.join(ports)} towards the other end: "
        "its NAT maps by destination (symmetric)"
        for (whose, told), ports in seen.items()
    ]


def predictions(session: Session, comparison: Comparison) -> Table:
    """Return what the reports promised beside what happened."""
    known = session.prediction
    rows = [
        (f"direct, IPv{family[-1]}", item.predicted, item.happened, item.right, item.why)
        for family, item in known.families.items()
    ]
    rows.append(("direct", known.direct, comparison.direct, known.direct_right, ""))
    rows.append(("through a relay", known.relayed, comparison.relayed, known.relayed_right, ""))
    cells = tuple(
        (Cell(what), _answer(promised), _answer(happened), Cell(*RIGHT[right]), Cell(why))
        for what, promised, happened, right, why in rows
    )
    note = f"Wrong was {known.wrong_input}." if known.wrong_input else ""
    columns = ("path", "predicted", "happened", "it was", "why")
    return Table(caption="What the two reports predicted", columns=columns, rows=cells, note=note)


def _answer(answer: Reachable) -> Cell:
    return Cell("not known" if answer == "unknown" else answer, REACH_TONE[answer])


def times(session: Session) -> Table:
    """Return when what happened, each end by its own clock."""
    rows = tuple((Cell(name), *_moments(side.times)) for name, side in (("A", session.a), ("B", session.b)))
    note = "From the moment at which each person pressed Enter; the two clocks are not compared."
    return Table(caption="When", columns=("end", *_TIMES.values()), rows=rows, note=note)


def _moments(found: SessionTimes) -> Iterator[Cell]:
    for field in _TIMES:
        yield Cell(ms(getattr(found, field)))


def selected(session: Session) -> Table:
    """Return which pair each policy used from when on."""
    rows = tuple(
        (
            Cell(f"{item.seen_by.upper()} at {ms(item.t_ms)}"),
            Cell(POLICY[item.policy]),
            code(f"A {item.a_type} {item.a} - B {item.b_type} {item.b}"),
        )
        for item in session.selected
    )
    return Table(caption="Selected pairs over time", columns=("seen by", "policy", "pair"), rows=rows, note=_OWN_START)


def gathering(session: Session) -> Table:
    """Return what gathering cost, or what trickle saved."""
    sides = (("A", session.a), ("B", session.b))
    rows = tuple((Cell(name), Cell(words)) for name, side in sides if (words := waiting_words(side)))
    return Table(caption="What gathering cost", columns=("end", "cost"), rows=rows)


def waiting_words(side: SessionSide) -> str:
    """Say what waiting for all candidates cost this end, or would have."""
    cost = side.waiting
    if cost is None:
        return ""
    last = ""
    if cost.server is not None:
        last = f"; last was {cost.server}" + ("" if cost.answered else ", which gave nothing")
    if cost.paid:
        return f"{ms(cost.kept_back_ms)} waited for the last candidate, as none was told before{last}"
    return f"trickle saved {ms(cost.kept_back_ms)}: the first candidate was told that much before the last{last}"
