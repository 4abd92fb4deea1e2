"""The TURN probe against servers that are wrong in one way: the first broken step is the last one, and is on record."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.turn.asking import ask, ask_in
from rtcdiag.evidence import (
    Allocation,
    Binding,
    Challenge,
    Connect,
    Failure,
    Permission,
    Refresh,
    RelayedData,
    Skipped,
    TlsHandshake,
)
from rtcdiag.targets import Transport
from support.ca import Authority
from support.coturn import Coturn, coturn
from support.netns import SERVER, Topology
from support.ports import free_port
from support.process import stopped
from support.scripted import scripted_tcp, silence

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


# --- credentials ---


@pytest.mark.parametrize("login", [("alice", "looking-glass"), ("nobody", "wonderland")])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_wrong_credentials_end_with_one_refused_allocation(
    server: Coturn, transport: str, login: tuple[str, str]
) -> None:
    before = server.allocations_ever()
    seen = ask(server.uri(transport=transport), login)
    assert seen.code(Challenge) == 401
    assert seen.code(Allocation) == 401
    answer = seen.exchange(Allocation).answer
    assert answer is not None
    assert answer.nonce
    assert answer.integrity == "absent"
    assert not {"Permission", "RelayedData", "Refresh"} & seen.kinds
    assert server.allocations_ever() == before


def test_an_allocation_that_was_granted_without_credentials_is_recorded_and_given_back(tmp_path: Path) -> None:
    with coturn(tmp_path, users={}) as server:
        seen = ask(server.uri())
        answer = seen.exchange(Challenge).answer
        assert answer is not None
        assert answer.success
        assert answer.relayed is not None
        assert seen.exchange(Refresh, lifetime_s=0).succeeded
        assert server.allocations_ever() == 1
        assert server.wait_until_empty()


def test_where_a_quota_allows_one_allocation_the_second_one_says_so_and_the_first_is_tried_alone(
    tmp_path: Path,
) -> None:
    with coturn(tmp_path, extra=["user-quota=1"]) as server:
        seen = ask(server.uri())
        assert seen.exchange(Allocation, allocation="a").succeeded
        assert seen.code(Allocation, allocation="b") == 486
        assert {item.path for item in seen.of(RelayedData)} == {"relay-to-mapped", "mapped-to-relay"}
        assert server.wait_until_empty()


# --- the way to the server ---


def test_a_closed_udp_port_is_refused_at_once_and_so_is_tcp_beside_it() -> None:
    seen = ask(f"turn:127.0.0.1:{free_port()}")
    assert seen.exchange(Challenge).failure is Failure.CONNECTION_REFUSED
    assert seen.exchange(Binding).failure is Failure.CONNECTION_REFUSED
    control = seen.only(Connect)
    assert (control.purpose, control.failure) == ("control", Failure.CONNECTION_REFUSED)
    assert seen.took_s < 1


def test_where_udp_is_refused_the_server_still_shows_over_tcp(tmp_path: Path) -> None:
    with coturn(tmp_path, udp=False) as server:
        seen = ask(server.uri())
        assert seen.exchange(Challenge).failure is Failure.CONNECTION_REFUSED
        assert seen.only(Connect, purpose="control").failure is None
        control = seen.only(Binding, purpose="control")
        assert control.transport is Transport.TCP
        assert control.exchange.succeeded


@pytest.mark.parametrize("uri", ["turn:127.0.0.1:{}?transport=tcp", "turns:127.0.0.1:{}"])
def test_a_closed_tcp_port_ends_with_the_connection(uri: str) -> None:
    seen = ask(uri.format(free_port()))
    assert [type(item) for item in seen.observations] == [Connect]
    assert seen.only(Connect).failure is Failure.CONNECTION_REFUSED


@pytest.mark.parametrize("scheme", ["turn", "turn-tcp", "turns"])
def test_a_server_that_has_stopped_is_over_within_four_seconds(
    tmp_path: Path, authority: Authority, scheme: str
) -> None:
    with coturn(tmp_path, certificate=authority.issue("localhost")) as server, stopped(server.process):
        seen = ask(server.uri(scheme.removesuffix("-tcp"), "tcp" if scheme.endswith("-tcp") else ""))
    assert seen.took_s < 4
    silent = [item.failure for item in seen.of(TlsHandshake)] + [
        item.failure for item in seen.exchanges(Challenge, Binding)
    ]
    assert silent == [Failure.TIMEOUT] * {"turn": 3, "turn-tcp": 3, "turns": 2}[scheme]
    assert {"turn": "control", "turn-tcp": "tls", "turns": "control"}[scheme] in seen.stages
    # The kernel still accepts connections for it: that is what tells a stopped server from a filtered address.
    assert {item.failure for item in seen.of(Connect)} == {None}


def test_dtls_is_not_tried_without_its_extra_and_said_so(server: Coturn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtcdiag.probes.turn_server.is_installed", lambda: False)
    seen = ask(server.uri("turns", "udp"))
    assert [type(item) for item in seen.observations] == [Skipped]
    assert "TURN over DTLS" in seen.only(Skipped).what
    assert "pip install '.[dtls]'" in seen.only(Skipped).why


def test_an_address_of_a_family_that_is_left_out_is_said_not_to_be_tried(server: Coturn) -> None:
    seen = ask(server.uri(host="::1"), families=["ipv4"])
    assert [type(item) for item in seen.observations] == [Skipped]


def test_a_local_address_that_cannot_be_bound_is_on_record(server: Coturn) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 0))
        seen = ask(server.uri(), port=taken.getsockname()[1])
    assert seen.exchange(Binding).failure is Failure.ADDRESS_UNAVAILABLE
    assert not seen.exchange(Binding).sent_ms


# --- TLS ---


@pytest.mark.parametrize(
    ("issue", "failure"),
    [
        ({}, Failure.TLS_HOSTNAME_MISMATCH),
        ({"days": (-30, -1)}, Failure.TLS_CERTIFICATE_EXPIRED),
        ({"days": (1, 30)}, Failure.TLS_CERTIFICATE_NOT_YET_VALID),
        ({"self_signed": True}, Failure.TLS_SELF_SIGNED),
        ({"intermediate": True, "chain": False}, Failure.TLS_CHAIN_INCOMPLETE),
    ],
)
def test_a_certificate_that_no_browser_takes_ends_with_the_handshake_and_is_shown(
    tmp_path: Path, authority: Authority, issue: dict[str, Any], failure: Failure
) -> None:
    names = ("other.example" if failure is Failure.TLS_HOSTNAME_MISMATCH else "localhost",)
    with coturn(tmp_path, certificate=authority.issue(*names, **issue)) as server:
        seen = ask(server.uri("turns", host="localhost"), ca_file=str(authority.ca_file))
    assert seen.stages == ["connect", "tls"]
    handshake = seen.only(TlsHandshake)
    assert handshake.failure is failure
    assert handshake.detail
    assert handshake.certificate is not None
    assert handshake.certificate.names == names


@pytest.mark.parametrize("trusts", ["the system", "another authority"])
def test_an_authority_that_nobody_here_knows_is_not_taken_for_a_forgotten_intermediate(
    tmp_path: Path, authority: Authority, trusts: str
) -> None:
    ca_file = str(Authority(tmp_path, "Other CA").ca_file) if trusts == "another authority" else None
    with coturn(tmp_path, certificate=authority.issue("localhost", intermediate=True)) as server:
        seen = ask(server.uri("turns", host="localhost"), ca_file=ca_file)
    assert seen.only(TlsHandshake).failure is Failure.TLS_UNKNOWN_AUTHORITY


def test_tls_on_a_plain_port_finds_the_plain_server_there(server: Coturn) -> None:
    seen = ask(server.uri().replace("turn:", "turns:"))
    handshake = seen.only(TlsHandshake)
    hung_up = {Failure.CONNECTION_CLOSED, Failure.CONNECTION_RESET}
    assert handshake.failure in hung_up | {Failure.TLS_NOT_SPOKEN, Failure.TIMEOUT}
    control = seen.only(Binding, purpose="control")
    assert control.transport is Transport.TCP
    assert control.exchange.succeeded
    assert seen.took_s < 4


def test_plain_tcp_on_a_tls_port_finds_tls_there(authority: Authority) -> None:
    with scripted_tcp(silence, certificate=authority.issue("localhost")) as server:
        seen = ask(f"turn:localhost:{server.port}?transport=tcp", ca_file=str(authority.ca_file), families=["ipv4"])
    assert seen.exchange(Challenge).failure in {Failure.NOT_STUN_TLS, Failure.CONNECTION_CLOSED}
    handshake = seen.only(TlsHandshake)
    assert handshake.failure is None
    assert seen.only(Connect, purpose="control").failure is None


# --- the relay ---


def test_a_server_that_denies_the_peers_ends_with_the_permissions(tmp_path: Path) -> None:
    with coturn(tmp_path, loopback_peers=False) as server:
        seen = ask(server.uri())
        assert {item.exchange.answer.error_code for item in seen.of(Permission) if item.exchange.answer} == {403}
        peers = {(item.allocation, item.peer.port) for item in seen.of(Permission)}
        assert len(peers) == 3
        assert not seen.of(RelayedData)
        assert server.wait_until_empty()


def test_a_blocked_relay_range_loses_all_data_in_bounded_time_though_permissions_were_granted(tmp_path: Path) -> None:
    with Topology() as net:
        client = net.client("masquerade")
        net.internet.nft(
            "table inet block { chain input { type filter hook input priority 0; udp dport 49152-49250 drop; }; }"
        )
        with coturn(
            tmp_path,
            listen=(SERVER,),
            relay=(SERVER,),
            prefix=net.internet.prefix,
            port=3478,
            tls_port=5349,
            relay_ports=(49152, 49250),
        ) as server:
            seen = ask_in(client, f"turn:{SERVER}", families=["ipv4"])
            assert {item.exchange.succeeded for item in seen.of(Permission)} == {True}
            # What the relay sends itself still gets out: only what comes in is blocked.
            assert {(item.path, item.method, item.receiver, item.received) for item in seen.of(RelayedData)} == {
                ("relay-to-relay", "send", "a", 0),
                ("relay-to-relay", "send", "b", 0),
                ("relay-to-relay", "channel-data", "a", 0),
                ("relay-to-relay", "channel-data", "b", 0),
                ("mapped-to-relay", "plain", "a", 0),
                ("relay-to-mapped", "send", "peer", 5),
            }
            assert not seen.of(Refresh, lifetime_s=600)
            assert len(seen.of(Refresh, lifetime_s=0)) == 2
            assert seen.took_s < 4
            assert server.wait_until_empty()
