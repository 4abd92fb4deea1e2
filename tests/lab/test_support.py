"""The tests' own servers and networks, tried with other people's tools."""

import contextlib
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ca import Authority
from support.coturn import Coturn, coturn
from support.netns import ALTERNATE, ALTERNATE6, SERVER, SERVER6, Topology
from support.nft import Nat
from support.ports import free_port
from support.process import run, running
from support.scripted import BIGGEST, HTTP_400, Close, Reply, Scripted, binding_success, scripted_tcp, scripted_udp

pytestmark = pytest.mark.lab

REQUEST = bytes.fromhex("000100002112a442") + bytes(range(12))
UCLIENT = ["turnutils_uclient", "-u", "alice", "-w", "wonderland", "-m", "1", "-n", "1", "-y", "-c"]
MAPPED = re.compile(r"UDP reflexive addr: (\S+):(\d+)")

INDEPENDENT = "Endpoint Independent"
BY_ADDRESS = "Address Dependent"
BY_ADDRESS_AND_PORT = "Address and Port Dependent"


# --- coturn ---


def relayed(server: Coturn, *options: str) -> str:
    """Send a message through the relay with coturn's own client, and return what it says."""
    done = run([*UCLIENT, *options, server.host], timeout=30)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_coturn_relays_over_udp_and_tcp_and_its_allocations_are_counted(tmp_path: Path) -> None:
    with coturn(tmp_path) as server:
        assert server.allocations_ever() == 0
        assert "tot_recv_msgs=2" in relayed(server, "-p", str(server.port))
        assert "tot_recv_msgs=2" in relayed(server, "-t", "-p", str(server.port))
        assert server.allocations_ever() >= 4


def test_an_allocation_that_is_not_released_is_counted_as_left(tmp_path: Path) -> None:
    with coturn(tmp_path) as server:
        endless = [*UCLIENT, "-p", str(server.port), server.host]
        endless[endless.index("-n") + 1] = "100000"
        with running(endless, log=tmp_path / "uclient.log") as client:
            end = time.monotonic() + 10
            while not server.allocations() and time.monotonic() < end:
                time.sleep(0.05)
            client.kill()
        assert not server.wait_until_empty(0.5)


def test_coturn_speaks_tls_with_the_certificate_of_our_authority(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with coturn(tmp_path / "coturn", certificate=authority.issue("turn.test", intermediate=True)) as server:
        assert "Verify return code: 0 (ok)" in s_client(server.tls_port, authority.ca_file, "turn.test")
        assert "tot_recv_msgs=2" in relayed(server, "-t", "-S", "-p", str(server.tls_port))


def test_coturn_takes_time_limited_credentials(tmp_path: Path) -> None:
    with coturn(tmp_path, secret="north") as server:
        done = run(["turnutils_uclient", "-W", "north", "-u", "eve", *UCLIENT[5:], "-p", str(server.port), server.host])
        assert "tot_recv_msgs=2" in done.stdout


def test_coturn_is_gone_after_its_block_also_when_it_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), coturn(tmp_path) as server:
        _ = 1 // 0
    assert server.process.poll() is not None


def test_coturn_that_cannot_start_is_an_error_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"198\.51\.100\.1"), coturn(tmp_path, listen=["198.51.100.1"], ready_s=1.0):
        pass


# --- the certificate authority ---


def s_client(port: int, ca_file: Path, name: str) -> str:
    """Return what openssl says of a server's certificate, checked against an authority and a name."""
    check: list[str | Path] = ["-CAfile", ca_file, "-verify_hostname", name, "-servername", name]
    return run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *check], timeout=10).stdout


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [
        ({"days": (-30, -1)}, "certificate has expired"),
        ({"days": (1, 30)}, "certificate is not yet valid"),
        ({"self_signed": True}, "self-signed certificate"),
        ({"intermediate": True, "chain": False}, "unable to verify the first certificate"),
    ],
)
def test_openssl_finds_each_fault_that_a_certificate_was_made_with(
    tmp_path: Path, wrong: dict[str, Any], verdict: str
) -> None:
    authority = Authority(tmp_path)
    with scripted_tcp(echo, certificate=authority.issue("a.test", **wrong)) as server:
        assert verdict in s_client(server.port, authority.ca_file, "a.test")


