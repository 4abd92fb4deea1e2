"""Sessions on bad lines: they connect all the same, and what is measured is what the lab's NATs wrote down."""

import json
from pathlib import Path

import pytest

from support.packet_log import session_stream
from support.sessions import held

pytestmark = pytest.mark.lab
LOSSY = "eim/apdf delay=20ms v6=blocked loss=5%"
BAD = "eim/apdf delay=40ms v6=blocked up-loss=3% up-jitter=30ms"


def test_a_session_connects_directly_where_each_way_loses_one_packet_in_twenty(tmp_path: Path) -> None:
    assert _outcome(tmp_path, 0) == ("connected", "connected")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_of_twenty_sessions_do(tmp_path: Path) -> None:
    assert [_outcome(tmp_path, number) for number in range(20)] == 20 * [("connected", "connected")]


def _outcome(directory: Path, number: int) -> tuple[str, str]:
    own = directory / str(number)
    own.mkdir()
    seen = held(own, LOSSY, LOSSY, settings={"SESSION_TURN": "0"})
    return seen["a"].outcome("direct"), seen["b"].outcome("direct")


def test_loss_and_jitter_each_way_are_those_of_the_packet_log(tmp_path: Path) -> None:
    log = tmp_path / "packets.jsonl"
    settings = {"SESSION_TURN": "0", "SESSION_MEASURE_S": "10"}
    seen = held(tmp_path, BAD, BAD, "--packet-log", str(log), settings=settings)

    for number, end in ((0, "b"), (1, "a")):
        (stream,) = seen[end].streams
        logged = session_stream(log, number, ends_at=end)
        inward = stream["inward"]
        assert 100 * (inward["sent"] - inward["received"]) / inward["sent"] == pytest.approx(
            logged.lost_percent(), abs=0.1
        ), json.dumps(stream)
        assert inward["jitter_ms"]["mean"] == pytest.approx(logged.jitter_ms(), rel=0.1)
