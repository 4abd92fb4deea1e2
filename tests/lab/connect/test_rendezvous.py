"""Two commands, each behind its own NAT, that meet at a rendezvous."""

import json
from pathlib import Path

import pytest

from support.meetings import End, Killed, met
from support.process import RTCDIAG, run

pytestmark = pytest.mark.lab
RESTRICTED = "eim/apdf delay=20ms v6=blocked"
SYMMETRIC = "apdm/apdf delay=20ms v6=blocked"
CARRIERS = pytest.mark.parametrize("signaling", ["sse", "websocket"])


@pytest.mark.parametrize(
    ("a", "b", "options"),
    [("sse", "sse", ()), ("websocket", "sse", ()), ("sse", "websocket", ("--no-trickle",))],
    ids=["sse", "mixed", "without trickle"],
)
def test_two_people_meet_and_connect_directly(tmp_path: Path, a: str, b: str, options: tuple[str, ...]) -> None:
    ends = met(tmp_path, (RESTRICTED, RESTRICTED), *options, a=("--signaling", a), b=("--signaling", b))

    sessions = {side: end.session for side, end in ends.items()}
    assert {side: item["signaling"] for side, item in sessions.items()} == {"a": a, "b": b}
    assert {side: item["role"] for side, item in sessions.items()} == {"a": "offerer", "b": "answerer"}
    assert len({item["session"] for item in sessions.values()}) == 1
    for end in ends.values():
        assert end.session["stop"] == "done"
        assert end.session["trickle"] is not bool(options)
        assert end.report["verdict"]["direct_p2p"] == "confirmed"


@CARRIERS
def test_reports_go_over_the_pair_where_the_rendezvous_dies_after_both_connected(
    tmp_path: Path, signaling: str
) -> None:
    way = ("--signaling", signaling)
    met(tmp_path, (RESTRICTED, RESTRICTED), a=way, b=way, until="^Measuring")

    joined = [json.loads((tmp_path / f"report.{side}").read_text()) for side in "ab"]
    assert [item["kind"] for item in joined] == ["connect", "connect"]
    assert joined[0] == joined[1]
    assert joined[0]["verdict"]["direct_p2p"] == "confirmed"


def concludes_nothing(directory: Path, end: End) -> bool:
    (code,) = [path.read_text().strip() for path in directory.glob("code.?")]
    outcomes = {item["outcome"] for item in end.session["policies"] if item["policy"] != "relay"}
    return (end.report["verdict"]["direct_p2p"], outcomes, code) == ("inconclusive", {"ended-early"}, "3")


@CARRIERS
@pytest.mark.parametrize("side", ["a", "b"])
def test_a_command_that_is_killed_while_both_check_proves_no_blocked_path_to_the_other(
    tmp_path: Path, signaling: str, side: str
) -> None:
    way = ("--signaling", signaling)
    (end,) = met(tmp_path, (RESTRICTED, SYMMETRIC), a=way, b=way, killed=Killed(side, by=side)).values()

    assert concludes_nothing(tmp_path, end), end.told
    assert end.session["stop"] == "peer-left"
    assert "session-peer-left" in {item["code"] for item in end.report["findings"]}
    assert "The other side is gone: nothing came from it any more" in end.told
    assert end.session["duration_ms"] - end.session["times"]["heard_ms"] < 16_000


@CARRIERS
def test_a_command_that_is_killed_before_it_described_itself_is_told_away_at_once_and_leaves_nothing_to_conclude(
    tmp_path: Path, signaling: str
) -> None:
    way = ("--signaling", signaling)
    end = killed_early(tmp_path, way, "--deadline", "12")

    assert concludes_nothing(tmp_path, end), end.told
    assert "The other person is not connected to the rendezvous at the moment" in end.told
    assert (end.session["stop"], end.session["detail"]) == ("no-peer", "none within 12 s")


@pytest.mark.slow
def test_a_command_that_is_killed_before_it_described_itself_is_given_up_after_the_forty_seconds_of_the_rendezvous(
    tmp_path: Path,
) -> None:
    end = killed_early(tmp_path, ("--signaling", "websocket"))

    assert concludes_nothing(tmp_path, end), end.told
    assert end.session["stop"] == "peer-left"
    assert "it was ended, or a network was lost" in end.session["detail"]
    assert end.session["duration_ms"] < 60_000


def killed_early(directory: Path, way: tuple[str, ...], *options: str) -> End:
    """Kill the command that joins while it waits for a server, at which nobody is, before it tells anything."""
    slow = (*way, "--no-trickle", "--server", "stun:203.0.113.77")
    killed = Killed("b", said="They joined", by="a")
    return met(directory, (RESTRICTED, RESTRICTED), a=(*way, *options), b=slow, killed=killed)["a"]


def test_two_terminals_of_one_computer_meet_and_prove_nothing_for_two_computers(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    common = "--no-control --no-gateway --server $RTCDIAG_LAB_STUN --json"
    script = f"""
cd {tmp_path}
{RTCDIAG} serve signal --quiet & served=$!
for _ in $(seq 200); do bash -c '</dev/tcp/127.0.0.1/3480' 2>/dev/null && break; sleep 0.1; done
{RTCDIAG} connect --rendezvous http://127.0.0.1:3480 {common} --reports-dir a >a.json 2>a.txt & first=$!
for _ in $(seq 200); do grep -qs "^rtcdiag connect '" a.txt && break; sleep 0.1; done
{RTCDIAG} connect "$(sed -n "s/^rtcdiag connect .\\(http.*\\).$/\\1/p" a.txt)" {common} --reports-dir b >b.json 2>b.txt
echo $? >b.code
wait $first; echo $? >a.code
kill $served
"""
    line = [RTCDIAG, "lab", "run", "--nat", RESTRICTED, "--with", "coturn", "--", "sh", "-c", script]
    done = run(line, timeout=60)
    assert done.returncode == 0, done.stderr
    for side in "ab":
        own = json.loads(next((tmp_path / side).glob("rtcdiag-*Z.json")).read_text())
        assert (own["verdict"]["direct_p2p"], (tmp_path / f"{side}.code").read_text()) == ("inconclusive", "3\n")
        assert "session-one-computer" in {item["code"] for item in own["findings"]}
