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


def queries(report: dict[str, Any], **fields: object) -> list[dict[str, Any]]:
    """Return the gateway's answers that have these fields."""
    found = [item for item in report["evidence"] if item["kind"] == "GatewayQuery"]
    return [item for item in found if fields.items() <= item.items()]


def codes(report: dict[str, Any]) -> set[str]:
    """Return the codes about the NATs and the gateway."""
    words = ("gateway", "nat-carrier-grade", "nat-layered")
    return {item["code"] for item in report["findings"] if any(word in item["code"] for word in words)}
