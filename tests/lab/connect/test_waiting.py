"""Sessions that last: a person who pastes late, and one who gives up."""

import json
from pathlib import Path

import pytest

from support.lab import lab
from support.process import RTCDIAG
from support.sessions import held

pytestmark = pytest.mark.lab
SHORT_LIVED = "eim/apdf delay=20ms v6=blocked lifetime=30s"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_answer_that_is_pasted_after_three_minutes_connects_although_mappings_live_thirty_seconds(
    tmp_path: Path,
) -> None:
    settings = {"SESSION_PASTE_S": "180", "SESSION_LASTS_S": "300"}
    seen = held(tmp_path, SHORT_LIVED, SHORT_LIVED, settings=settings, timeout=380)

    for end in seen.values():
        assert [end.outcome(policy) for policy in ("all", "direct", "relay")] == ["connected"] * 3
        assert not end.session["address_changed"]
        assert end.session["released"]


def test_a_nat_that_forgets_its_mappings_while_a_person_copies_is_noticed_and_told(tmp_path: Path) -> None:
    settings = {"SESSION_PASTE_S": "14", "SESSION_LASTS_S": "20", "SESSION_TURN": "0"}
    seen = held(tmp_path, "eim/apdf port=random restart=5s v6=blocked", "eim/apdf v6=blocked", settings=settings)

    assert seen["a"].session["address_changed"]
    assert not seen["b"].session["address_changed"]
    assert " a address-changed: " in seen["a"].told


@pytest.mark.parametrize(("signal", "code"), [("INT", 130), ("TERM", 143)])
def test_a_person_who_gives_up_gets_what_was_seen_and_holds_no_allocation(
    tmp_path: Path, signal: str, code: int
) -> None:
    tmp_path.chmod(0o777)
    script = f"""
cd {tmp_path}; mkfifo typed
(for _ in $(seq 600); do [ ! -s offer ] || break; sleep 0.1; done; sleep 1; kill -s {signal} $$) >/dev/null 2>&1 &
exec {RTCDIAG} connect --server "$RTCDIAG_LAB_TURN" --no-control --no-gateway --out offer --json >report <>typed
"""
    done = lab("run", "--nat", "eim/apdf delay=20ms", "--with", "coturn", "--", "sh", "-c", script)

    assert done.returncode == code, done.stderr
    report = json.loads((tmp_path / "report").read_text())
    (session,) = [item for item in report["evidence"] if item["kind"] == "PeerSession"]
    assert (session["stop"], session["released"], report["interrupted"]) == ("interrupted", True, True)
    assert "relay" in [item["type"] for item in report["candidates"]]


def test_a_person_who_gives_up_before_the_answer_is_pasted_is_told_of_no_blocked_path(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    command = f'{RTCDIAG} connect --server "$RTCDIAG_LAB_STUN" --no-control --no-gateway'
    script = f"""
cd {tmp_path}; export XDG_STATE_HOME=$PWD/$RTCDIAG_LAB_SIDE
if [ $RTCDIAG_LAB_SIDE = a ]; then exec timeout -s TERM 25 {command} --out offer --in never; fi
while [ ! -s offer ]; do sleep 0.1; done
timeout --preserve-status -s INT 13 {command} offer --out answer --json >report 2>told
"""
    lab("pair", "--a", SHORT_LIVED, "--b", SHORT_LIVED, "--with", "coturn", "--", "sh", "-c", script)

    assert "Where there is no path, nothing comes" in (tmp_path / "told").read_text()
    report = json.loads((tmp_path / "report").read_text())
    (session,) = [item for item in report["evidence"] if item["kind"] == "PeerSession"]
    assert {item["policy"]: item["outcome"] for item in session["policies"]}["direct"] == "ended-early"
    assert report["verdict"]["direct_p2p"] == "inconclusive"
