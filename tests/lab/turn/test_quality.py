"""``check-turn --quality`` against what the lab's NAT wrote down packet by packet, and not against what was ordered."""

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rtcdiag.evidence import RelayQuality, decode_value
from support.lab import lab
from support.packet_log import STREAMS, Logged, streams
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

SECONDS = 4
PACKETS = 50 * SECONDS


class Run:
    """One run in the lab, and what its NAT wrote down."""

    def __init__(self, directory: Path, nat: str, *options: str, server: str = "coturn", query: str = "") -> None:
        log = directory / "packets.jsonl"
        check = f'exec {RTCDIAG} check-turn "$RTCDIAG_LAB_TURN{{}}" --json --quality {SECONDS} {" ".join(options)}'
        command = ("--nat", nat, "--with", server, "--packet-log", log, "--", "sh", "-c", check.format(query))
        done: subprocess.CompletedProcess[str] = lab("run", *command)
        assert done.returncode == 0, done.stderr
        self.report: dict[str, Any] = json.loads(done.stdout)
        (kept,) = [item for item in self.report["evidence"] if item["kind"] == "RelayQuality"]
        self.quality = msgspec.convert(kept, RelayQuality, dec_hook=decode_value)
        self.log = streams(log)

    @property
    def codes(self) -> set[str]:
        return {finding["code"] for finding in self.report["findings"] if finding["severity"] != "info"}

    def pairs(self) -> list[tuple[Any, Logged]]:
        return [(one, self.log[f"{one.way} {one.payload_bytes}"]) for one in self.quality.streams]


@pytest.mark.parametrize("percent", [1, 5])
def test_the_loss_is_that_of_the_nats_own_log_each_way(tmp_path: Path, percent: int) -> None:
    run = Run(tmp_path, f"eim/apdf delay=5ms loss={percent}%")
    assert [f"{one.way} {one.payload_bytes}" for one in run.quality.streams] == list(STREAMS)
    for one, logged in run.pairs():
        assert one.sent == len(logged.sent) == PACKETS
        assert one.lost_percent == pytest.approx(logged.lost_percent(), abs=0.1)
    assert sum(len(logged.lost) for _, logged in run.pairs()) > 0


def test_the_jitter_is_that_of_the_nats_own_log(tmp_path: Path) -> None:
    run = Run(tmp_path, "eim/apdf delay=40ms jitter=30ms")
    for one, logged in run.pairs()[:2]:
        assert one.jitter_ms.mean == pytest.approx(logged.jitter_ms(), rel=0.1)
        assert one.received == PACKETS
    assert run.quality.streams[0].jitter_ms is not None


def test_loss_one_way_is_told_from_loss_the_other_way(tmp_path: Path) -> None:
    run = Run(tmp_path, "eim/apdf up-loss=20%")
    _, _, up, down = run.quality.streams
    assert up.lost_percent > 5
    assert (down.lost, down.sent) == (0, PACKETS)
    assert run.codes == {"turn-relay-lossy"}
    assert "on the way to the server" in run.report["verdict"]["summary"]


def test_copies_and_packets_out_of_order_are_counted(tmp_path: Path) -> None:
    run = Run(tmp_path, "eim/apdf up-duplicate=10% reorder=5% hold=70ms")
    assert run.quality.streams[0].duplicated > 0
    assert run.quality.streams[0].reordered > 0
    assert not run.quality.streams[0].lost


def test_large_packets_that_vanish_are_told_from_loss(tmp_path: Path) -> None:
    run = Run(tmp_path, "eim/apdf mtu=1000 icmp=blocked", server="embedded")
    small, large, *_ = run.quality.streams
    assert (small.lost, large.received) == (0, 0)
    assert run.codes == {"turn-loss-grows-with-size"}


def test_a_good_relay_gets_no_warning_and_its_delay_is_that_of_the_line(tmp_path: Path) -> None:
    run = Run(tmp_path, "eim/apdf delay=20ms")
    measured = run.report["servers"][0]["quality"]["relay"]
    assert 39 < measured["rtt_ms"]["p50"] < 60
    assert measured["rtt_ms"]["min"] >= 40
    assert len(run.quality.direct_ms) == run.quality.direct_sent >= 8
    assert measured["loss_percent"] == dict.fromkeys(STREAMS, 0.0)
    assert run.codes == set()


def test_without_tcp_only_round_trips_are_told(tmp_path: Path) -> None:
    run = Run(tmp_path, "eim/apdf tcp=blocked loss=5%", "--timeout", "1")
    assert [one.way for one in run.quality.streams] == ["round-trip", "round-trip"]
    assert run.quality.reference is None
    assert "over TCP" in run.quality.round_trip_only


def test_over_tcp_all_arrives_and_that_is_said(tmp_path: Path) -> None:
    run = Run(tmp_path, "eim/apdf delay=5ms", query="?transport=tcp")
    assert [(one.way, one.lost) for one in run.quality.streams] == [("round-trip", 0)] * 2
    assert "over TCP nothing gets lost" in run.quality.round_trip_only
