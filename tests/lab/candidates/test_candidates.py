"""The candidates probe against Debian's coturn, on loopback and behind kernel NATs."""

import asyncio
import ipaddress
import json
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from lab.candidates.asking import candidates, candidates_in, job
from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Candidate, Failure, Observation, encode_value
from rtcdiag.net import Net
from rtcdiag.options import RunOptions
from rtcdiag.probes.candidates import observe
from support.ca import Authority
from support.coturn import Coturn, coturn
from support.netns import OTHER_SERVER, SERVER, SERVER6, Client, Topology
from support.ports import free_port
from support.scripted import Close, Reply, scripted_tcp, scripted_udp, silence

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn"), certificate=authority.issue("turn.test")) as running:
        yield running


@pytest.fixture(scope="module")
def internet() -> Iterator[Topology]:
    with Topology() as net:
        yield net


@pytest.fixture(scope="module")
def outside(internet: Topology, tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Coturn]:
    """A coturn on the internet of the namespaces."""
    with coturn(
        tmp_path_factory.mktemp("outside"),
        listen=(SERVER, OTHER_SERVER, SERVER6),
        relay=(SERVER,),
        certificate=authority.issue("turn.test"),
        prefix=internet.internet.prefix,
        port=3478,
        tls_port=5349,
        relay_ports=(50000, 50100),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def behind_nat(internet: Topology) -> Client:
    return internet.client("masquerade")


# --- what a server gives ---


@pytest.mark.parametrize(
    ("scheme", "transport", "spoken"), [("turn", "", "udp"), ("turn", "tcp", "tcp"), ("turns", "tcp", "tls")]
)
def test_a_turn_server_gives_a_relay_candidate_over_each_transport_and_nothing_is_left_on_it(
    server: Coturn, authority: Authority, scheme: str, transport: str, spoken: str
) -> None:
    before = server.allocations_ever()
    uri = server.uri(scheme, transport)
    found = candidates(uri, ca_file=str(authority.ca_file), server_name="turn.test")
    (relay,) = found.candidates("relay")
    assert relay.relay_protocol == spoken
    assert relay.server == uri
    assert relay.address.host == "127.0.0.1"
    assert relay.priority >> 24 == 0
    assert relay.related is not None
    assert server.wait_until_empty()
    assert server.allocations_ever() == before + 1


def test_behind_a_nat_a_server_gives_the_mapped_address_with_its_base(behind_nat: Client, outside: Coturn) -> None:
    found = candidates_in(behind_nat, outside.uri("stun"))
    (candidate,) = found.candidates("srflx")
    assert candidate.address.host == behind_nat.mapped
    assert candidate.related is not None
    assert candidate.related.host == behind_nat.address
    assert candidate.interface == "eth0"
    assert candidate.gathered_by == "aioice"
    assert candidate.priority >> 24 == 100
    assert candidate.sdp.startswith(f"candidate:{candidate.foundation} 1 udp {candidate.priority} {behind_nat.mapped} ")
    assert found.gathering(outside.uri("stun")).candidates == 1


def test_a_turn_server_over_udp_gives_what_browsers_ask_it_for_host_srflx_and_relay(
    behind_nat: Client, outside: Coturn
) -> None:
    found = candidates_in(behind_nat, outside.uri("turn"))
    assert {item.address.host for item in found.candidates("host")} == {behind_nat.address, behind_nat.address6}
    assert [item.address.host for item in found.candidates("srflx")] == [behind_nat.mapped]
    (relay,) = found.candidates("relay")
    assert relay.address.host == SERVER
    assert relay.related is not None
    assert relay.related.host == behind_nat.mapped
    assert outside.wait_until_empty()


def test_several_servers_are_asked_side_by_side_and_each_candidate_names_its_own(
    behind_nat: Client, outside: Coturn
) -> None:
    uris = [outside.uri("stun"), outside.uri("stun", host=OTHER_SERVER), outside.uri("turn", "tcp")]
    found = candidates_in(behind_nat, *uris)
    assert {item.server for item in found.candidates("srflx")} == set(uris[:2])
    assert {item.server for item in found.candidates("relay")} == {uris[2]}
    assert {item.server for item in found.candidates("host")} == {None}
    assert len(found.candidates("host")) == 2
    assert {found.gathering(uri).candidates for uri in uris} == {1}


def test_what_is_on_record_names_no_credential(server: Coturn) -> None:
    found = candidates(server.uri("turn"))
    text = "".join(json.dumps(msgspec.to_builtins(item, enc_hook=encode_value)) for item in found.observations)
    assert "alice" not in text
    assert "wonderland" not in text


# --- IPv6 ---


def test_an_ipv6_address_that_nothing_translates_is_no_candidate_of_its_own_and_is_told(
    behind_nat: Client, outside: Coturn
) -> None:
    uri = outside.uri("stun", host=SERVER6)
    found = candidates_in(behind_nat, uri)
    assert not found.candidates("srflx")
    gathering = found.gathering(uri)
    assert gathering.failure is None
    assert gathering.detail == f"srflx from {behind_nat.address6}: the server sees this computer's own address"


def test_behind_an_ipv6_nat_the_candidate_comes_from_our_own_binding_request(
    internet: Topology, outside: Coturn
) -> None:
    router = internet.router("masquerade")
    router.nft(
        "table ip6 translate6 { chain post { type nat hook postrouting priority srcnat; oifname wan masquerade; }; }"
    )
    client = internet.client(router)
    client.ip("address add 2001:db8:ffff::2/64 dev eth0")
    uri = outside.uri("stun", host=SERVER6)
    found = candidates_in(client, uri)
    ours = [item for item in found.candidates("srflx") if item.related and item.related.host == client.address6]
    (candidate,) = ours
    assert candidate.gathered_by == "rtcdiag"
    assert candidate.address.host == router.wan6
    assert candidate.priority >> 24 == 100
    assert candidate.priority & 0xFF == 255
    assert candidate.interface == "eth0"
    assert candidate.browser_without_permission == "as-is"
    assert f" {router.wan6} {candidate.address.port} typ srflx raddr {client.address6} rport " in candidate.sdp
    assert found.gathering(uri).candidates == 1


# --- what a server does not give ---


def test_a_wrong_password_is_told_as_a_refusal_and_no_relay(server: Coturn) -> None:
    uri = server.uri("turn", "tcp")
    found = candidates(uri, password="looking-glass")
    assert not found.candidates("relay")
    gathering = found.gathering(uri)
    assert gathering.candidates == 0
    assert gathering.failure is None
    assert gathering.detail == "relay: the server refused with error 401"


def test_no_password_is_told_as_a_refusal(server: Coturn) -> None:
    assert candidates(server.uri(), password=None).gathering(server.uri()).detail is not None
    detail = candidates(server.uri(), password=None).gathering(server.uri()).detail or ""
    assert "relay: the server refused with error 401" in detail


@pytest.mark.parametrize("uri", ["stun:127.0.0.1:{}", "turn:127.0.0.1:{}"])
def test_a_silent_server_is_waited_for_within_the_bound(uri: str) -> None:
    with scripted_udp(silence) as silent:
        asked = uri.format(silent.port)
        found = candidates(asked, timeout_ms=300.0)
    assert found.gathering(asked).failure is Failure.TIMEOUT
    assert found.gathering(asked).candidates == 0
    assert found.took_s < 3


def test_a_silent_server_over_tcp_is_waited_for_within_the_bound() -> None:
    with scripted_tcp(silence) as silent:
        uri = f"turn:127.0.0.1:{silent.port}?transport=tcp"
        found = candidates(uri, timeout_ms=300.0)
    assert found.gathering(uri).failure is Failure.TIMEOUT
    assert found.took_s < 3


def test_a_closed_tcp_port_is_told_as_refused() -> None:
    uri = f"turn:127.0.0.1:{free_port()}?transport=tcp"
    found = candidates(uri)
    assert found.gathering(uri).failure is Failure.CONNECTION_REFUSED
    assert found.took_s < 3


def test_a_certificate_for_another_name_gives_no_relay(server: Coturn, authority: Authority) -> None:
    uri = server.uri("turns", "tcp")
    found = candidates(uri, ca_file=str(authority.ca_file), server_name="other.test")
    assert found.gathering(uri).failure is Failure.TLS_HOSTNAME_MISMATCH
    assert not found.candidates("relay")


def test_an_unknown_authority_gives_no_relay(server: Coturn) -> None:
    uri = server.uri("turns", "tcp")
    assert candidates(uri, server_name="turn.test").gathering(uri).failure is Failure.TLS_UNKNOWN_AUTHORITY


def test_a_server_that_answers_nonsense_ends_in_a_time_out_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    # An Allocate success with a LIFETIME of two bytes: aioice's decoder raises inside a callback of asyncio.
    def nonsense(request: bytes, _source: tuple[str, int]) -> list[Reply | Close]:
        body = bytes.fromhex("000d0002ffff0000")
        return [Reply(b"\x01\x03" + len(body).to_bytes(2, "big") + request[4:20] + body)]

    with scripted_udp(nonsense) as broken, scripted_tcp(nonsense) as broken_tcp:
        uris = f"turn:127.0.0.1:{broken.port}", f"turn:127.0.0.1:{broken_tcp.port}?transport=tcp"
        found = candidates(*uris, timeout_ms=300.0, relay_only=True)
        assert broken.received
        assert broken_tcp.received
    assert {found.gathering(uri).candidates for uri in uris} == {0}
    assert not caplog.records


def test_a_name_without_an_address_is_told_with_the_resolvers_failure(internet: Topology) -> None:
    found = candidates_in(internet.alone(), "stun:nowhere.test")
    gathering = found.gathering("stun:nowhere.test")
    assert gathering.candidates == 0
    assert gathering.failure in (Failure.DNS_FAILURE, Failure.DNS_TIMEOUT)
    assert "nowhere.test" in (gathering.detail or "")


def test_a_computer_with_no_network_has_no_candidates_and_says_so(internet: Topology) -> None:
    found = candidates_in(internet.alone(), f"stun:{SERVER}")
    assert not found.candidates("host")
    assert found.gathering(None).candidates == 0
    assert "no address but loopback" in (found.gathering(None).detail or "")
    assert found.gathering(f"stun:{SERVER}").candidates == 0


@pytest.mark.parametrize("uri", ["turns:127.0.0.1?transport=udp", "stuns:127.0.0.1"])
def test_a_server_that_no_agent_can_ask_is_skipped_with_a_reason_and_not_contacted(uri: str) -> None:
    found = candidates(uri)
    (skipped,) = found.skipped()
    assert skipped.what == f"candidates from {uri}"
    assert skipped.why
    assert not any(getattr(item, "server", None) for item in found.observations)


# --- options ---


def test_relay_only_gathers_relay_candidates_only_and_hides_where_they_come_from(server: Coturn) -> None:
    found = candidates(server.uri("turn"), server.uri("stun"), relay_only=True)
    (relay,) = (item for item in found.observations if isinstance(item, Candidate))
    assert relay.type == "relay"
    assert relay.related is None
    assert relay.sdp.endswith(" raddr 0.0.0.0 rport 9")
    (skipped,) = found.skipped()
    assert "--relay-only" in skipped.why


@pytest.fixture(scope="module")
def two_homes(internet: Topology) -> Client:
    """A computer with a second interface on a network that leads nowhere, named as a container's bridge."""
    client = internet.client("masquerade", ipv6=False)
    client.ip(
        "link add docker0 type bridge",
        "link set docker0 up",
        "address add 172.17.0.1/16 dev docker0",
    )
    return client


def test_every_interface_gives_a_host_candidate_and_only_the_default_one_is_seen_without_permission(
    two_homes: Client,
) -> None:
    hosts = {item.interface: item for item in candidates_in(two_homes).candidates("host")}
    assert set(hosts) == {"eth0", "docker0"}
    assert hosts["eth0"].browser_without_permission == "mdns"
    assert hosts["docker0"].browser_without_permission == "hidden"
    assert {item.browser_with_permission for item in hosts.values()} == {"as-is"}


@pytest.mark.parametrize("option", [{"interface": "eth0"}, {"bind": "ADDRESS"}])
def test_bind_and_interface_leave_the_other_addresses_alone(
    two_homes: Client, outside: Coturn, option: dict[str, str]
) -> None:
    options = {name: value.replace("ADDRESS", two_homes.address) for name, value in option.items()}
    found = candidates_in(two_homes, outside.uri("turn"), **options)
    assert [item.interface for item in found.candidates("host")] == ["eth0"]
    assert [item.interface for item in found.candidates("srflx")] == ["eth0"]
    assert [item.interface for item in found.candidates("relay")] == ["eth0"]
    assert "as asked for" in (found.gathering(None).detail or "")


def test_a_relay_that_would_leave_from_another_interface_than_asked_for_is_not_asked(
    two_homes: Client, outside: Coturn
) -> None:
    before = outside.allocations_ever()
    found = candidates_in(two_homes, outside.uri("turn"), interface="docker0", timeout_ms=300.0)
    assert [item.interface for item in found.candidates("host")] == ["docker0"]
    assert not found.candidates("relay")
    assert "cannot be bound" in (found.gathering(outside.uri("turn")).detail or "")
    assert outside.allocations_ever() == before


@pytest.mark.parametrize(("family", "version"), [("ipv4", 4), ("ipv6", 6)])
def test_one_family_can_be_asked_for(behind_nat: Client, family: str, version: int) -> None:
    hosts = candidates_in(behind_nat, families=[family]).candidates("host")
    assert [ipaddress.ip_address(item.address.host).version for item in hosts] == [version]


# --- cancelled ---


async def _cancelled_once_it_has(kind: str, uri: str, found: list[Observation]) -> None:
    net, seen = Net(RunOptions(timeout_ms=1000)), asyncio.Event()

    def record(item: Observation) -> None:
        found.append(item)
        if isinstance(item, Candidate) and item.type == kind:
            seen.set()

    probing = asyncio.create_task(observe(job([uri, f"stun:127.0.0.1:{free_port()}"]), net, record))
    await asyncio.wait_for(seen.wait(), 5)
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)
    assert probing.cancelled()
    await net.close()


