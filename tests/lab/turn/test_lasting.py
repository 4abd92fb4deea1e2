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
