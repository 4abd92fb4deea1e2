"""The network seam on real sockets: which destination an ICMP error was about, firewalls, routes, names, TLS."""

import asyncio
import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.net import Net
from rtcdiag.net.icmp import Refusal
from rtcdiag.net.local import Local
from rtcdiag.net.routes import INTERNET, local_addresses, source_towards
from rtcdiag.net.stream import (
    NetError,
    TlsFacts,
    TlsSettings,
    connect_tcp,
    plain_stream,
    tls_stream,
)
from rtcdiag.net.tls import Offer, Presented, presented
from rtcdiag.net.udp import open_udp
from rtcdiag.options import RunOptions
from support.ca import Authority, Certificate
from support.netns import NAME_SERVER, SERVER, SERVER6, Client, Namespace, Topology
from support.ports import free_port
from support.scripted import (
    HTTP_400,
    TLS_ALERT,
    Close,
    Reply,
    Scripted,
    binding_success,
    scripted_tcp,
    scripted_udp,
    silence,
)

pytestmark = pytest.mark.lab

T = TypeVar("T")
TIMEOUT_MS = 3000.0
LOOPBACKS = ["127.0.0.1", "::1"]
REQUEST = bytes.fromhex("000100002112a442") + bytes(range(12))


@pytest.fixture(scope="module")
def internet() -> Iterator[Topology]:
    with Topology() as net:
        yield net


@pytest.fixture(scope="module")
def client(internet: Topology) -> Client:
    return internet.client("no-nat")


@pytest.fixture(scope="module")
def alone(internet: Topology) -> Namespace:
    return internet.alone()


def _enter(namespace: Namespace) -> None:
    """Move the calling thread into a namespace: os.setns is not there before Python 3.12."""
    with Path("/run/netns", namespace.name).open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


def inside(namespace: Namespace, function: Callable[[], T]) -> T:
    """Call a function in a thread that lives in a namespace; its sockets and threads live there too."""
    outcome: list[T | BaseException] = []

    def work() -> None:
        try:
            _enter(namespace)
            outcome.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    (result,) = outcome
    if isinstance(result, BaseException):
        raise result
    return result


# --- UDP ---


async def errors_after_sending(
    family: Family, destinations: list[str], size: int = 20, wait_s: float = 1.0
) -> set[Any]:
    """Send a datagram to each destination, and return the errors that came back: (failure, destination)."""
    sock, errors, came = await open_udp(family), set[Any](), asyncio.Event()

    def on_error(refusal: Refusal) -> None:
        errors.add((refusal.failure, str(refusal.destination)))
        came.set()

    sock.on_error = on_error
    try:
        for destination in destinations:
            sock.send(bytes(size), TransportAddress.parse(destination))
        await asyncio.wait_for(came.wait(), wait_s)
        # What belongs to the other destinations would have come with it.
        await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    finally:
        sock.close()
    return errors


def _parts(family: Family, host: str) -> str:
    return f"[{host}]" if family is Family.IPV6 else host


@pytest.mark.parametrize(("family", "host"), list(zip(Family, LOOPBACKS, strict=True)))
def test_port_unreachable_names_the_destination_that_is_closed_and_no_other(family: Family, host: str) -> None:
    with scripted_udp(silence, host=host) as server:
        name, closed = _parts(family, host), free_port()
        destinations = [f"{name}:{server.port}", f"{name}:{closed}"]
        errors = asyncio.run(errors_after_sending(family, destinations))
    assert errors == {(Failure.CONNECTION_REFUSED, f"{name}:{closed}")}


@pytest.mark.parametrize(("family", "host"), list(zip(Family, LOOPBACKS, strict=True)))
def test_several_closed_ports_are_told_apart(family: Family, host: str) -> None:
    closed = [f"{_parts(family, host)}:{free_port()}" for _ in range(3)]
    errors = asyncio.run(errors_after_sending(family, closed))
    assert errors == {(Failure.CONNECTION_REFUSED, destination) for destination in closed}


