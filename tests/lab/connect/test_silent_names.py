"""A name server that says nothing: candidates that need no name do not wait for it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.coturn import coturn
from support.ends import Ends
from support.netns import ALTERNATE, NAME_SERVER, SERVER, Topology

pytestmark = pytest.mark.lab
SILENT = "stun:one.example.org"
DROP = f"""
table inet silent {{
  chain in {{ type filter hook input priority 0; ip daddr {NAME_SERVER} udp dport 53 drop; }}
}}
"""


@pytest.mark.parametrize("trickle", ["1", "0"], ids=["trickle", "whole"])
def test_candidates_that_need_no_name_go_out_while_a_name_server_is_silent(tmp_path: Path, trickle: str) -> None:
    with (
        Topology() as net,
        coturn(tmp_path, listen=(SERVER, ALTERNATE), relay=(SERVER,), prefix=net.internet.prefix) as server,
    ):
        net.internet.nft(DROP)
        a, b = (net.client("masquerade", ipv6=False) for _ in "ab")
        ends = Ends(tmp_path, server, SESSION_ALSO=SILENT, SESSION_TURN="0", SESSION_TRICKLE=trickle)
        with ends.begun("a", a), ends.begun("b", b):
            seen = {side: ends.seen(side) for side in "ab"}

    for side, end in seen.items():
        times = end.session["times"]
        assert end.outcome("direct") == "connected"
        assert {item["type"] for item in end.candidates} == {"host", "srflx"}
        assert times["first_candidate_ms"] < 1000
        # A name has the time of an answer, 2 s, where all is told at once, else that of a look-up, 4 s.
        assert times["told_ms"] < (1000 if trickle == "1" else 3500)
        assert times["nominated_ms"] < (2000 if trickle == "1" else 5500)
        assert f" {side} server: the name of one server does not resolve" in end.told
        (lost,) = [item for item in gatherings(end.report) if item["server"] == SILENT]
        assert (lost["failure"], lost["candidates"]) == ("dns-timeout", 0)


def gatherings(report: bytes) -> list[dict[str, Any]]:
    """Return what each server gave."""
    return [item for item in msgspec.json.decode(report) if item["kind"] == "Gathering" and item["server"]]
