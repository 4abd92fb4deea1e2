"""Two ends of a session in a lab: which pairs they use, what both learn, and what they release."""

from pathlib import Path

import pytest

from support.sessions import held

pytestmark = pytest.mark.lab
RESTRICTED = "eim/apdf delay=20ms v6=blocked"
SYMMETRIC = "apdm/apdf delay=20ms v6=blocked"
PASTED = {"SESSION_PASTE_S": "2"}


@pytest.mark.parametrize("settings", [{}, {"SESSION_TRICKLE": "0"}, PASTED], ids=["trickle", "whole", "copied text"])
def test_two_ends_behind_nats_that_filter_by_port_agree_on_a_direct_pair_and_on_a_relay(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    seen = held(tmp_path, RESTRICTED, RESTRICTED, settings=settings)

    for end in seen.values():
        assert [end.outcome(policy) for policy in ("all", "direct", "relay")] == ["connected"] * 3
        assert end.session["stop"] == "done"
        assert end.session["released"]
        gave = {item["type"]: item["server"] for item in end.candidates}
        assert gave == {"host": None, "srflx": "stun:203.0.113.10:3478", "relay": "turn:203.0.113.10:3478"}
        (stream,) = end.streams
        assert (stream["inward"]["sent"], stream["inward"]["received"], stream["round_trips"]) == (50, 50, 50)
        assert 80 <= stream["round_trip_ms"]["p50"] < 100
    a, b = seen["a"].selected("all"), seen["b"].selected("all")
    assert (a["local_type"], a["remote_type"]) == ("srflx", "srflx")
    assert (b["local_type"], b["remote_type"]) == ("srflx", "srflx")
    assert "relay" in seen["a"].selected("relay").values()
    assert seen["a"].remote_report == seen["b"].report
    assert seen["b"].remote_report == seen["a"].report


def test_a_relay_that_connects_two_nats_of_which_one_is_symmetric_is_no_direct_path(tmp_path: Path) -> None:
    seen = held(tmp_path, RESTRICTED, SYMMETRIC)

    for end in seen.values():
        assert [end.outcome(policy) for policy in ("all", "direct", "relay")] == [
            "connected",
            "no-pair-answered",
            "connected",
        ]
    (own,) = [item for item in seen["b"].learned if item["whose"] == "own"]
    (remote,) = [item for item in seen["a"].learned if item["whose"] == "remote"]
    assert own["address"] == remote["address"] != own["told"] == remote["told"]


@pytest.mark.parametrize("settings", [{}, {"SESSION_PASTE_S": "1", "SESSION_LASTS_S": "13"}], ids=["trickle", "copied"])
def test_where_no_pair_answers_that_is_known_within_ten_seconds(tmp_path: Path, settings: dict[str, str]) -> None:
    seen = held(tmp_path, RESTRICTED, SYMMETRIC, settings={"SESSION_TURN": "0", **settings})

    a = seen["a"].session
    assert a["stop"] == "no-path"
    assert a["duration_ms"] - a["times"]["heard_ms"] < 10_000
    assert seen["b"].session["stop"] == ("expired" if settings else "no-path")
    assert seen["a"].outcome("direct") == "no-pair-answered"
    # Who waits for copied text never learns whether the other pasted it.
    assert seen["b"].outcome("direct") == ("ended-early" if settings else "no-pair-answered")
    assert bool(seen["a"].remote_report) is not bool(settings)
