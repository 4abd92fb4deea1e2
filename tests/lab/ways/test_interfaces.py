"""A computer with several ways out: each answer belongs to one of them, and only one is described."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.coturn import coturn
from support.netns import ALTERNATE, OTHER_SERVER, SERVER, SERVER6, SERVERS, SERVERS6, Client, Router, Topology
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

EIM = "endpoint-independent"
APDF = "address-and-port-dependent"
BOTH = ("--server", f"stun:{SERVER}", "--server", f"stun:{OTHER_SERVER}")


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with Topology() as net:
        directory = tmp_path_factory.mktemp("coturn")
        one = coturn(directory, listen=(*SERVERS[:2], *SERVERS6), relay=(SERVER, SERVER6), prefix=net.internet.prefix)
        two = coturn(
            tmp_path_factory.mktemp("other"), listen=SERVERS[2:], relay=(OTHER_SERVER,), prefix=net.internet.prefix
        )
        with one, two:
            yield net


def asked(client: Client, *options: str, command: str = "nat-type") -> dict[str, Any]:
    done = client.run([RTCDIAG, command, "--json", "--no-control", *options], timeout=30)
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def hosts(nat: dict[str, Any]) -> set[str]:
    return {address.rpartition(":")[0] for address in nat["mapped"]}


def two_ways(internet: Topology, second: str = "eth1") -> tuple[Client, Router]:
    """Return a computer with a way out of its own, and one through another router."""
    client, router = internet.client("masquerade"), internet.router("masquerade")
    internet.connect(client, second, router)
    return client, router


def test_of_two_uplinks_the_preferred_one_is_described(internet: Topology) -> None:
    client, _ = two_ways(internet)
    report = asked(client, *BOTH)
    nat = report["nat"]["ipv4"]

    assert (nat["interface"], nat["address"], hosts(nat)) == ("eth0", client.address, {client.mapped})
    assert (nat["mapping"], nat["filtering"], nat["other_ways"]) == (EIM, APDF, [])
    routed = {item["name"]: item["default_routes"] for item in report["environment"]["interfaces"]}
    assert (routed["eth0"], routed["eth1"], routed["lo"]) == (["ipv4", "ipv6"], ["ipv4"], [])


@pytest.mark.parametrize("second", ["eth1", "wg0", "tun0"])
def test_a_split_tunnel_makes_no_symmetric_nat_no_pool_and_no_liar(internet: Topology, second: str) -> None:
    client, tunnel = two_ways(internet, second)
    client.ip(f"route add 198.51.100.0/24 via {tunnel.lan[1]}")
    report = asked(client, *BOTH)
    nat = report["nat"]["ipv4"]

    assert (nat["interface"], hosts(nat), nat["mapping"], nat["filtering"]) == ("eth0", {client.mapped}, EIM, APDF)
    assert nat["pooling"] != "arbitrary"
    assert nat["distrusted"] == {}
    (other,) = nat["other_ways"]
    assert (other["interface"], hosts(other)) == (second, {tunnel.wan})
    codes = {finding["code"] for finding in report["findings"]}
    assert "several-ways-out" in codes
    assert not codes & {"nat-endpoint-dependent-mapping", "nat-server-distrusted", "nat-servers-contradict"}


def test_a_server_whose_alternate_is_reached_by_another_way_proves_no_mapping(internet: Topology) -> None:
    client, tunnel = two_ways(internet, "tun0")
    client.ip(f"route add {ALTERNATE}/32 via {tunnel.lan[1]}")
    nat = asked(client, "--server", f"stun:{SERVER}")["nat"]["ipv4"]

    assert nat["mapping"] == "undetermined"
    assert (nat["interface"], hosts(nat)) == ("eth0", {client.mapped})


def test_the_way_of_the_default_route_is_described_although_most_servers_are_asked_by_another(
    internet: Topology,
) -> None:
    client, tunnel = two_ways(internet, "tun0")
    client.ip(f"route add 198.51.100.0/24 via {tunnel.lan[1]}")
    others = [f"--server=stun:{address}:{port}" for address in SERVERS[2:] for port in (3478, 3479)]
    nat = asked(client, *others, "--server", f"stun:{SERVER}")["nat"]["ipv4"]

    assert (nat["interface"], nat["mapping"], hosts(nat)) == ("eth0", EIM, {client.mapped})


def test_where_all_are_asked_by_the_tunnel_it_is_the_tunnel_that_is_described(internet: Topology) -> None:
    client, tunnel = two_ways(internet, "tun0")
    client.ip(f"route add 198.51.100.0/24 via {tunnel.lan[1]}")
    nat = asked(client, "--server", f"stun:{OTHER_SERVER}")["nat"]["ipv4"]

    assert (nat["interface"], nat["mapping"], hosts(nat)) == ("tun0", EIM, {tunnel.wan})


@pytest.mark.parametrize("halves", [False, True])
def test_a_full_tunnel_is_named_as_a_vpn_and_its_nat_as_the_vpns(internet: Topology, halves: bool) -> None:
    client, tunnel = two_ways(internet, "wg0")
    if halves:
        client.ip(f"route add 0.0.0.0/1 via {tunnel.lan[1]}", f"route add 128.0.0.0/1 via {tunnel.lan[1]}")
    else:
        client.ip("route flush table main exact 0.0.0.0/0 dev eth0")
    report = asked(client, *BOTH)
    nat, environment = report["nat"]["ipv4"], report["environment"]

    assert (nat["interface"], hosts(nat), nat["mapping"]) == ("wg0", {tunnel.wan}, EIM)
    assert (environment["default_interfaces"]["ipv4"], environment["vpn"]) == ("wg0", True)
    assert "vpn-carries-traffic" in {finding["code"] for finding in report["findings"]}


def test_a_tunnel_without_an_address_of_its_own_is_still_the_way_of_its_answers(internet: Topology) -> None:
    client, tunnel = two_ways(internet, "tun0")
    client.ip(
        f"address del {tunnel.lan[9]}/{tunnel.lan.prefixlen} dev tun0",
        f"address add {tunnel.lan[9]}/32 dev lo",
        f"route add {tunnel.lan[1]} dev tun0 src {tunnel.lan[9]}",
        f"route add 198.51.100.0/24 via {tunnel.lan[1]} dev tun0 src {tunnel.lan[9]}",
    )
    nat = asked(client, *BOTH)["nat"]["ipv4"]

    assert (nat["interface"], hosts(nat), nat["mapping"]) == ("eth0", {client.mapped}, EIM)
    assert [(other["interface"], hosts(other)) for other in nat["other_ways"]] == [("tun0", {tunnel.wan})]


def test_policy_routing_by_source_is_followed_where_the_user_binds(internet: Topology) -> None:
    client, router = two_ways(internet)
    client.ip(
        "route flush table main exact 0.0.0.0/0 dev eth1",
        f"route add default via {router.lan[1]} dev eth1 table 7",
        f"rule add from {router.lan[9]} table 7",
    )
    nat = asked(client, *BOTH, "--bind", str(router.lan[9]))["nat"]["ipv4"]

    assert (nat["interface"], nat["address"], hosts(nat)) == ("eth1", str(router.lan[9]), {router.wan})


def test_ipv6_may_leave_by_another_interface_than_ipv4(internet: Topology) -> None:
    client, router = internet.client("masquerade", ipv6=False), internet.router("masquerade")
    internet.connect(client, "wwan0", router)
    client.ip(f"address add {router.lan6[9]}/64 dev wwan0", f"route add default via {router.lan6[1]}")
    report = asked(client, *BOTH, "--server", f"stun:[{SERVER6}]")

    assert report["environment"]["default_interfaces"] == {"ipv4": "eth0", "ipv6": "wwan0"}
    assert {family: nat["interface"] for family, nat in report["nat"].items()} == {"ipv4": "eth0", "ipv6": "wwan0"}


def test_an_interface_without_a_route_is_named_as_such(internet: Topology) -> None:
    client = internet.client("masquerade")
    client.ip("link add docker0 type bridge", "address add 172.17.0.1/16 dev docker0", "link set docker0 up")
    report = asked(client, *BOTH, "--interface", "docker0")

    assert report["nat"]["ipv4"] is None
    assert any("docker0 has no IPv4 route" in item["why"] for item in report["not_tested"])


def test_a_link_local_address_is_bound_with_its_interface(internet: Topology) -> None:
    client = internet.client("masquerade")
    shown = client.run(["ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link"]).stdout
    address = shown.split("inet6 ")[1].partition("/")[0]
    report = asked(client, "--server", f"stun:[{SERVER6}]", "--bind", f"{address}%eth0")

    assert report["options"]["flags"]["bind"] == f"{address}%eth0"
    assert any(f"{address}%eth0 has no IPv6 route" in item["why"] for item in report["not_tested"])
    assert not [item["code"] for item in report["findings"] if item["severity"] == "error"]


def test_bridges_and_containers_beside_change_nothing(internet: Topology) -> None:
    client = internet.client("masquerade")
    client.ip(
        "link add docker0 type bridge",
        "address add 172.17.0.1/16 dev docker0",
        "link set docker0 up",
        "link add veth1a type veth peer name veth1b",
        "link set veth1a master docker0 up",
        "link set veth1b up",
        "link add tailscale0 type bridge",
        "address add 100.101.102.103/32 dev tailscale0",
        "link set tailscale0 up",
    )
    report = asked(client, *BOTH)
    nat = report["nat"]["ipv4"]

    assert (nat["interface"], nat["mapping"], nat["filtering"], nat["cgnat"]) == ("eth0", EIM, APDF, None)
    roles = {item["name"]: item["role"] for item in report["environment"]["interfaces"]}
    assert (roles["docker0"], roles["tailscale0"]) == ("container", "vpn")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--interface", "eth7"), "--interface eth7: there is none of this name (there are bare0, eth0, "),
        (("--interface", "eth1"), "--interface eth1: it is down"),
        (("--interface", "bare0"), "--interface bare0: it has no IP address"),
        (("-6", "--interface", "eth2"), "--interface eth2: it has no IPv6 address"),
        (("--bind", "192.0.2.99"), "--bind 192.0.2.99: no address of this computer (there are "),
        (("--bind", "fe80::1"), "--bind fe80::1: a link-local address needs its interface (write fe80::1%eth0)"),
    ],
)
def test_an_interface_or_address_that_cannot_serve_is_refused_before_anyone_is_asked(
    internet: Topology, options: tuple[str, ...], words: str
) -> None:
    client = internet.client("masquerade", ipv6=False)
    client.ip(
        *(f"link add {name} type bridge" for name in ("eth1", "eth2", "bare0")),
        "address add 10.9.9.9/24 dev eth1",
        "address add 10.9.8.9/24 dev eth2",
        "link set bare0 addrgenmode none",
        "link set eth2 addrgenmode none",
        "link set eth2 up",
        "link set bare0 up",
    )
    done = client.run([RTCDIAG, "nat-type", *BOTH, *options], timeout=20)

    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