def test_another_name_and_another_authority_are_refused(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "Other CA")
    with scripted_tcp(echo, certificate=authority.issue("a.test", "127.0.0.1")) as server:
        assert "Verify return code: 0 (ok)" in s_client(server.port, authority.ca_file, "a.test")
        assert "hostname mismatch" in s_client(server.port, authority.ca_file, "b.test")
        assert "unable to verify the first certificate" in s_client(server.port, other.ca_file, "a.test")
        context = ssl.create_default_context(cafile=authority.ca_file)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with (
            socket.create_connection(("127.0.0.1", server.port), 5) as sock,
            context.wrap_socket(sock, server_hostname="127.0.0.1") as talk,
        ):
            assert talk.version() == "TLSv1.3"


# --- network namespaces ---


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with (
        Topology() as topology,
        coturn(
            tmp_path_factory.mktemp("coturn"),
            listen=[SERVER, ALTERNATE, SERVER6, ALTERNATE6],
            relay=[SERVER, SERVER6],
            prefix=topology.internet.prefix,
        ),
    ):
        topology.serve_names({"stun.example.org": [SERVER, SERVER6]})
        yield topology


@pytest.mark.parametrize(
    ("nat", "mapping", "filtering"),
    [
        ("masquerade", INDEPENDENT, BY_ADDRESS_AND_PORT),
        ("random", BY_ADDRESS_AND_PORT, BY_ADDRESS_AND_PORT),
        ("full-cone", INDEPENDENT, INDEPENDENT),
        ("address-restricted", INDEPENDENT, BY_ADDRESS),
        ("firewall", INDEPENDENT, BY_ADDRESS_AND_PORT),
        ("no-nat", INDEPENDENT, INDEPENDENT),
    ],
)
def test_natdiscovery_finds_each_kind_of_router_to_be_what_it_is_called(
    net: Topology, nat: Nat, mapping: str, filtering: str
) -> None:
    client = net.client(nat)
    done = client.run(["turnutils_natdiscovery", "-m", "-f", "-L", client.address, "-l", "40000", SERVER], timeout=40)
    assert f"NAT with {mapping} Mapping!" in done.stdout
    assert f"NAT with {filtering} Filtering!" in done.stdout
    address, port = MAPPED.findall(done.stdout)[0]
    assert (address, client.address != address) == (client.mapped, nat not in {"firewall", "no-nat"})
    assert (port == "40000") == (nat != "random")


def test_a_router_that_blocks_udp_lets_names_and_tcp_pass(net: Topology) -> None:
    client = net.client("udp-blocked")
    for server in (SERVER, SERVER6):
        with pytest.raises(subprocess.TimeoutExpired):
            client.run(["turnutils_stunclient", server], timeout=1)
        connect = f"import socket; print(socket.create_connection(({server!r}, 3478), 5))"
        assert "laddr" in client.run([sys.executable, "-S", "-c", connect], timeout=10).stdout
    assert SERVER in client.run(["getent", "ahostsv4", "stun.example.org"]).stdout


def test_ipv6_is_not_translated_and_filtered_but_behind_no_nat(net: Topology) -> None:
    expected: dict[Nat, str] = {"masquerade": BY_ADDRESS_AND_PORT, "no-nat": INDEPENDENT}
    for nat, filtering in expected.items():
        client = net.client(nat)
        done = client.run(["turnutils_natdiscovery", "-f", "-L", client.address6, SERVER6], timeout=40)
        assert f"UDP reflexive addr: {client.address6}:" in done.stdout
        assert f"NAT with {filtering} Filtering!" in done.stdout