@pytest.mark.parametrize(
    ("family", "reject", "destination"),
    [
        (Family.IPV4, "icmp host-unreachable", f"{SERVER}:3478"),
        (Family.IPV6, "icmpv6 addr-unreachable", f"[{SERVER6}]:3478"),
    ],
)
def test_a_router_that_says_unreachable_is_told(
    internet: Topology, family: Family, reject: str, destination: str
) -> None:
    router = internet.router("no-nat")
    client = internet.client(router)
    router.nft(
        "table inet refuse { chain forward { type filter hook forward priority -10; "
        f"meta l4proto udp reject with {reject}; }}; }}"
    )
    # Systems limit how often they say so; what is not said once is said again.
    tries = (inside(client, lambda: asyncio.run(errors_after_sending(family, [destination]))) for _ in range(4))
    assert next(filter(None, tries), set()) == {(Failure.HOST_UNREACHABLE, destination)}


@pytest.mark.parametrize(("family", "host"), [(Family.IPV4, SERVER), (Family.IPV6, SERVER6)])
def test_this_computers_own_firewall_is_told_for_the_destination_that_it_forbids(
    internet: Topology, family: Family, host: str
) -> None:
    client = internet.client("no-nat")
    client.nft(
        "table inet own { chain output { type filter hook output priority filter; "
        "udp dport 3478 drop; tcp dport 3478 drop; }; }"
    )
    forbidden, allowed = f"{_parts(family, host)}:3478", f"{_parts(family, host)}:3479"
    errors = inside(client, lambda: asyncio.run(errors_after_sending(family, [forbidden, allowed])))
    assert (Failure.PERMISSION_DENIED, forbidden) in errors
    assert {destination for failure, destination in errors if failure is Failure.PERMISSION_DENIED} == {forbidden}


@pytest.mark.parametrize(("family", "host"), [(Family.IPV4, SERVER), (Family.IPV6, SERVER6)])
def test_without_a_route_sending_says_so_at_once(alone: Namespace, family: Family, host: str) -> None:
    destination = f"{_parts(family, host)}:3478"
    errors = inside(alone, lambda: asyncio.run(errors_after_sending(family, [destination])))
    assert errors == {(Failure.NETWORK_UNREACHABLE, destination)}


def test_a_datagram_that_is_too_big_is_told() -> None:
    destination = f"127.0.0.1:{free_port()}"
    errors = asyncio.run(errors_after_sending(Family.IPV4, [destination], size=65_508))
    assert errors == {(Failure.MESSAGE_TOO_LONG, destination)}


async def _answers(server: Scripted) -> list[tuple[bytes, TransportAddress]]:
    sock, answers = await open_udp(Family.IPV4), list[tuple[bytes, TransportAddress]]()
    sock.on_datagram = lambda data, source: answers.append((data, source))
    sock.send(REQUEST, TransportAddress(server.host, server.port))
    for _ in range(100):
        if len(answers) == 2:
            break
        await asyncio.sleep(0.02)
    sock.close()
    sock.close()
    sock.send(REQUEST, TransportAddress(server.host, server.port))
    return answers


def test_answers_come_with_their_real_source_and_a_closed_socket_stays_silent() -> None:
    def twice(request: bytes, _source: tuple[str, int]) -> list[Reply | Close]:
        return [Reply(binding_success(request)), Reply(b"elsewhere", other_socket=True)]

    with scripted_udp(twice) as server:
        answers = asyncio.run(_answers(server))
        assert [source.port for _, source in answers] == [server.port, server.other_port]
        assert len(server.received) == 1


def test_a_port_that_is_taken_cannot_be_bound() -> None:
    with scripted_udp(silence) as server, pytest.raises(OSError, match="in use"):
        asyncio.run(open_udp(Family.IPV4, Local(IPv4Address("127.0.0.1")), server.port))


# --- routes ---


def test_the_source_towards_the_internet_is_the_clients_address_without_a_packet(client: Client) -> None:
    sources = inside(client, lambda: [source_towards(INTERNET[family]) for family in Family])
    assert sources == [ip_address(client.address), ip_address(client.address6)]


def test_without_a_route_there_is_no_source(alone: Namespace) -> None:
    sources = inside(alone, lambda: [source_towards(INTERNET[family]) for family in Family])
    assert sources == [Failure.NETWORK_UNREACHABLE] * 2


