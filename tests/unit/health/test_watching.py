"""What changed from round to round."""

from rtcdiag.health import HealthResult, unchecked
from rtcdiag.health.watching import Watcher
from support.evidence import binding, failed, run
from support.health import STARTED, TURN, health_target, healthy, result

OK = healthy()
BAD = result(run(TURN.target(), binding(TURN.uri, TURN.address, failed())))
LATER = unchecked(health_target(), depth="relay", started_at=STARTED, why="it was interrupted")


def flips(*results: HealthResult) -> list[tuple[str, str, bool]]:
    watcher = Watcher()
    for item in results:
        watcher.see(item)
    return [(flip.before, flip.now, flip.recovers) for flip in watcher.flips()]


def test_only_what_changed_is_told_and_the_first_round_is_no_change() -> None:
    assert flips(BAD) == []
    assert flips(OK, OK) == []
    assert flips(OK, BAD) == [("ok", "failed", False)]
    assert flips(BAD, OK) == [("failed", "ok", True)]


def test_a_round_without_an_answer_changes_nothing() -> None:
    assert flips(OK, LATER, OK) == []
    assert flips(OK, LATER, BAD) == [("ok", "failed", False)]
    assert flips(LATER, OK) == [("not-tested", "ok", True)]


def test_a_change_is_told_once() -> None:
    watcher = Watcher()
    for item in (OK, BAD):
        watcher.see(item)
    assert len(watcher.flips()) == 1
    watcher.see(BAD)
    assert watcher.flips() == ()
