"""A server that sends clients on (ALTERNATE-SERVER): followed once, never into this computer's own network."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab.turn.asking import ask, ask_in
from lab.turn.test_healthy import WHOLE
from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Allocation, Binding, Challenge, Redirect, TlsHandshake
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.framing import StreamFrames
from rtcdiag.stun.header import MessageClass, Method
from support.ca import Authority
from support.coturn import Coturn, coturn
from support.netns import SERVER, Topology
from support.scripted import Close, Reply, Script, Scripted, scripted_tcp, scripted_udp

pytestmark = pytest.mark.lab

HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Coturn]:
    """The server that does the work, with a certificate of its own name."""
    certificate = authority.issue("worker.example.org")
    with coturn(tmp_path_factory.mktemp("worker"), certificate=certificate) as running:
        yield running


def sends_on(to: str, port: int, domain: str = "") -> Script:
    """Answer every Allocate with 300."""
    named = [(A.ALTERNATE_SERVER, TransportAddress(to, port)), *([(A.ALTERNATE_DOMAIN, domain)] if domain else [])]

    def script(data: bytes, _source: tuple[str, int]) -> list[Reply | Close]:
        # A stream may bring several requests at once.
        requests = [decode(frame.data) for frame in StreamFrames().feed(data)]
        told = [(A.ERROR_CODE, ErrorCode(300)), *named]
        return [
            Reply(encode(MessageClass.ERROR, request.method, request.transaction_id, told))
            for request in requests
            if request.method == Method.ALLOCATE
        ]

    return script


@contextmanager
def sending_on(**to: Any) -> Iterator[Scripted]:
    with scripted_udp(sends_on(**to)) as server:
        yield server


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_server_that_coturn_names_is_tried_to_the_end(
    tmp_path_factory: pytest.TempPathFactory, worker: Coturn, transport: str
) -> None:
    extra = [f"alternate-server={HERE}:{worker.port}"]
    with coturn(tmp_path_factory.mktemp("first"), extra=extra) as first:
        seen = ask(first.uri(transport=transport))
    redirect = seen.only(Redirect)
    assert (redirect.alternate, redirect.not_followed) == (TransportAddress(HERE, worker.port), None)
    assert redirect.destination == TransportAddress(HERE, first.port)
    assert [item.destination.port for item in seen.of(Challenge)] == [first.port, worker.port]
    assert {item.destination.port for item in seen.of(Allocation)} == {worker.port}
    assert set(seen.stages) >= set(WHOLE)
    assert {item.server for item in seen.of(Challenge)} == {first.uri(transport=transport)}
    assert worker.wait_until_empty()


@pytest.mark.parametrize(("domain", "failure"), [("worker.example.org", None), ("", "tls-hostname-mismatch")])
def test_over_tls_the_alternate_has_to_prove_its_own_name(
    authority: Authority, worker: Coturn, domain: str, failure: str | None
) -> None:
    script = sends_on(HERE, worker.tls_port, domain)
    with scripted_tcp(script, certificate=authority.issue("localhost")) as first:
        seen = ask(f"turns:localhost:{first.port}", ca_file=str(authority.ca_file), families=["ipv4"])
    handshake = seen.of(TlsHandshake)[-1]
    assert (handshake.server_name, handshake.failure) == (domain or "localhost", failure)
    assert ("release" in seen.stages) == (failure is None)


def test_a_second_server_that_sends_on_is_not_left_for_a_third() -> None:
    with sending_on(to=HERE, port=9) as second, sending_on(to=HERE, port=second.port) as first:
        seen = ask(f"turn:{HERE}:{first.port}", timeout_ms=500.0)
    assert [item.not_followed for item in seen.of(Redirect)] == [None, "second"]
    assert {item.destination.port for item in seen.of(Challenge)} == {first.port, second.port}


def test_servers_that_send_to_each_other_are_asked_once_each() -> None:
    def script(data: bytes, source: tuple[str, int]) -> Iterable[Reply | Close]:
        return sends_on(HERE, first.port)(data, source)

    with scripted_udp(script) as second, sending_on(to=HERE, port=second.port) as first:
        seen = ask(f"turn:{HERE}:{first.port}", timeout_ms=500.0)
    assert [item.not_followed for item in seen.of(Redirect)] == [None, "circle"]
    assert len(seen.of(Challenge)) == 2


@pytest.mark.parametrize(
    ("to", "port", "why"),
    [
        (HERE, 0, "names-no-server"),
        ("::1", 3478, "other-family"),
        ("10.0.0.1", 3478, "own-network"),
        ("203.0.113.99", 3478, "own-network"),
        ("255.255.255.255", 3478, "own-network"),
    ],
)
def test_no_packet_goes_to_an_alternate_that_cannot_be_meant(to: str, port: int, why: str) -> None:
    with sending_on(to=to, port=port) as first:
        seen = ask(f"turn:{HERE}:{first.port}", timeout_ms=500.0)
    assert seen.only(Redirect).not_followed == why
    assert {item.destination.port for item in seen.of(Challenge)} | {
        item.destination.port for item in seen.of(Binding)
    } == {first.port}


def test_no_server_outside_sends_this_computer_into_its_own_network(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Also where that network has public addresses: those of the client itself, and of its neighbors."""
    with Topology() as net:
        client = net.client()
        client.ip("address add 25.0.7.2/24 dev eth0")
        for number, to in enumerate(("25.0.7.2", "25.0.7.3", HERE, "192.168.250.1")):
            with coturn(
                tmp_path_factory.mktemp("out"),
                listen=(SERVER,),
                relay=(SERVER,),
                prefix=net.internet.prefix,
                port=4000 + 10 * number,
                tls_port=4002 + 10 * number,
                extra=[f"alternate-server={to}:3478"],
            ) as first:
                seen = ask_in(client, f"turn:{SERVER}:{first.port}")
            assert seen.only(Redirect).not_followed == "own-network", to
            assert {item.destination.host for item in seen.of(Challenge)} == {SERVER}


def test_a_username_that_comes_back_as_a_name_is_not_on_record() -> None:
    with sending_on(to=HERE, port=9, domain="alice") as first:
        seen = ask(f"turn:{HERE}:{first.port}", timeout_ms=300.0)
    assert seen.only(Redirect).domain is None
    assert "alice" not in seen.text
