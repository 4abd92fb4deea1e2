"""One of two ends leaves early, orderly or not: what the other one concludes, and how soon."""

from pathlib import Path

import pytest

from support.sessions import Seen, survived

pytestmark = pytest.mark.lab
OPEN = "eim/apdf delay=20ms v6=blocked"
SYMMETRIC = "apdm/apdf delay=20ms v6=blocked"
PASTED = {"SESSION_PASTE_S": "0.3"}
KINDS = pytest.mark.parametrize("kind", [{}, PASTED], ids=["rendezvous", "copied text"])


def after_ms(seen: Seen) -> float:
    """Return how long the survivor went on after it had heard of the other."""
    return float(seen.session["duration_ms"] - seen.session["times"]["heard_ms"])


@pytest.mark.parametrize("nats", [(OPEN, SYMMETRIC), (SYMMETRIC, OPEN)], ids=["answered late", "silent"])
def test_an_end_that_is_killed_while_pairs_are_checked_proves_no_blocked_path(
    tmp_path: Path, nats: tuple[str, str]
) -> None:
    seen = survived(tmp_path, nats, "b KILL checking", {"SESSION_TURN": "0"})

    assert seen.session["stop"] == "peer-left"
    assert "nothing came from it any more" in seen.session["detail"]
    assert [seen.outcome(policy) for policy in ("all", "direct")] == ["ended-early"] * 2
    assert after_ms(seen) < 15_000


def test_an_end_that_is_killed_while_direct_pairs_are_tried_beside_a_relay_proves_nothing_of_them(
    tmp_path: Path,
) -> None:
    seen = survived(tmp_path, (OPEN, SYMMETRIC), "b KILL beside", {})

    assert (seen.outcome("relay"), seen.outcome("direct")) == ("connected", "ended-early")


def test_an_end_that_stays_is_known_to_have_been_there_where_no_pair_answers(tmp_path: Path) -> None:
    seen = survived(tmp_path, (OPEN, SYMMETRIC), "b KILL never", {"SESSION_TURN": "0"})

    assert (seen.session["stop"], seen.outcome("direct")) == ("no-path", "no-pair-answered")
    assert seen.session["times"]["last_sign_ms"] > seen.session["times"]["heard_ms"]


@KINDS
@pytest.mark.parametrize("stage", ["connected", "measuring", "reporting"])
def test_an_end_that_is_killed_after_both_connected_is_missed_soon_and_the_path_stays_proven(
    tmp_path: Path, kind: dict[str, str], stage: str
) -> None:
    seen = survived(tmp_path, (OPEN, OPEN), f"b KILL {stage}", {**kind, "SESSION_MEASURE_S": "3"})

    assert (seen.session["stop"], seen.outcome("direct")) == ("done", "connected")
    assert not seen.remote_report
    assert "the other side's report did not come" in seen.told
    assert after_ms(seen) < 18_000


@KINDS
@pytest.mark.parametrize("stage", ["connected", "measuring"])
def test_an_end_that_leaves_in_order_after_both_connected_is_known_to_have_left_at_once(
    tmp_path: Path, kind: dict[str, str], stage: str
) -> None:
    seen = survived(tmp_path, (OPEN, OPEN), f"b INT {stage}", {**kind, "SESSION_MEASURE_S": "3"})

    assert (seen.session["stop"], seen.outcome("direct")) == ("done", "connected")
    assert seen.session["duration_ms"] - seen.session["times"]["last_sign_ms"] < 5000, "a silent one is given longer"


def test_an_end_that_leaves_in_order_while_pairs_are_checked_is_told_at_once(tmp_path: Path) -> None:
    seen = survived(tmp_path, (OPEN, SYMMETRIC), "b INT checking", {"SESSION_TURN": "0"})

    assert (seen.session["stop"], seen.session["detail"]) == ("peer-left", "its command was ended")
    assert after_ms(seen) < 3000


@pytest.mark.parametrize(("how", "stop"), [("INT", "peer-left"), ("KILL", "no-peer")])
def test_an_end_that_ends_before_it_described_itself_leaves_nothing_to_conclude(
    tmp_path: Path, how: str, stop: str
) -> None:
    seen = survived(tmp_path, (OPEN, OPEN), f"b {how} heard", {"SESSION_LASTS_S": "5"})

    assert seen.session["stop"] == stop
    assert [seen.outcome(policy) for policy in ("all", "direct", "relay")] == ["ended-early"] * 3
