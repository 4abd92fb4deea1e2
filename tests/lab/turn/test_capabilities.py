"""What a TURN server can do beyond what calls need: learned beside the calls' own steps, and in nobody's way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.turn.asking import Seen, ask, cut
from lab.turn.test_healthy import assert_whole
from rtcdiag.address import Family
from rtcdiag.capabilities import capabilities_of
from rtcdiag.evidence import (
    Allocation,
    AllocationTrial,
    Evidence,
    PeerConnection,
    Refresh,
    RelayedData,
    RelayedStream,
    Skipped,
    Target,
)
from rtcdiag.targets import Transport, parse_server
from support.coturn import Coturn, coturn
from support.process import RTCDIAG, running

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn")) as running_server:
        yield running_server


def told(seen: Seen, uri: str) -> dict[str, str]:
    """Return the answer on each capability."""
    server = parse_server(uri)
    target = Target(
        t_ms=0.0,
        server=uri,
        protocol="turn",
        host=server.host,
        port=server.port,
        transport=server.transport,
        ip_literal=True,
    )
    address = seen.of(Allocation)[0].destination
    found = capabilities_of(target, address, server.transport, Evidence(observations=seen.observations))
    return {item.name: item.answer for item in found}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_coturn_tells_what_it_can_while_it_relays(server: Coturn, transport: str, host: str) -> None:
    uri = server.uri(transport=transport, host=host)
    seen = ask(uri, trials=True)
    assert_whole(seen)
    yes = {"relay-ipv4", "relay-ipv6", "dont-fragment", "even-port", "reserved-port"}
    # coturn 4.6 makes a second allocation for the additional family, and does not tell its address.
    no = {"both-families", "sha256", "userhash"}
    assert told(seen, uri) == dict.fromkeys(yes, "yes") | dict.fromkeys(no, "no")
    assert {item.allocation for item in seen.of(Refresh, lifetime_s=0)} == {"a", "b"}
    assert server.wait_until_empty()


def test_curiosity_costs_three_allocations_a_server(server: Coturn) -> None:
    before = server.allocations_ever()
    seen = ask(server.uri(), trials=True)
    assert len(seen.of(AllocationTrial)) == 3
    assert server.allocations_ever() == before + 2 + 3


def test_a_quota_for_the_calls_alone_is_left_to_them(tmp_path: Path) -> None:
    with coturn(tmp_path, extra=["user-quota=2"]) as small:
        seen = ask(small.uri(), trials=True)
        assert_whole(seen)
        assert told(seen, small.uri())["even-port"] == "undetermined"
        assert small.wait_until_empty()


def test_two_relay_ports_are_left_to_the_calls(tmp_path: Path) -> None:
    # Two ports of IPv4, and two of IPv6.
    with coturn(tmp_path, relay_ports=(20000, 20001)) as small:
        seen = ask(small.uri(), trials=True)
        assert {item.received for item in seen.of(RelayedData, path="relay-to-relay")} == {5}
        assert {item.exchange.succeeded for item in seen.of(Allocation)} == {True}
        assert small.wait_until_empty()


def test_where_ipv6_is_not_relayed_that_is_the_answer(tmp_path: Path) -> None:
    with coturn(tmp_path, relay=("127.0.0.1",)) as ipv4_only:
        seen = ask(ipv4_only.uri(), trials=True)
        assert_whole(seen)
        answers = told(seen, ipv4_only.uri())
        assert (answers["relay-ipv6"], answers["dont-fragment"], answers["reserved-port"]) == ("no", "yes", "yes")
        assert {item.family for item in seen.of(Allocation)} == {Family.IPV4}


def test_a_server_that_does_not_know_an_attribute_is_asked_again_without_it(tmp_path: Path) -> None:
    users, log = tmp_path / "users", tmp_path / "log"
    users.write_text("alice:wonderland\n")
    command: list[str | Path] = [
        RTCDIAG,
        "serve",
        "stun",
        "--port",
        "0",
        "--turn-users",
        users,
        "--allow-loopback-peers",
    ]
    with running(command, log=log) as process:
        while len(lines := log.read_text().splitlines()) < 3:
            assert process.poll() is None, log.read_text()
        uri = next(line for line in lines if line.startswith("turn:") and "tcp" not in line)
        seen = ask(uri, trials=True)
    answers = told(seen, uri)
    assert (answers["dont-fragment"], answers["even-port"], answers["reserved-port"]) == ("no", "yes", "yes")
    assert {item.exchange.succeeded for item in seen.of(Allocation)} == {True}
    assert seen.of(RelayedData)[0].transport is Transport.UDP


@pytest.mark.parametrize("after_ms", [5.0, 10.0, 15.0, 25.0])
def test_nothing_is_left_wherever_the_run_is_cut(server: Coturn, after_ms: float) -> None:
    cut(server.uri(), after_ms, trials=True)
    assert server.wait_until_empty()


# --- relays of TCP (RFC 6062) ---


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_connection_between_two_tcp_relays_of_coturn_carries_bytes_both_ways(server: Coturn, host: str) -> None:
    uri = server.uri(transport="tcp", host=host)
    seen = ask(uri, tcp_relay=True)
    stream = seen.only(RelayedStream)
    assert (stream.attempt, stream.sent_bytes, stream.out_bytes, stream.back_bytes) == (True, 1000, 1000, 1000)
    assert [item.step for item in seen.of(PeerConnection)][:2] == ["permission", "connect"]
    assert {item.exchange.succeeded for item in seen.of(PeerConnection)} == {True}
    assert told(seen, uri)["tcp-relay"] == "yes"
    assert server.wait_until_empty()


def test_tcp_relays_that_are_switched_off_are_asked_for_once(tmp_path: Path) -> None:
    with coturn(tmp_path, extra=["no-tcp-relay"]) as off:
        seen = ask(off.uri(transport="tcp"), tcp_relay=True)
        assert_whole(seen)
        assert seen.code(AllocationTrial) == 442
        assert told(seen, off.uri(transport="tcp"))["tcp-relay"] == "no"
        assert off.wait_until_empty()


def test_over_udp_there_is_nothing_to_ask_and_the_report_says_so(server: Coturn) -> None:
    seen = ask(server.uri(), tcp_relay=True)
    assert_whole(seen)
    assert "TCP" in seen.only(Skipped).what
    assert not seen.of(AllocationTrial)


@pytest.mark.parametrize("after_ms", [40.0, 60.0, 90.0])
def test_no_tcp_relay_is_left_wherever_the_run_is_cut(server: Coturn, after_ms: float) -> None:
    cut(server.uri(transport="tcp"), after_ms, tcp_relay=True)
    assert server.wait_until_empty()
