"""No server address sees more than ten new Binding transactions in a second, counted on the lab's internet."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from support.lab import lab
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

COUNTER = Path(__file__).with_name("counter.py")
MOST = 10
Counted = dict[str, list[float]]
"""By destination: when each new transaction was first seen, in seconds."""


def counted(path: Path) -> Counted:
    first: dict[str, tuple[str, float]] = {}
    for line in path.read_text(encoding="ascii").splitlines()[1:]:
        at, destination, transaction = line.split()
        first.setdefault(transaction, (destination, float(at)))
    found: Counted = {}
    for destination, seen_at in first.values():
        found.setdefault(destination, []).append(seen_at)
    return found


def busiest(times: list[float]) -> int:
    """Return how many of them are within one second at most."""
    return max(sum(0 <= later - first < 1 for later in times) for first in times)


def watched(tmp_path: Path, nat: str, command: str) -> tuple[str, Counted]:
    """Return what rtcdiag prints behind a NAT, and what was asked of whom meanwhile."""
    seen = tmp_path / "seen"
    counter = shlex.join([sys.executable, "-S", str(COUNTER), str(seen)])
    wait = f"until [ -s {shlex.quote(str(seen))} ]; do sleep 0.05; done"
    script = f"{wait}; cd {shlex.quote(str(tmp_path))}; exec {shlex.quote(str(RTCDIAG))} {command}"
    options = ("--with", "coturn", "--internet", counter, "--nat", f"{nat} delay=20ms")
    done = lab("run", *options, "--", "sh", "-c", script)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout, counted(seen)


@pytest.mark.parametrize("nat", ["eim/apdf", "adm/adf", "apdm/apdf", "none"])
def test_a_report_asks_no_address_more_than_ten_times_in_a_second(tmp_path: Path, nat: str) -> None:
    command = "report --json --no-control --server $RTCDIAG_LAB_STUN --server $RTCDIAG_LAB_TURN"
    _, asked = watched(tmp_path, nat, command)

    assert "203.0.113.10" in asked, "nothing was counted"
    assert {address: busiest(times) for address, times in asked.items() if busiest(times) > MOST} == {}


def test_the_type_of_a_nat_takes_no_longer_for_it(tmp_path: Path) -> None:
    printed, asked = watched(tmp_path, "apdm/apdf", "nat-type --json --no-control --server $RTCDIAG_LAB_STUN")

    assert json.loads(printed)["nat"]["ipv4"]["filtering"] == "address-and-port-dependent"
    assert max(len(times) for times in asked.values()) <= MOST
