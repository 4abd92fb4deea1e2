"""What ends an experiment that takes long: Ctrl-C, SIGTERM, the deadline, or a server that refuses."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.coturn import USERS, Coturn, coturn
from support.lab import lab
from support.process import RTCDIAG, run

pytestmark = pytest.mark.lab

LOGIN = {"RTCDIAG_USERNAME": "alice", "RTCDIAG_PASSWORD": USERS["alice"]}
CHAIN = 2
"""Allocations that the chain itself makes before."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


def interrupted(server: Coturn, number: int, *options: str, log: Path) -> tuple[int, dict[str, Any]]:
    """Send a signal in the middle of an experiment; return the exit code and the report."""
    before = server.allocations_ever()
    output = log / "report.json"
    command = [RTCDIAG, "check-turn", server.uri(), *options, "-q", "-o", output]
    with subprocess.Popen([str(part) for part in command], env=LOGIN, stdout=subprocess.DEVNULL) as process:
        while server.allocations_ever() < before + CHAIN + 2:
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(1.5)
        process.send_signal(number)
        code = process.wait(10)
    return code, json.loads(output.read_text(encoding="utf-8"))


def only(report: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [item for item in report["evidence"] if item["kind"] == kind]
    return dict(found)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_measurement_with_what_was_measured(server: Coturn, number: int, tmp_path: Path) -> None:
    code, report = interrupted(server, number, "--quality", "60", log=tmp_path)
    assert code == 128 + number
    assert report["interrupted"]
    streams = only(report, "RelayQuality")["streams"]
    assert len(streams) == 4
    assert all(20 < one["sent"] < 1000 and one["received"] == one["sent"] for one in streams)
    assert server.wait_until_empty()


def test_the_deadline_ends_the_measurement_too(server: Coturn) -> None:
    command = [RTCDIAG, "check-turn", server.uri(), "--quality", "60", "--deadline", "3", "--json"]
    done = run(command, env=LOGIN)
    report = json.loads(done.stdout)
    assert all(one["received"] == one["sent"] > 20 for one in only(report, "RelayQuality")["streams"])
    assert server.wait_until_empty()


def test_a_quota_that_suffices_for_the_chain_only_leaves_out_the_leg_over_tcp(tmp_path: Path) -> None:
    with coturn(tmp_path, extra=["user-quota=2"]) as small:
        done = run([RTCDIAG, "check-turn", small.uri(), "--quality", "1", "--json"], env=LOGIN)
        quality = only(json.loads(done.stdout), "RelayQuality")
    assert [one["way"] for one in quality["streams"]] == ["round-trip", "round-trip"]
    assert "error 486" in quality["round_trip_only"]


def asked(server: Coturn, *options: str, transport: str = "") -> tuple[dict[str, Any], set[str]]:
    """Return the report and the codes of its errors and warnings."""
    done = run([RTCDIAG, "check-turn", server.uri(transport=transport), "--json", *options], env=LOGIN, timeout=60)
    report = json.loads(done.stdout)
    return report, {item["code"] for item in report["findings"] if item["severity"] != "info"}


@pytest.mark.parametrize(
    ("line", "code"),
    [("permission-lifetime=3", "turn-permission-too-short"), ("channel-lifetime=3", "turn-channel-too-short")],
)
def test_what_a_server_forgets_too_early_is_named(tmp_path: Path, line: str, code: str) -> None:
    with coturn(tmp_path, extra=[line]) as short:
        report, codes = asked(short, "--soak", "20s")
        assert codes == {code}
        assert 2 < only(report, "RelaySoak")["stop"]["after_s"] < 6
        assert short.wait_until_empty()


@pytest.mark.parametrize("transport", ["", "tcp"])
def test_short_lives_of_allocation_and_nonce_are_renewed_in_time(tmp_path: Path, transport: str) -> None:
    with coturn(tmp_path, extra=["stale-nonce=2", "max-allocate-lifetime=6"]) as short:
        report, codes = asked(short, "--soak", "10s", transport=transport)
    assert codes == set()
    soak = only(report, "RelaySoak")
    (kept,) = [item for item in soak["upkeep"] if item["what"] == "allocation"]
    assert (soak["lifetime_s"], soak["stop"], kept["failed"]) == (6, None, 0)
    assert soak["received"] == soak["sent"] >= 30
    assert kept["fresh_nonces"] > 0
    assert report["servers"][0]["quality"]["soak"]["received"] == soak["received"]


def test_a_server_that_goes_away_in_use_is_named_soon(tmp_path: Path) -> None:
    with coturn(tmp_path) as going:
        command = [RTCDIAG, "check-turn", going.uri(), "--soak", "60s", "--timeout", "1", "--json"]
        with subprocess.Popen([str(part) for part in command], env=LOGIN, stdout=subprocess.PIPE, text=True) as process:
            while going.allocations_ever() < CHAIN + 2:
                assert process.poll() is None
                time.sleep(0.05)
            time.sleep(1.5)
            going.process.kill()
            report = json.loads(process.communicate(timeout=20)[0])
    assert "turn-soak-data-stopped" in {item["code"] for item in report["findings"]}
    assert process.returncode == 1


def test_a_nat_that_changes_the_port_in_use_is_named() -> None:
    check = f'exec {RTCDIAG} check-turn "$RTCDIAG_LAB_TURN" --soak 30s --json'
    nat = "eim/apdf port=random restart=5s"
    done = lab("run", "--nat", nat, "--with", "coturn", "--", "sh", "-c", check)
    report = json.loads(done.stdout)
    stop = only(report, "RelaySoak")["stop"]
    assert (stop["mapping_changed"], stop["refresh_code"]) == (True, 437)
    assert [item["code"] for item in report["findings"] if item["severity"] == "error"] == ["turn-soak-mapping-changed"]


def test_a_limit_of_the_server_is_where_the_ramp_flattens(tmp_path: Path) -> None:
    with coturn(tmp_path, extra=["max-bps=40000"]) as slow:
        report, codes = asked(slow, "--throughput")
    assert codes == {"turn-throughput-limited"}
    found = report["servers"][0]["quality"]["throughput"]
    assert 250 < found["limit_kbps"] < 600
    assert [step["offered_kbps"] > 0 for step in found["steps"]][:2] == [True, True]


@pytest.mark.parametrize("transport", ["", "tcp"])
def test_without_a_limit_all_arrives(server: Coturn, transport: str) -> None:
    report, codes = asked(server, "--throughput", "--throughput-up-to", "2000", transport=transport)
    assert codes == set()
    found = report["servers"][0]["quality"]["throughput"]
    assert (found["up_to_kbps"], found["limit_kbps"], len(found["steps"])) == (2000, None, 5)


def test_a_signal_ends_a_soak_test_with_what_was_seen(server: Coturn, tmp_path: Path) -> None:
    code, report = interrupted(server, signal.SIGINT, "--soak", "11m", log=tmp_path)
    soak = only(report, "RelaySoak")
    assert (code, soak["stop"]) == (130, None)
    assert 0 < soak["received"] == soak["sent"]
    assert server.wait_until_empty()