def test_a_bound_source_is_the_bound_address_and_a_foreign_one_is_unavailable(client: Client) -> None:
    client.ip("address add 192.0.2.201/32 dev lo")
    destination = INTERNET[Family.IPV4]
    bound = inside(client, lambda: source_towards(destination, Local(ip_address("192.0.2.201"))))
    assert bound == ip_address("192.0.2.201")
    foreign = inside(client, lambda: source_towards(destination, Local(ip_address("203.0.113.200"))))
    assert foreign is Failure.ADDRESS_UNAVAILABLE


def test_local_addresses_are_named_by_interface_and_loopback_is_among_them(client: Client) -> None:
    owned = inside(client, lambda: list(local_addresses()))
    assert ("eth0", ip_address(client.address)) in owned
    assert ("eth0", ip_address(client.address6)) in owned
    assert ("lo", ip_address("127.0.0.1")) in owned
    link_local = [ip for name, ip in owned if name == "eth0" and ip.version == 6 and ip.is_link_local]
    assert all("%" in str(ip) for ip in link_local)


# --- names: resolv.conf of a namespace is there for processes that `ip netns exec` starts ---

_LOOK_UP = """
import asyncio, sys, time
from rtcdiag.address import Family
from rtcdiag.net.resolver import look_up
for family in Family:
    began = time.monotonic()
    answer = asyncio.run(look_up(sys.argv[1], family, float(sys.argv[2])))
    bounded = time.monotonic() - began < float(sys.argv[2]) / 1000 + 2
    print(answer.failure or ",".join(map(str, answer.addresses)), bounded)
"""


def looked_up(namespace: Namespace, name: str, timeout_ms: int = 8000) -> list[str]:
    """Return what the look-ups of both families say, each within its bound."""
    done = namespace.run([sys.executable, "-c", _LOOK_UP, name, str(timeout_ms)], timeout=30)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [bounded for _, bounded in lines] == ["True", "True"]
    return [said for said, _ in lines]


@pytest.fixture(scope="module")
def with_names() -> Iterator[Topology]:
    with Topology() as net:
        net.serve_names({"both.test": [SERVER, SERVER6], "old.test": [SERVER]})
        yield net


def test_a_name_has_its_addresses_in_both_families(with_names: Topology) -> None:
    assert looked_up(with_names.internet, "both.test") == [SERVER, SERVER6]


def test_a_name_without_an_address_of_a_family_is_told_from_one_that_does_not_exist(with_names: Topology) -> None:
    assert looked_up(with_names.internet, "old.test") == [SERVER, Failure.DNS_NO_ADDRESS]
    assert looked_up(with_names.internet, "nowhere.test") == [Failure.DNS_NOT_FOUND] * 2


def test_a_resolver_that_refuses_is_a_failure_and_not_an_unknown_name(internet: Topology) -> None:
    # Nothing listens on the name server's address in this topology.
    assert looked_up(internet.internet, "turn.test") == [Failure.DNS_FAILURE] * 2


def test_without_a_network_a_look_up_fails_and_the_name_is_not_called_unknown(alone: Namespace) -> None:
    assert looked_up(alone, "turn.test") == [Failure.DNS_FAILURE] * 2


def test_a_resolver_that_is_silent_is_a_time_out_within_the_bound(internet: Topology) -> None:
    client = internet.client("no-nat")
    internet.internet.nft(
        f"table inet mute {{ chain input {{ type filter hook input priority -10; "
        f"ip daddr {NAME_SERVER} udp dport 53 drop; }}; }}"
    )
    try:
        assert looked_up(client, "turn.test", 500) == [Failure.DNS_TIMEOUT] * 2
    finally:
        internet.internet.nft("delete table inet mute")


# --- TCP ---


async def _connect_failure(destination: str, timeout_ms: float = TIMEOUT_MS) -> Failure | None:
    try:
        (await connect_tcp(TransportAddress.parse(destination), timeout_ms)).close()
    except NetError as error:
        return error.failure
    return None


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_closed_tcp_port_refuses(host: str) -> None:
    assert asyncio.run(_connect_failure(f"{host}:{free_port()}")) is Failure.CONNECTION_REFUSED


