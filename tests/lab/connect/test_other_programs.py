"""An end that is another program, or means ill."""

import json
from pathlib import Path

import pytest

from support.sessions import Seen, held_with

pytestmark = pytest.mark.lab
RESTRICTED = "eim/apdf delay=20ms v6=blocked"


def connected(seen: Seen) -> bool:
    return seen.outcome("direct") == "connected" and seen.session["stop"] == "done" and bool(seen.session["released"])


@pytest.mark.parametrize("offers", [True, False], ids=["rtcdiag controls", "aioice controls"])
def test_an_agent_of_another_program_connects_and_nothing_is_measured_with_it(tmp_path: Path, *, offers: bool) -> None:
    seen = held_with(tmp_path, "aioice", offers=offers, nat=RESTRICTED)

    assert connected(seen)
    assert ": connected\n" in seen.told
    assert seen.streams == []
    assert seen.remote_report == b""


def test_that_a_program_which_stops_at_its_first_pair_used_a_relay_says_nothing_of_direct_paths(tmp_path: Path) -> None:
    seen = held_with(tmp_path, "aioice", offers=False, nat="apdm/apdf delay=20ms v6=blocked", seconds=9.0)

    assert seen.outcome("relay") == "connected"
    assert seen.outcome("direct") == "ended-early"


@pytest.mark.parametrize("offers", [True, False])
def test_an_ice_lite_agent_is_controlled_and_nominated_for_whoever_offers(tmp_path: Path, *, offers: bool) -> None:
    seen = held_with(tmp_path, "lite", offers=offers, nat="none", seconds=8.0, settings={"SESSION_TURN": "0"})

    assert connected(seen)
    assert seen.session["times"]["nominated_ms"] is not None
    (saw,) = [line for line in seen.told.splitlines() if "lite saw" in line]
    assert {"ICE-CONTROLLING", "USE-CANDIDATE"} <= set(saw.split())
    assert "ICE-CONTROLLED" not in saw.split()
    assert sum(pair["heard"] for pair in seen.pairs) == 0


def test_a_network_is_looked_at_beside_a_session_that_is_over_at_once(tmp_path: Path) -> None:
    seen = held_with(tmp_path, "aioice", offers=False, nat="none delay=1ms", settings={"SESSION_TURN": "0"})

    assert connected(seen)
    assert len(seen.pairs) == 1
    assert {"Target", "Binding"} <= {item["kind"] for item in json.loads(seen.report)}


def test_two_ends_that_both_want_to_control_agree_on_one(tmp_path: Path) -> None:
    seen = held_with(tmp_path, "controlling", offers=True, nat=RESTRICTED)

    assert connected(seen)
    assert ": connected\n" in seen.told


def test_an_end_that_cannot_sign_is_not_connected_to(tmp_path: Path) -> None:
    seen = held_with(tmp_path, "wrong", offers=True, nat=RESTRICTED)

    assert seen.outcome("all") == "no-pair-answered"
    assert seen.session["stop"] == "no-path"


@pytest.mark.parametrize("how", ["garbage", "many"])
def test_an_end_that_floods_is_connected_to_all_the_same_and_makes_no_more_than_a_hundred_pairs(
    tmp_path: Path, how: str
) -> None:
    seen = held_with(tmp_path, how, offers=True, nat="none delay=20ms", settings={"SESSION_TURN": "0"})

    assert connected(seen)
    assert len(seen.pairs) <= 100
    assert len(seen.learned) <= 64
    assert sum(pair["checks"] for pair in seen.pairs) < 2000
