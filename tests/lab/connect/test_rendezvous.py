"""Two commands, each behind its own NAT, that meet at a rendezvous."""

from pathlib import Path

import pytest

from support.meetings import met

pytestmark = pytest.mark.lab
RESTRICTED = "eim/apdf delay=20ms v6=blocked"


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
