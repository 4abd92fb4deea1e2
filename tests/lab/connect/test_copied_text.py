"""Two people with a terminal each, who copy codes, and paste something wrong first."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from support.process import RTCDIAG, run

pytestmark = pytest.mark.lab
PERSON = Path(__file__).parents[2] / "support" / "connect_person.py"
NAT = "eim/apdf delay=20ms v6=blocked"


class Ends:
    """What the terminals showed and what was saved."""

    def __init__(self, directory: Path, *options: str) -> None:
        directory.chmod(0o777)
        script = f"exec {sys.executable} {PERSON} {directory} {' '.join(options)} > {directory}/$RTCDIAG_LAB_SIDE.txt"
        line = [RTCDIAG, "lab", "pair", "--a", NAT, "--b", NAT, "--with", "coturn", "--", "sh", "-c", script]
        done = run(line, timeout=90)
        assert done.returncode == 0, done.stderr + "".join(path.read_text() for path in directory.glob("?.txt"))
        self.shown = {side: (directory / f"{side}.txt").read_text() for side in "ab"}
        self.directory = directory

    def report(self, side: str) -> dict[str, Any]:
        (path,) = (self.directory / side).glob("rtcdiag-*Z.json")
        report: dict[str, Any] = json.loads(path.read_text())
        return report

    def joined(self, side: str) -> list[dict[str, Any]]:
        """Return what this end saved of both ends together."""
        return [json.loads(path.read_text()) for path in (self.directory / side).glob("rtcdiag-*Z-session.json")]

    def session(self, side: str) -> dict[str, Any]:
        (found,) = [item for item in self.report(side)["evidence"] if item["kind"] == "PeerSession"]
        return dict(found)


def test_two_people_connect_although_each_pastes_something_wrong_first(tmp_path: Path) -> None:
    ends = Ends(tmp_path)
    for side, shown in ends.shown.items():
        assert "exit 0" in shown, shown
        assert "1 local address, TURN relay 203.0.113.10. Valid 10 minutes, one use." in shown
        assert ends.report(side)["command"] == "connect"
        assert ends.session(side)["policies"][0]["outcome"] == "connected"
    (a,), (b,) = (ends.joined(side) for side in "ab")
    assert a == b
    assert (a["kind"], a["direct"], a["relayed"], a["verdict"]["direct_p2p"]) == ("connect", "yes", "yes", "confirmed")
    assert "rtcdiag: you pasted your own offer" in ends.shown["a"]
    assert "rtcdiag: this code is cut off" in ends.shown["b"]
    assert ends.session("a")["session"] == ends.session("b")["session"]
    assert [ends.session(side)["role"] for side in "ab"] == ["offerer", "answerer"]
    assert oct((tmp_path / "a" / "rtcdiag" / "used-codes").stat().st_mode)[-3:] == "600"


def _local(session: dict[str, Any]) -> list[str]:
    return [value for value in session["remote_candidates"] if "192.168." in value]


def test_codes_without_local_addresses_hold_none_and_connect(tmp_path: Path) -> None:
    ends = Ends(tmp_path, "--hide-local")
    for side in "ab":
        told = ends.session(side)["remote_candidates"]
        assert {value.split()[7] for value in told} == {"srflx", "relay"}
        assert not _local(ends.session(side))
        assert "local address" not in ends.shown[side]
        assert "Your report stays here" in ends.shown[side]
        assert not ends.joined(side)
        assert "exit 0" in ends.shown[side]


def test_codes_with_relays_only_hold_nothing_else_and_connect(tmp_path: Path) -> None:
    ends = Ends(tmp_path, "--relay-only")
    for side in "ab":
        told = ends.session(side)["remote_candidates"]
        assert told
        assert all(" 203.0.113.10 " in value and " typ relay" in value for value in told)
        assert not [value for value in told if "raddr" in value and "raddr 0.0.0.0" not in value]
        assert "reveals: TURN relay 203.0.113.10. Valid" in ends.shown[side]
        assert not ends.joined(side)
        assert "exit 0" in ends.shown[side]


def _redacted(directory: Path) -> list[str]:
    """Hold a redacted session; return what shows the server's address."""
    directory.mkdir()
    ends = Ends(directory, "--redact", "strict", "-v")
    told: list[str] = []
    for side, shown in ends.shown.items():
        assert "exit 0" in shown, shown
        assert "1 TURN relay. Valid" in shown
        assert "will be redacted. The other end is told addresses all the same" in shown
        saved = [path.read_text() for path in (ends.directory / side).glob("rtcdiag-*")]
        assert len(saved) == 4
        told += (shown, *saved)
        (joined,) = ends.joined(side)
        assert (joined["redaction"]["level"], joined["verdict"]["direct_p2p"]) == ("strict", "confirmed")
    return [text for text in told if re.search(r"(?<![\d.])203\.0\.113\.10(?!\d)", text)]


