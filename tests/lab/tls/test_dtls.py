"""TURN over DTLS against coturn, and against servers that only pretend to shake hands."""

import asyncio
import contextlib
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lab.codes.asking import Row, check, report_of, turn
from lab.codes.place import Lab
from rtcdiag.net.dtls import MTU, _datagrams
from support.ca import Certificate
from support.coturn import Coturn
from support.scripted import Reply, Script, in_a_thread

pytestmark = pytest.mark.lab

HELLO_VERIFY_REQUEST = 3


def dtls(lab: Lab, certificate: Certificate | None = None) -> Coturn:
    return lab.coturn(certificate=certificate or lab.certificate(), dtls=True)


def uri(port: int) -> str:
    return f"turns:localhost:{port}?transport=udp"


def works(lab: Lab, port: int) -> dict[str, Any]:
    """Check that all works, and that browsers' point of view is the one thing said."""
    return check(
        Row(lambda lab: turn(lab, uri(port)), "turns-over-udp", exit=0, stage="config", servers=("warning",)), lab
    )


def test_a_relay_is_proven_over_dtls_and_nothing_is_left(lab: Lab) -> None:
    server = dtls(lab)
    told = works(lab, server.tls_port)
    stages = {row["stage"]: row["status"] for row in told["servers"][0]["stages"]}
    assert set(stages.values()) == {"ok", "warning"}
    assert {"tls", "data", "refresh", "release"} <= set(stages)
    handshakes = [item for item in told["evidence"] if item["kind"] == "TlsHandshake"]
    assert {(item["transport"], item["version"], item["failure"]) for item in handshakes} == {
        ("dtls", "DTLSv1.2", None)
    }
    steps = {item["transport"] for item in told["evidence"] if item["kind"] in ("Allocation", "RelayedData", "Refresh")}
    assert steps == {"dtls"}
    assert server.wait_until_empty()


def test_an_ice_agent_is_not_sent_there_and_quality_is_measured(lab: Lab) -> None:
    told = report_of(turn(lab, uri(dtls(lab).tls_port), more=("--ice", "--quality", "1")).run("--json"))
    assert "ICE agent" in str(told["not_tested"])
    assert "probe-crashed" not in told.codes()
    kinds = {item["kind"] for item in told["evidence"]}
    assert "RelayQuality" in kinds


@pytest.mark.parametrize(
    ("issue", "words"),
    [
        ({"names": ("other.example",)}, "hostname mismatch"),
        ({"days": (-30, -1)}, "certificate expired"),
        ({"days": (1, 30)}, "certificate not yet valid"),
        ({"self_signed": True}, "self signed"),
        ({"intermediate": True, "chain": False}, "chain incomplete"),
    ],
)
def test_a_certificate_is_refused_over_dtls_as_over_tls(lab: Lab, issue: dict[str, Any], words: str) -> None:
    names = issue.pop("names", ("localhost",))
    server = dtls(lab, lab.authority.issue(*names, **issue))
    told = report_of(turn(lab, uri(server.tls_port)).run("--json"))
    assert told.codes("error") == ["turns-over-udp"]
    assert words in told["findings"][0]["meaning"]
    assert server.allocations_ever() == 0


def test_an_authority_that_nobody_here_knows_is_refused_over_dtls(lab: Lab) -> None:
    told = report_of(turn(lab, uri(dtls(lab).tls_port), trust=False).run("--json"))
    assert "unknown authority" in told["findings"][0]["meaning"]


def test_certificates_of_many_datagrams_arrive(lab: Lab) -> None:
    works(lab, dtls(lab, lab.authority.issue("localhost", more=1)).tls_port)


def test_a_port_without_dtls_is_the_entrys_fault(lab: Lab) -> None:
    row = Row(lambda lab: turn(lab, uri(lab.tls.tls_port)), "turns-over-udp", stage="config", tested=("dns",))
    assert "refused" in check(row, lab)["findings"][0]["meaning"]


