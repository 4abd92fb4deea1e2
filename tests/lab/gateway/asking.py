"""`rtcdiag nat-type` behind a router with something that answers as its gateway service."""

import json
from typing import Any

from support.netns import SERVER, Namespace
from support.process import RTCDIAG


def nat_type(host: Namespace, *options: str) -> dict[str, Any]:
    """Return the report."""
    done = host.run([RTCDIAG, "nat-type", "--json", "--no-control", "--server", f"stun:{SERVER}", *options], timeout=30)
    assert done.stdout, done.stderr
    assert not done.stderr, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert not [item for item in report["evidence"] if item["kind"] == "Crash"]
    return report


def heard(host: Namespace, protocols: set[str]) -> dict[str, Any]:
    """Return the first of three reports in which all these protocols answered, else the last.

    rtcdiag waits 0.4 s for a gateway, and a router that shares a busy machine with other tests may answer later.
    """
    for _ in range(3):
        report = nat_type(host)
        if protocols <= {item["protocol"] for item in queries(report, result=0)}:
            break
    return report


def queries(report: dict[str, Any], **fields: object) -> list[dict[str, Any]]:
    """Return the gateway's answers that have these fields."""
    found = [item for item in report["evidence"] if item["kind"] == "GatewayQuery"]
    return [item for item in found if fields.items() <= item.items()]


def codes(report: dict[str, Any]) -> set[str]:
    """Return the codes about the NATs and the gateway."""
    words = ("gateway", "nat-carrier-grade", "nat-layered")
    return {item["code"] for item in report["findings"] if any(word in item["code"] for word in words)}
