"""A session of two people as one end saw it: where it broke, what its NATs showed, and how good the path is."""

from collections.abc import Iterator

from rtcdiag.evidence import Evidence, Failure, Gathering, Observation, PeerStream
from rtcdiag.evidence.session import SessionStop
from rtcdiag.findings import Facts, Finding, find
from rtcdiag.rules.paths import clip
from rtcdiag.rules.quality import JITTER_MS, LOSS_PERCENT, TRIP_MS, grade, loses, shown_percent
from rtcdiag.session import End, end_of, latest, lessons

LATE_MS = 1000.0
"""So long may the slowest server keep candidates back before it is worth a word."""
_TRIED: tuple[SessionStop, ...] = ("done", "no-path", "expired")
"""After these, no answer is an answer: who waits for copied text checks until the session expires."""
TRIED = 3
"""So many datagrams to where a check came from, and no answer: not one of them arrived, or each answer was lost."""
_STOPS: dict[SessionStop, str] = {
    "no-peer": "session-no-peer",
    "expired": "session-expired",
    "peer-left": "session-peer-left",
    "signaling": "session-signaling-failed",
    "no-candidates": "session-no-candidates",
}


def outcome(evidence: Evidence) -> Iterator[Finding]:
    """Name the stage that broke, or what connected in spite of it."""
    end = end_of(evidence)
    if end is None:
        return
    if end.answer("all") == "yes":
        yield from _connected(end)
    elif end.answer("all") in ("no", "untested") and end.session.stop in _TRIED:
        yield _no_path(end)
    elif end.session.stop in _STOPS:
        why = end.session.detail or "no reason is known"
        yield find(_STOPS[end.session.stop], end.session.id, why=clip(why), by=end.session.signaling)
    elif end.session.stop in ("done", "no-path") and not _moved_away(end):
        yield _no_path(end)


def _moved_away(end: End) -> bool:
    """Tell whether it lost the address that it checked from: silence then says nothing of the path."""
    return end.session.address_changed and end.answer("all") == "unfinished"


def _connected(end: End) -> Iterator[Finding]:
    if end.same_computer:
        yield find("session-one-computer", end.session.id, *_ids(end.reached))
    if end.answer("direct") == "no" and end.answer("relay") == "yes":
        tried = end.of("direct")
        heard = sum(pair.heard for pair in tried)
        arrived = f"{heard} checks of the other end came in on them" if heard else "none of the other end's came in"
        yield find("session-relayed-only", end.session.id, *_ids(tried), pairs=len(tried), arrived=arrived)


def _no_path(end: End) -> Finding:
    ids = (end.session.id, *_ids(end.pairs))
    if not end.told:
        return find("session-peer-without-candidates", end.session.id, refused=end.session.refused_candidates)
    if any(pair.heard and pair.requests >= TRIED for pair in end.pairs):
        return find("session-one-way", *ids, heard=end.heard, sent=end.sent)
    if end.sent and not end.witnessed:
        code = "session-application-silent" if end.session.application else "session-silent"
        return find(code, *ids, pairs=len(end.pairs), sent=end.sent)
    if end.sent:
        return find("session-no-path", *ids, pairs=len(end.pairs), sent=end.sent, heard=end.heard or "none")
    if all(item.address is None for item in end.told):
        return find("session-peer-names-only", *ids, names=len(end.told))
    return find("session-no-pairs", *ids)


def _ids(seen: tuple[Observation, ...]) -> list[str]:
    return [item.id for item in seen]


def around(evidence: Evidence) -> Iterator[Finding]:
    """Name what happened beside the checks."""
    end = end_of(evidence)
    if end is None:
        return
    session = end.session
    if session.address_changed:
        yield find("session-address-changed", session.id)
    if session.refused_candidates and end.told:
        yield find("session-candidates-refused", session.id, refused=session.refused_candidates)
    if not session.released:
        yield find("session-relay-not-released", session.id)
    yield from _late(end)


def _late(end: End) -> Iterator[Finding]:
    """Name the server for which the description waited."""
    times = end.session.times
    if end.session.trickle or times.told_ms is None or times.first_candidate_ms is None:
        return
    before = tuple(item for item in end.gatherings if item.t_ms <= times.told_ms)
    waited, last = times.told_ms - times.first_candidate_ms, latest(before)
    if waited >= LATE_MS and last is not None and last.server is not None:
        yield find(
            "session-gathering-late",
            end.session.id,
            last.id,
            waited_s=round(waited / 1000, 1),
            server=last.server,
            got=_got(last),
        )


def _got(gathering: Gathering) -> str:
    if not gathering.candidates + gathering.redundant:
        return "and gave nothing"
    failed = gathering.failure not in (None, Failure.INTERRUPTED)
    return "and answered some of this computer's addresses only" if failed else "and answered"


def mappings(evidence: Evidence) -> Iterator[Finding]:
    """Tell what learned candidates prove of the NATs of both ends."""
    end = end_of(evidence)
    for lesson in lessons(end) if end is not None else ():
        if lesson.dependent:
            code = "session-mapping-differs" if lesson.whose == "own" else "session-peer-mapping-differs"
            yield find(code, lesson.seen.id, told=str(lesson.told), seen=str(lesson.address))


def quality(evidence: Evidence) -> Iterator[Finding]:
    """Judge what came from the other end over the selected pair."""
    end = end_of(evidence)
    for item in end.streams if end is not None else ():
        if item.inward.sent and not item.inward.received:
            yield find("session-no-data", item.id, sent=item.inward.sent, remote=str(item.remote))
        else:
            yield from _quality(item)


def _quality(item: PeerStream) -> Iterator[Finding]:
    got = item.inward
    if loses(got):
        facts: Facts = {"lost": got.lost, "sent": got.sent, "in_a_row": got.lost_in_a_row}
        percent = got.lost_percent
        yield find(
            "session-lossy",
            item.id,
            loss=shown_percent(percent),
            percent=round(percent, 3),
            grade=grade(percent, LOSS_PERCENT),
            **facts,
        )
    if got.jitter_ms is not None and got.jitter_ms.mean >= JITTER_MS[0]:
        mean = got.jitter_ms.mean
        yield find("session-jitter", item.id, jitter_ms=round(mean), grade=grade(mean, JITTER_MS))
    if item.round_trip_ms is not None and item.round_trip_ms.p50 >= TRIP_MS[0]:
        trip = item.round_trip_ms.p50
        yield find("session-far", item.id, trip_ms=round(trip), grade=grade(trip, TRIP_MS))