def test_a_redacted_session_shows_no_address_but_in_the_code(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    # The lab's addresses are in the ranges of pseudonyms: by chance, and not twice, one stands for another.
    assert not _redacted(tmp_path / "once") or not _redacted(tmp_path / "again")


OPTIONS = '--no-control --no-gateway --server "$RTCDIAG_LAB_STUN" --server "$RTCDIAG_LAB_TURN"'


def test_codes_go_through_named_pipes_and_a_wrong_answer_in_one_is_waited_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    script = f"""
cd {tmp_path}; export XDG_STATE_HOME=$PWD/$RTCDIAG_LAB_SIDE
connect="{RTCDIAG} connect {OPTIONS} --reports-dir $RTCDIAG_LAB_SIDE"
if [ $RTCDIAG_LAB_SIDE = a ]; then
  exec $connect --out offer --in answer 2> a.txt
fi
cat offer > offered
echo hello > answer
exec $connect offered --out answer 2> b.txt
"""
    for name in ("offer", "answer"):
        os.mkfifo(tmp_path / name)
    line = [RTCDIAG, "lab", "pair", "--a", NAT, "--b", NAT, "--with", "coturn", "--", "sh", "-c", script]
    done = run(line, timeout=90)
    assert done.returncode == 0, done.stderr
    shown = (tmp_path / "a.txt").read_text()
    assert "rtcdiag: there is no code in this text" in shown
    assert "It is read from answer." in shown
    assert "Connected" in shown


@pytest.mark.parametrize(("name", "code"), [("INT", 130), ("TERM", 143)])
def test_a_signal_while_the_person_copies_releases_everything_and_saves_the_report(
    tmp_path: Path, name: str, code: int
) -> None:
    tmp_path.chmod(0o777)
    python = f"""
import os, signal, subprocess, time
line = {[RTCDIAG, "connect", "--no-control", "--no-gateway", "--out", "offer", "--in", "answer"]!r}
line += ["--server", os.environ["RTCDIAG_LAB_STUN"], "--server", os.environ["RTCDIAG_LAB_TURN"]]
program = subprocess.Popen(line, stdout=subprocess.DEVNULL)
while not os.path.exists("offer"):
    time.sleep(0.02)
time.sleep(1)
program.send_signal(signal.SIG{name})
raise SystemExit(program.wait(20) != {code})
"""
    line = [RTCDIAG, "lab", "run", "--nat", NAT, "--with", "coturn", "--", sys.executable, "-c", python]
    done = run(line, timeout=60, cwd=tmp_path, env={"XDG_STATE_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "reports").glob("*.json")
    report = json.loads(path.read_text())
    (session,) = [item for item in report["evidence"] if item["kind"] == "PeerSession"]
    assert report["interrupted"]
    assert (session["stop"], session["released"]) == ("interrupted", True)
    assert "relay" in {item["type"] for item in report["candidates"]}