def test_a_name_that_is_not_served_does_not_exist_and_without_a_server_none_resolves(net: Topology) -> None:
    resolve = [sys.executable, "-S", "-c", "import socket; socket.getaddrinfo('nosuch.example.org', 1)"]
    assert "Name or service not known" in net.client().run(resolve).stderr
    with Topology() as nameless:
        assert "Temporary failure in name resolution" in nameless.client().run(resolve).stderr


def test_clients_of_one_router_share_its_address_and_one_that_is_alone_has_no_route(net: Topology) -> None:
    router = net.router("masquerade")
    one, two = net.client(router), net.client(router)
    assert one.address != two.address
    assert one.mapped == two.mapped == router.wan
    connect = f"import socket; socket.create_connection(({one.address!r}, 9), 5)"
    assert "ConnectionRefusedError" in two.run([sys.executable, "-S", "-c", connect]).stderr
    assert net.alone().run(["ip", "route"]).stdout == ""


def test_nothing_is_left_of_a_topology_that_failed() -> None:
    made: list[str] = []
    with contextlib.suppress(ZeroDivisionError), Topology() as topology:
        made = [topology.internet.name, topology.client().name]
        _ = 1 // 0
    left = run(["ip", "netns", "list"]).stdout
    assert len(made) == 2
    assert not [name for name in made if name in left or Path("/etc/netns", name).exists()]


def test_a_command_that_hangs_inside_is_ended_with_its_children(net: Topology) -> None:
    alone = net.alone()
    with pytest.raises(subprocess.TimeoutExpired):
        alone.run(["sh", "-c", "sleep 60 & sleep 60"], timeout=0.5)
    assert run(["ip", "netns", "pids", alone.name]).stdout == ""


# --- scripted servers ---


def echo(data: bytes, _source: tuple[str, int]) -> list[Reply | Close]:
    return [Reply(data)]


def udp_answers(server: Scripted, count: int) -> list[tuple[bytes, int]]:
    """Send one request, and return the data and source ports of so many answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(REQUEST, (server.host, server.port))
        return [(data, source[1]) for data, source in (sock.recvfrom(BIGGEST) for _ in range(count))]


def test_a_script_answers_twice_late_from_elsewhere_and_with_the_biggest_datagram() -> None:
    good, big = binding_success(REQUEST), bytes(BIGGEST)
    replies = [Reply(good), Reply(good, delay_ms=30), Reply(good, other_socket=True), Reply(big)]
    with scripted_udp(lambda _data, _source: replies) as server:
        here, there = server.port, server.other_port
        assert udp_answers(server, 4) == [(good, here), (good, here), (good, there), (big, here)]
        assert server.received == [REQUEST]


def test_turnutils_reads_the_binding_success_that_a_script_makes() -> None:
    with scripted_udp(lambda data, _source: [Reply(binding_success(data))]) as server:
        done = run(["turnutils_stunclient", "-p", str(server.port), server.host], timeout=5)
        assert "UDP reflexive addr: 203.0.113.7:50000" in done.stdout


def tcp_answer(server: Scripted, request: bytes = REQUEST) -> bytes:
    """Send one request, and return everything until the server closes."""
    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.sendall(request)
        return b"".join(iter(lambda: sock.recv(65_536), b""))


def test_a_script_over_tcp_answers_http_and_closes() -> None:
    with scripted_tcp(lambda _data, _source: [Reply(HTTP_400), Close()]) as server:
        assert tcp_answer(server) == HTTP_400


def test_a_script_over_tcp_greets_and_resets() -> None:
    with scripted_tcp(echo, greeting=[Close(reset=True)]) as server, pytest.raises(ConnectionResetError):
        tcp_answer(server)
    assert server.connections == 1


def test_a_port_that_was_free_refuses_connections() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port()), 5)