@pytest.mark.parametrize("host", [SERVER, f"[{SERVER6}]"])
def test_without_a_route_nothing_connects(alone: Namespace, host: str) -> None:
    failure = inside(alone, lambda: asyncio.run(_connect_failure(f"{host}:3478")))
    assert failure is Failure.NETWORK_UNREACHABLE


def test_a_firewall_that_drops_is_a_time_out_within_the_bound(internet: Topology) -> None:
    client = internet.client("no-nat")
    client.nft("table inet in { chain input { type filter hook input priority filter; tcp sport 3478 drop; }; }")
    began = time.monotonic()
    failure = inside(client, lambda: asyncio.run(_connect_failure(f"{SERVER}:3478", 300)))
    assert failure is Failure.TIMEOUT
    assert time.monotonic() - began < 5


async def _read_failure(server: Scripted) -> Failure | bytes:
    destination = TransportAddress(server.host, server.port)
    stream = await plain_stream(await connect_tcp(destination, TIMEOUT_MS), destination)
    try:
        stream.send(REQUEST)
        return await stream.read()
    except NetError as error:
        return error.failure
    finally:
        stream.close()
        stream.send(REQUEST)


def test_a_reset_is_told_from_an_end() -> None:
    with scripted_tcp(lambda _data, _source: [Close(reset=True)]) as server:
        assert asyncio.run(_read_failure(server)) is Failure.CONNECTION_RESET
    with scripted_tcp(lambda _data, _source: [Close()]) as server:
        assert asyncio.run(_read_failure(server)) == b""


# --- TLS ---


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


async def _handshake(server: Scripted, settings: TlsSettings, timeout_ms: float) -> TlsFacts:
    destination = TransportAddress(server.host, server.port)
    stream, facts = await tls_stream(await connect_tcp(destination, TIMEOUT_MS), destination, settings, timeout_ms)
    if stream is not None:
        stream.close()
    assert (stream is None) == (facts.failure is not None)
    return facts


def handshake(
    server: Scripted, authority: Authority | None, name: str = "turn.test", timeout_ms: float = TIMEOUT_MS
) -> TlsFacts:
    settings = TlsSettings(name, str(authority.ca_file) if authority else None)
    return asyncio.run(_handshake(server, settings, timeout_ms))


def test_a_sound_certificate_verifies_and_its_facts_are_told(authority: Authority) -> None:
    certificate = authority.issue("turn.test", "*.turn.test", "127.0.0.1", intermediate=True)
    with scripted_tcp(silence, certificate=certificate) as server:
        facts = handshake(server, authority)
        by_address = handshake(server, authority, "127.0.0.1")
    assert facts.failure is None
    assert facts.server_name == "turn.test"
    assert facts.version in {"TLSv1.2", "TLSv1.3"}
    assert facts.cipher
    assert facts.certificate is not None
    assert facts.certificate.names == ("turn.test", "*.turn.test", "127.0.0.1")
    assert facts.certificate.not_before < time.time() < facts.certificate.not_after
    assert (by_address.failure, by_address.server_name) == (None, None)


def _bad(authority: Authority, kind: str) -> Certificate:
    match kind:
        case "expired":
            return authority.issue("turn.test", days=(-30, -1))
        case "not yet valid":
            return authority.issue("turn.test", days=(1, 30))
        case "self-signed":
            return authority.issue("turn.test", self_signed=True)
        case "without its intermediate":
            return authority.issue("turn.test", intermediate=True, chain=False)
        case _:
            return authority.issue("turn.test")


@pytest.mark.parametrize(
    ("kind", "name", "failure"),
    [
        ("expired", "turn.test", Failure.TLS_CERTIFICATE_EXPIRED),
        ("not yet valid", "turn.test", Failure.TLS_CERTIFICATE_NOT_YET_VALID),
        ("self-signed", "turn.test", Failure.TLS_SELF_SIGNED),
        ("without its intermediate", "turn.test", Failure.TLS_UNKNOWN_AUTHORITY),
        ("for another name", "other.test", Failure.TLS_HOSTNAME_MISMATCH),
        ("for a name only", "127.0.0.1", Failure.TLS_HOSTNAME_MISMATCH),
    ],
)
def test_a_bad_certificate_is_told_by_what_is_wrong_with_it(
    authority: Authority, kind: str, name: str, failure: Failure
) -> None:
    with scripted_tcp(silence, certificate=_bad(authority, kind)) as server:
        facts = handshake(server, authority, name)
    assert facts.failure is failure
    assert facts.detail


