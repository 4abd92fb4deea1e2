"""A real browser on one end of a session: on this computer behind a NAT, and on another one behind its own."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from support.process import RTCDIAG, run

pytestmark = [pytest.mark.lab, pytest.mark.browser]
SESSION = Path(__file__).parents[2] / "support" / "browser_session.py"
NAT = "eim/apdf delay=20ms v6=blocked"
STUN, TURN = "-s $RTCDIAG_LAB_STUN", "-s $RTCDIAG_LAB_TURN"


class Seen:
    """What program and page said."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.code, self.said, self.listens = found["code"], found["said"], found["listens"]
        self.report, self.page, self.leaks = found["report"], found["page"], found["leaks"]
        self.verdict = self.report["verdict"]
        self.codes = {item["code"] for item in self.report["findings"]}

    def of(self, kind: str) -> dict[str, Any]:
        return dict(next(item for item in self.report["evidence"] if item["kind"] == kind))

    def outcome(self, policy: str) -> str:
        (found,) = [item["outcome"] for item in self.of("PeerSession")["policies"] if item["policy"] == policy]
        return str(found)


def script(directory: Path, options: str) -> str:
    return f"exec {sys.executable} {SESSION} {directory} {options}"


def on_one_computer(directory: Path, options: str) -> Seen:
    line = [RTCDIAG, "lab", "run", "--nat", NAT, "--with", "coturn", "--", "sh", "-c", script(directory, options)]
    done = run(line, timeout=110)
    assert done.returncode == 0, done.stderr
    return Seen(json.loads(done.stdout))


def on_two(directory: Path, a: str, b: str, options: str) -> Seen:
    directory.chmod(0o777)
    to = f"{script(directory, options)} > {directory}/seen.$RTCDIAG_LAB_SIDE"
    done = run(
        [RTCDIAG, "lab", "pair", "--a", a, "--b", b, "--with", "coturn", "--", "sh", "-c", to],
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    page, found = (json.loads((directory / f"seen.{side}").read_text()) for side in "ab")
    return Seen(found | page)


def test_a_browser_and_the_program_on_one_computer_connect_and_open_data_channels(tmp_path: Path) -> None:
    seen = on_one_computer(tmp_path, f"{STUN} {TURN}")

    assert seen.code == 0, seen.said
    assert seen.verdict["status"] in ("healthy", "degraded"), seen.codes  # a busy machine has jitter
    assert seen.verdict["direct_p2p"] == "not-tested"
    channel, stream, view = seen.of("DataChannel"), seen.of("PeerStream"), seen.of("BrowserView")
    assert channel["outcome"] == "open"
    assert (channel["sent"], stream["inward"]["sent"]) == (150, 150)
    assert min(channel["received_there"], stream["inward"]["received"], stream["round_trips"]) >= 140
    assert min(channel["inward_kbps"], channel["outward_kbps"]) > 0
    assert [item.split()[7] for item in view["candidates"]].count("host") >= 1
    assert all(".local " in item for item in view["candidates"] if item.endswith("typ host"))
    # A browser that connects first, on a busy machine, stops gathering.
    assert {"srflx", "relay"} <= {item.split()[7] for item in view["candidates"]} or view["gathered_ms"] is None
    assert "browser-no-relay" not in seen.codes
    assert view["browser"].startswith("Chrom")
    assert [round(item["after_ms"], -3) for item in view["selected"]][:3] == [0, 2000, 10_000]
    assert {"browser-names", "session-one-computer"} <= seen.codes


def test_the_page_says_what_the_terminal_says_and_nothing_listens_after_it(tmp_path: Path) -> None:
    seen = on_one_computer(tmp_path, f"{STUN} {TURN}")

    assert seen.page["word"].startswith("Works"), seen.codes
    assert seen.verdict["summary"] in seen.page["text"]
    assert "203.0.113.130" in seen.page["text"]
    assert "192.168.1.2" in seen.page["text"]
    assert "The browser hides local addresses behind random names" in seen.page["text"]
    assert "rtcdiag itself may be the limit" in seen.page["text"]
    assert seen.page["wide"] <= 400
    assert not seen.listens
    assert not seen.leaks


def test_a_browser_on_another_computer_connects_directly_through_both_nats(tmp_path: Path) -> None:
    seen = on_two(tmp_path, NAT, NAT, f"{STUN} {TURN}")

    assert seen.code == 0, seen.said
    assert seen.verdict["direct_p2p"] == "confirmed"
    assert seen.outcome("direct") == "connected"
    assert seen.of("DataChannel")["outcome"] == "open"
    assert seen.of("PeerStream")["round_trip_ms"]["p50"] >= 80
    assert "session-one-computer" not in seen.codes
    assert "browser-other-address" not in seen.codes
    assert seen.page["word"].startswith("Works")


def test_a_browser_whose_network_blocks_udp_gets_the_reason_and_not_a_path(tmp_path: Path) -> None:
    seen = on_two(tmp_path, "eim/apdf udp=blocked v6=blocked", NAT, STUN)

    assert seen.code == 1, seen.said
    assert seen.verdict["status"] == "broken"
    assert seen.of("PeerSession")["stop"] in ("no-path", "no-candidates")
    assert seen.page["word"] == "Broken"
    assert seen.verdict["summary"] in seen.page["text"]
    assert not seen.listens


def test_with_relays_only_both_ends_use_nothing_else(tmp_path: Path) -> None:
    seen = on_two(tmp_path, NAT, "apdm/apdf delay=20ms v6=blocked", f"{STUN} {TURN} --relay-only")

    assert seen.code == 0, seen.said
    view = seen.of("BrowserView")
    assert {item.split()[7] for item in view["candidates"]} == {"relay"}
    assert view["relay_only"]
    assert {item["local_type"] for item in view["selected"]} == {"relay"}
    assert seen.of("DataChannel")["outcome"] == "open"
