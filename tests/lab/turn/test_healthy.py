"""The TURN probe against Debian's coturn where everything works: every step, every transport, and nothing left."""

import time
from collections.abc import Iterator

import pytest

from lab.turn.asking import ALICE, Seen, ask, ask_in
from rtcdiag.address import Family
from rtcdiag.evidence import Allocation, Binding, Challenge, Connect, Permission, Refresh, RelayedData, TlsHandshake
from rtcdiag.stun.credentials import mint
from rtcdiag.targets import Transport
from support.ca import Authority
from support.coturn import Coturn, coturn
from support.netns import SERVER, SERVER6, SERVERS, SERVERS6, Topology
from support.nft import Nat

pytestmark = pytest.mark.lab

WHOLE = ["challenge", "allocate", "permission", "plain", "send", "channel", "channel-data", "refresh", "release"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn"), certificate=authority.issue("localhost")) as running:
        yield running


def assert_whole(seen: Seen) -> None:
    assert set(seen.stages) >= set(WHOLE)
    assert [stage for stage in seen.stages if stage in {"challenge", "allocate", "release"}] == [
        "challenge",
        "allocate",
        "release",
    ]
    directions = {(item.path, item.method, item.receiver) for item in seen.of(RelayedData)}
    assert directions == {
        ("relay-to-relay", "send", "a"),
        ("relay-to-relay", "send", "b"),
        ("relay-to-relay", "channel-data", "a"),
        ("relay-to-relay", "channel-data", "b"),
        ("relay-to-mapped", "send", "peer"),
        ("mapped-to-relay", "plain", "a"),
    }
    for item in seen.of(RelayedData):
        assert (item.sent, item.received) == (5, 5)
        assert item.rtt_ms is not None
        if item.expected_source is not None:
            assert item.sources == (item.expected_source,)
    for exchange in seen.exchanges(Allocation, Permission, Refresh):
        assert exchange.succeeded
        assert exchange.answer is not None
        assert exchange.answer.integrity == "valid"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_working_server_is_tried_to_the_end(server: Coturn, transport: str, host: str) -> None:
    seen = ask(server.uri(transport=transport, host=host))
    assert_whole(seen)
    assert seen.code(Challenge) == 401
    assert {item.transport for item in seen.of(RelayedData)} == {Transport(transport)}
    assert {item.family for item in seen.of(Allocation)} == {Family.IPV6 if ":" in host else Family.IPV4}
    assert server.wait_until_empty()


def test_a_working_server_is_tried_to_the_end_over_tls(server: Coturn, authority: Authority) -> None:
    seen = ask(server.uri("turns", host="localhost"), ca_file=str(authority.ca_file))
    assert_whole(seen)
    assert seen.stages[:2] == ["connect", "tls"]
    handshake = seen.only(TlsHandshake)
    assert handshake.failure is None
    assert handshake.certificate is not None
    assert handshake.certificate.names == ("localhost",)
    assert handshake.version in {"TLSv1.2", "TLSv1.3"}
    assert seen.only(Connect).failure is None
    assert server.wait_until_empty()


def test_both_allocations_are_released_and_the_server_confirms_it(server: Coturn) -> None:
    before = server.allocations_ever()
    seen = ask(server.uri())
    assert server.allocations_ever() == before + 2
    assert server.wait_until_empty()
    assert [item.allocation for item in seen.of(Refresh, lifetime_s=0)] == ["a", "b"]


def test_several_bindings_are_timed_over_udp_and_one_over_tcp(server: Coturn) -> None:
    over_udp = ask(server.uri(), None, samples=3).of(Binding)
    assert len(over_udp) == 3
    assert all(item.exchange.succeeded and item.exchange.rtt_ms is not None for item in over_udp)
    assert len(ask(server.uri(transport="tcp"), None, samples=3).of(Binding)) == 1


def test_without_credentials_the_challenge_is_the_last_step(server: Coturn) -> None:
    seen = ask(server.uri(), None)
    assert seen.stages == ["challenge", "binding"]
    assert seen.code(Challenge) == 401


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_no_part_of_a_credential_is_in_the_evidence(server: Coturn, transport: str) -> None:
    for login in (ALICE, ("mallory-the-unknown", "correct-horse-battery")):
        text = ask(server.uri(transport=transport), login).text
        assert not [word for word in login if word in text]


def test_a_time_limited_credential_of_the_shared_secret_is_good_until_its_time(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with coturn(tmp_path_factory.mktemp("secret"), secret="north", users={}) as server:
        good, late = (mint("north", "alice", int(time.time()) + left) for left in (3600, -60))
        assert_whole(ask(server.uri(), (good.username, good.password)))
        refused = ask(server.uri(), (late.username, late.password))
        assert refused.code(Allocation) == 401
        assert server.wait_until_empty()


def test_a_server_without_stun_still_relays(tmp_path_factory: pytest.TempPathFactory) -> None:
    with coturn(tmp_path_factory.mktemp("no-stun"), extra=["no-stun"]) as server:
        seen = ask(server.uri())
        assert_whole(seen)
        assert seen.exchange(Binding).failure == "timeout"
        assert server.wait_until_empty()


def test_where_only_ipv4_is_relayed_a_client_over_ipv6_gets_that(tmp_path_factory: pytest.TempPathFactory) -> None:
    with coturn(tmp_path_factory.mktemp("ipv4"), relay=("127.0.0.1",)) as server:
        seen = ask(server.uri(host="::1"))
        assert [(item.allocation, item.family) for item in seen.of(Allocation)] == [
            ("a", "ipv6"),
            ("a", "ipv4"),
            ("b", "ipv6"),
            ("b", "ipv4"),
        ]
        assert {item.received for item in seen.of(RelayedData, path="relay-to-relay")} == {5}
        # This computer's address towards the server is of another family than the relayed address: no one to send to.
        assert not seen.of(RelayedData, path="mapped-to-relay")
        assert server.wait_until_empty()


@pytest.mark.parametrize("nat", ["masquerade", "random"])
def test_behind_a_nat_data_comes_back_to_a_plain_socket_whatever_its_port(
    tmp_path_factory: pytest.TempPathFactory, nat: Nat
) -> None:
    with Topology() as net:
        client = net.client(nat)
        with coturn(
            tmp_path_factory.mktemp("nat"),
            listen=(SERVERS[0], SERVERS[1], SERVERS6[0]),
            relay=(SERVER, SERVER6),
            prefix=net.internet.prefix,
            port=3478,
            tls_port=5349,
            relay_ports=(49152, 49250),
        ) as server:
            seen = ask_in(client, f"turn:{SERVER}")
            assert_mapped(seen, client.mapped)
            assert server.wait_until_empty()


def assert_mapped(seen: Seen, mapped: str) -> None:
    for item in seen.of(RelayedData):
        assert (item.sent, item.received) == (5, 5), item
    (inbound,) = seen.of(RelayedData, path="mapped-to-relay")
    (outbound,) = seen.of(RelayedData, path="relay-to-mapped")
    assert [source.host for source in inbound.sources] == [mapped]
    assert outbound.peer == inbound.sources[0]
