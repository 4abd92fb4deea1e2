"""Two ends of a session in a lab: which pairs they use, and what they release."""

from pathlib import Path

import pytest

from support.sessions import held

pytestmark = pytest.mark.lab
RESTRICTED = "eim/apdf delay=20ms v6=blocked"


def test_two_ends_behind_nats_that_filter_by_port_agree_on_a_direct_pair_and_on_a_relay(tmp_path: Path) -> None:
    seen = held(tmp_path, RESTRICTED, RESTRICTED)

    for end in seen.values():
        assert [end.outcome(policy) for policy in ("all", "direct", "relay")] == ["connected"] * 3
        assert end.session["stop"] == "done"
        assert end.session["released"]
    a, b = seen["a"].selected("all"), seen["b"].selected("all")
    assert (a["local_type"], a["remote_type"]) == ("srflx", "srflx")
    assert (b["local_type"], b["remote_type"]) == ("srflx", "srflx")
    assert "relay" in seen["a"].selected("relay").values()