@pytest.mark.parametrize("transport", ["", "tcp"])
def test_a_cancelled_probe_releases_its_allocation_before_it_ends(server: Coturn, transport: str) -> None:
    before, found = server.allocations_ever(), list[Observation]()
    asyncio.run(_cancelled_once_it_has("relay", server.uri("turn", transport), found))
    assert server.wait_until_empty()
    assert server.allocations_ever() == before + 1


async def _cancelled_at_once(uri: str, after_s: float) -> None:
    net = Net(RunOptions(timeout_ms=1000))
    probing = asyncio.create_task(observe(job([uri]), net, lambda _: None))
    await asyncio.sleep(after_s)
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)
    await net.close()


def test_an_allocation_that_is_answered_after_the_cancellation_is_released_all_the_same() -> None:
    def late(request: bytes, _source: tuple[str, int]) -> list[Reply | Close]:
        return [Reply(_allocated(request), delay_ms=300)] if request[:2] == b"\x00\x03" else []

    with scripted_udp(late) as server:
        asyncio.run(_cancelled_at_once(f"turn:127.0.0.1:{server.port}", 0.15))
        refreshes = [request for request in server.received if request[:2] == b"\x00\x04"]
    assert any(bytes.fromhex("000d000400000000") in request for request in refreshes)


