"""A session of two on a terminal without -v, as one end saw it."""

from collections.abc import Iterator

from rtcdiag.formats.tables import browser
from rtcdiag.formats.tables.session import ANSWER, lost_words, ordered, pair_words
from rtcdiag.formats.terminal import Paper, Row, Section
from rtcdiag.formats.words import POLICY, SIGNALING, ms
from rtcdiag.report import Report, evidence_of
from rtcdiag.session import End, end_of


def session(paper: Paper, report: Report) -> Section:
    """Return what the session came to; nothing where none was held."""
    evidence, _ = evidence_of(report)
    end = end_of(evidence)
    more = (f"{label}: {told}" for label, told in browser.words(evidence)) if end and end.with_browser else ()
    rows = (*_rows(paper, end), *((paper.text(line),) for line in more)) if end is not None else ()
    return Section(label="Session", rows=rows, noun="detail of the session", weight=6)


def _rows(paper: Paper, end: End) -> Iterator[Row]:
    for item in end.session.policies:
        word, tone = ANSWER[end.answer(item.policy)]
        nominated_ms = item.nominated_ms
        checked = ms(end.session.times.checked_for_ms(nominated_ms)) if nominated_ms is not None else ""
        after = f" after {checked} of checks" if checked else ""
        yield (paper.text(f"{POLICY[item.policy]:<14}", paper.tag(tone, word), after),)
    for pair in ordered(end):
        if pair.nominated:
            used = ", ".join(POLICY[policy] for policy in pair.nominated)
            yield (paper.text(f"{pair_words(pair)} ({used})"),)
    for stream in end.streams:
        lost, tone = lost_words(stream)
        trip = f"; round trip {ms(stream.round_trip_ms.p50)}" if stream.round_trip_ms else ""
        jitter = f", jitter {ms(stream.inward.jitter_ms.mean)}" if stream.inward.jitter_ms else ""
        yield (paper.text("packets from there: lost ", (lost, tone), jitter, trip),)
    if end.pairs:
        worked, by = len(end.reached), SIGNALING[end.session.signaling]
        other = ", with another application" if end.session.application else ""
        yield (paper.text(f"{worked} of {len(end.pairs)} candidate pairs connected; signaling by {by}{other}"),)