@contextlib.contextmanager
def lossy(port: int, lost: frozenset[int]) -> Iterator[int]:
    """Forward UDP to a port and back, for one client at a time each; the datagrams with these numbers are lost."""
    listening: list[int] = []

    async def serve(ready: threading.Event, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        front, _ = await loop.create_datagram_endpoint(lambda: Front(port, lost), local_addr=("127.0.0.1", 0))
        listening.append(front.get_extra_info("sockname")[1])
        ready.set()
        await stop.wait()
        front.close()

    with in_a_thread(serve):
        yield listening[0]


class Front(asyncio.DatagramProtocol):
    """What clients see."""

    def __init__(self, port: int, lost: frozenset[int]) -> None:
        self.port, self.lost, self.count = port, lost, 0
        self.backs: dict[Any, asyncio.DatagramTransport] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.drops():
            asyncio.ensure_future(self.forward(data, addr)).add_done_callback(lambda task: task.result())

    def drops(self) -> bool:
        self.count += 1
        return self.count in self.lost

    async def forward(self, data: bytes, addr: Any) -> None:
        if addr not in self.backs:
            self.backs[addr], _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Back(self, addr), remote_addr=("127.0.0.1", self.port)
            )
        self.backs[addr].sendto(data)

    def connection_lost(self, _error: Exception | None) -> None:
        for back in self.backs.values():
            back.close()


class Back(asyncio.DatagramProtocol):
    """What the server sees."""

    def __init__(self, front: Front, client: Any) -> None:
        self.front, self.client = front, client

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        if not self.front.drops():
            self.front.transport.sendto(data, self.client)


@pytest.mark.parametrize("lost", [{1}, {2}, {3}, {4}, {5}])
def test_a_lost_flight_is_sent_again(lab: Lab, lost: set[int]) -> None:
    with lossy(dtls(lab).tls_port, frozenset(lost)) as port:
        told = report_of(turn(lab, uri(port), more=("--timeout", "4")).run("--json"))
    assert told["servers"][0]["stages"][-1]["status"] == "ok", told.codes()


# --- who only pretends ---


def record(kind: int, body: bytes, number: int = 0) -> bytes:
    return struct.pack("!BHHHIH", kind, 0xFEFF, 0, 0, number, len(body)) + body


def handshake(kind: int, body: bytes, sequence: int = 0, *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return (
        struct.pack("!B3sH3s3s", kind, size.to_bytes(3, "big"), sequence, bytes(3), len(body).to_bytes(3, "big")) + body
    )


def verify_requests(count: int) -> Script:
    """Ask for a cookie, again and again, each time another one."""
    numbers = iter(range(1_000_000))

    def script(_data: bytes, _source: tuple[str, int]) -> list[Any]:
        made = [(number := next(numbers), number.to_bytes(20, "big")) for _ in range(count)]
        return [
            Reply(record(22, handshake(HELLO_VERIFY_REQUEST, b"\xfe\xff\x14" + cookie, number % 65536), number))
            for number, cookie in made
        ]

    return script


PRETENDERS: dict[str, Script] = {
    "silence": lambda *_: [],
    "a flood of garbage": lambda *_: [Reply(b"\xff" * 1200)] * 500,
    "a flood of empty records": lambda *_: [Reply(record(22, b"") * 90)] * 200,
    "a flood of warnings": lambda *_: [Reply(record(21, b"\x01\x5a") * 50)] * 200,
    "cookies without end": verify_requests(1),
    "many cookies at once": verify_requests(100),
    "a handshake of 16 MB in pieces": lambda *_: [
        Reply(record(22, handshake(2, bytes(1000), length=0xFFFFFF))) for _ in range(100)
    ],
    "HTTP": lambda *_: [Reply(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
}


@pytest.mark.parametrize("name", PRETENDERS)
def test_who_only_pretends_to_shake_hands_is_told_in_bounded_time(lab: Lab, name: str) -> None:
    with lab.one_row():
        server = lab.udp(PRETENDERS[name])
        done = turn(lab, uri(server.port)).run("--json")
    told = report_of(done)
    assert (done.returncode, done.stderr) == (1, "")
    assert told.codes("error") == ["turns-over-udp"], told.codes()
    assert told["duration_ms"] < 6000


def test_records_are_kept_whole_and_datagrams_small() -> None:
    flight = [record(22, bytes([number]) * 500, number) for number in range(10)]
    datagrams = list(_datagrams(b"".join(flight)))
    assert b"".join(datagrams) == b"".join(flight)
    assert [len(datagram) for datagram in datagrams] == [2 * 513] * 5
    assert list(_datagrams(record(22, bytes(MTU)))) == [record(22, bytes(MTU))]
    assert list(_datagrams(b"")) == []