async def _cancelled_after(steps: int, uri: str) -> int:
    """Cancel a probe after so many rounds of the event loop, and return how many files it left open."""
    before = _open_files()
    net = Net(RunOptions(timeout_ms=1000))
    probing = asyncio.create_task(observe(job([uri]), net, lambda _: None))
    for _ in range(steps):
        await asyncio.sleep(0)
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)
    await net.close()
    await asyncio.sleep(0)
    return _open_files() - before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_wherever_it_is_cancelled_a_probe_leaves_no_socket_open(server: Coturn) -> None:
    candidates()
    assert [asyncio.run(_cancelled_after(steps, server.uri("turn"))) for steps in range(40)] == [0] * 40


@pytest.mark.parametrize("after_ms", range(0, 14, 2))
def test_a_probe_cancelled_while_it_allocates_leaves_nothing_behind(server: Coturn, after_ms: int) -> None:
    asyncio.run(_cancelled_at_once(server.uri("turn"), after_ms / 1000))
    assert server.wait_until_empty()


def test_a_cancelled_probe_does_not_wait_for_a_dead_server() -> None:
    began = time.monotonic()
    with scripted_udp(silence) as silent:
        asyncio.run(_cancelled_at_once(f"turn:127.0.0.1:{silent.port}", 0.2))
    assert time.monotonic() - began < 3