def test_a_certificate_of_an_unknown_authority_is_told(authority: Authority) -> None:
    with scripted_tcp(silence, certificate=authority.issue("turn.test")) as server:
        assert handshake(server, None).failure is Failure.TLS_UNKNOWN_AUTHORITY


async def _presented(server: Scripted, timeout_ms: float) -> Presented:
    sock = await connect_tcp(TransportAddress(server.host, server.port), TIMEOUT_MS)
    return await presented(sock, "turn.test", Offer("turn.test"), timeout_ms)


@pytest.mark.parametrize(("chain", "sent"), [(True, 2), (False, 1)])
def test_a_certificate_that_does_not_verify_is_still_read_with_the_length_of_its_chain(
    authority: Authority, chain: bool, sent: int
) -> None:
    certificate = authority.issue("turn.test", days=(-30, -1), intermediate=True, chain=chain)
    with scripted_tcp(silence, certificate=certificate) as server:
        seen = asyncio.run(_presented(server, TIMEOUT_MS))
    assert seen.certificate is not None
    assert seen.certificate.names == ("turn.test",)
    assert seen.certificate.not_after < time.time()
    assert seen.sent == sent


# A protocol_version alert (RFC 8446 section 6), in a record of TLS 1.0.
PROTOCOL_VERSION_ALERT = bytes.fromhex("15030100020246")


@pytest.mark.parametrize(
    ("replies", "failures"),
    [
        ([Reply(binding_success(REQUEST))], {Failure.TLS_NOT_SPOKEN}),
        ([Reply(HTTP_400), Close()], {Failure.TLS_NOT_SPOKEN}),
        ([Reply(b"SSH-2.0-OpenSSH_9.2\r\n")], {Failure.TLS_NOT_SPOKEN}),
        ([Reply(b"\x00" * 64)], {Failure.TLS_NOT_SPOKEN}),
        ([Reply(TLS_ALERT)], {Failure.TLS_HANDSHAKE}),
        ([Reply(PROTOCOL_VERSION_ALERT)], {Failure.TLS_PROTOCOL_VERSION}),
        ([Close()], {Failure.CONNECTION_CLOSED}),
        ([Close(reset=True)], {Failure.CONNECTION_RESET}),
        ([Reply(b"\x16\x03\x03\x00"), Close()], {Failure.CONNECTION_CLOSED}),
        ([], {Failure.TIMEOUT}),
    ],
    ids=["stun", "http", "ssh", "zeros", "alert", "old-version", "closed", "reset", "cut-off", "silent"],
)
def test_a_port_that_does_not_do_tls_is_told_by_what_it_does(
    replies: list[Reply | Close], failures: set[Failure]
) -> None:
    with scripted_tcp(lambda _data, _source: replies) as server:
        facts = handshake(server, None, timeout_ms=700)
        seen = asyncio.run(_presented(server, 300))
    assert facts.failure in failures
    assert seen.failure in failures
    assert (seen.certificate, seen.named) == (None, None)


# --- the whole seam ---


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def _opened_and_closed() -> int:
    net = Net(RunOptions())
    for family in Family:
        await net.udp(family)
    before = _open_files()
    await net.close()
    await asyncio.sleep(0)
    return before - _open_files()


def test_closing_the_net_closes_every_socket_that_it_opened() -> None:
    assert asyncio.run(_opened_and_closed()) == 2


async def _bound() -> str:
    net = Net(RunOptions(bind=ip_address("127.0.0.2")))
    try:
        return (await net.udp(Family.IPV4)).bound.host
    finally:
        await net.close()


def test_a_socket_has_the_address_that_was_asked_for() -> None:
    assert asyncio.run(_bound()) == "127.0.0.2"
