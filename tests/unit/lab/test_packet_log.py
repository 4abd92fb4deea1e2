"""What the lab's NATs write down of each packet."""

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.laboratory import Hosts, Internet, run
from rtcdiag.lab.middlebox import Middlebox, Side
from rtcdiag.lab.packet_log import HEAD_BYTES, LoggedBox, PacketLog
from rtcdiag.lab.spec import parse_spec
from support.middleboxes import ADDRESSES, HOST, HOST6, SERVER, SERVER6, udp


class Written:
    """A box of a specification, and the lines about it."""

    def __init__(self, directory: Path, spec: str) -> None:
        self._path = directory / "log"
        self.log = PacketLog(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND))
        box = Middlebox(parse_spec(spec), ADDRESSES, Random(1))  # noqa: S311 - a model, no secret
        self.box = LoggedBox(box, "a1", self.log)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text(encoding="ascii").splitlines()]


OUT = udp((HOST, 4000), (SERVER, 3478), b"hello")


def test_a_packet_that_passes_is_told_with_its_ends_on_both_sides(tmp_path: Path) -> None:
    here = Written(tmp_path, "eim/apdf delay=20ms")
    here.box.receive(Side.INSIDE, OUT, 1.5)
    (line,) = here.lines
    assert line == {
        "t_ns": 1_500_000_000,
        "box": "a1",
        "fate": "forwarded",
        "direction": "up",
        "delay_ms": [20.0],
        "out_src": "203.0.113.1:4000",
        "out_dst": f"{SERVER}:3478",
        "protocol": "udp",
        "src": f"{HOST}:4000",
        "dst": f"{SERVER}:3478",
        "size": 33,
        "head": b"hello".hex(),
    }


@pytest.mark.parametrize(
    ("spec", "fate", "copies"),
    [
        ("eim/apdf loss=100%", "lost", 0),
        ("eim/apdf duplicate=100%", "duplicated", 2),
        ("eim/apdf udp=blocked", "blocked", 0),
        ("eim/apdf udp=blocked blocked=prohibited", "answered", 0),
    ],
)
def test_the_fate_of_a_packet_is_one_word(tmp_path: Path, spec: str, fate: str, copies: int) -> None:
    here = Written(tmp_path, spec)
    here.box.receive(Side.INSIDE, OUT, 0.0)
    (line,) = here.lines
    assert (line["fate"], len(line["delay_ms"])) == (fate, copies)
    assert (line["out_src"] is None) == (copies == 0)


def test_what_the_filter_does_not_let_in_is_blocked_and_not_lost(tmp_path: Path) -> None:
    here = Written(tmp_path, "eim/apdf down-loss=100%")
    here.box.receive(Side.OUTSIDE, udp((SERVER, 1), ("203.0.113.1", 2), b""), 0.0)
    here.box.receive(Side.INSIDE, OUT, 0.0)
    here.box.receive(Side.OUTSIDE, udp((SERVER, 3478), ("203.0.113.1", 4000), b""), 0.0)
    assert [line["fate"] for line in here.lines] == ["blocked", "forwarded", "lost"]


def test_a_delivery_says_where_and_when(tmp_path: Path) -> None:
    here = Written(tmp_path, "none")
    here.log.delivered("internet", udp((HOST6, 4000), (SERVER6, 3478), b"x" * 99))
    (line,) = here.lines
    assert (line["box"], line["fate"], line["src"]) == ("internet", "delivered", f"[{HOST6}]:4000")
    assert len(line["head"]) == 2 * HEAD_BYTES
    assert line["t_ns"] > 0


def test_what_is_no_packet_is_not_written_down(tmp_path: Path) -> None:
    here = Written(tmp_path, "none")
    here.box.receive(Side.INSIDE, b"\x45junk", 0.0)
    here.log.delivered("a", b"")
    assert here.lines == []


def test_a_file_that_cannot_be_written_is_refused_before_the_lab_is_built(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere" / "log"):
        with pytest.raises(BadInputError, match=r"^--packet-log .+: "):
            run(Hosts(branches=[((), ["true"])]), Internet(packet_log=str(place)))