def test_a_server_that_dies_with_an_allocation_is_not_waited_for() -> None:
    def dies(request: bytes, _source: tuple[str, int]) -> list[Reply | Close]:
        return [Reply(_allocated(request))] if request[:2] == b"\x00\x03" else []

    with scripted_udp(dies) as mortal:
        uri = f"turn:127.0.0.1:{mortal.port}"
        found = candidates(uri, timeout_ms=300.0)
    (relay,) = found.candidates("relay")
    assert relay.address == TransportAddress("203.0.113.9", 50_000)
    assert "did not confirm" in (found.gathering(uri).detail or "")
    assert found.took_s < 4


def _allocated(request: bytes) -> bytes:
    """Return an Allocate success response without credentials: XOR-RELAYED, XOR-MAPPED and LIFETIME."""
    cookie = 0x2112A442

    def xored(kind: int, host: str, port: int) -> bytes:
        address = (int(ipaddress.ip_address(host)) ^ cookie).to_bytes(4, "big")
        return kind.to_bytes(2, "big") + b"\x00\x08\x00\x01" + (port ^ cookie >> 16).to_bytes(2, "big") + address

    body = xored(0x0016, "203.0.113.9", 50_000) + xored(0x0020, "203.0.113.7", 40_000)
    body += bytes.fromhex("000d000400000258")
    return b"\x01\x03" + len(body).to_bytes(2, "big") + request[4:20] + body
