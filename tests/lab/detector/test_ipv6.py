"""NAT64, NAT66, prefix translation, IPv6 that is closed, and rewriting: each is named for what it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.coturn import coturn
from support.lab import BEHAVIORS, lab
from support.nat64 import NETWORK_SPECIFIC, WELL_KNOWN, nat64, serve_dns64, synthesized
from support.netns import SERVER, SERVER6, SERVERS, SERVERS6, Client, Namespace, Topology
from support.nft import Nat
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

EIM = "endpoint-independent"
APDF = "address-and-port-dependent"
GLOBAL_SERVERS = ("192.52.193.10", "192.52.193.11")
"""The well-known prefix is for global addresses only, and tayga takes documentation addresses for none (RFC 6052
section 3.1); these are in a namespace of the test's own, like all others."""
NAMED = {"through-nat64", "no-native-ipv4", "dns-synthesizes-ipv6", "nat-on-ipv6", "nat-rewrites-payload"}
ALIKE = {"address-rewritten", "fingerprint-invalid", "stun-origin-elsewhere", "mapped-address-implausible"}
Report = dict[str, Any]


def codes(report: Report) -> set[str]:
    return {finding["code"] for finding in report["findings"]}


def nat_type(host: Namespace, *servers: str, options: tuple[str, ...] = ()) -> Report:
    asked = [word for server in servers for word in ("--server", server)]
    done = host.run([RTCDIAG, "nat-type", "--json", *asked, *options], timeout=30)
    assert done.stdout, done.stderr
    report: Report = json.loads(done.stdout)
    return report


class Access:
    """A network with IPv6 only and a NAT64, and a server with two IPv4 addresses beyond it."""

    def __init__(self, directory: Path, prefix: str) -> None:
        self.directory = directory
        self.prefix = prefix
        self.servers = GLOBAL_SERVERS if prefix == WELL_KNOWN else SERVERS[:2]

    @property
    def literal(self) -> str:
        return f"stun:{self.servers[0]}"


@pytest.fixture(scope="module", params=[NETWORK_SPECIFIC, WELL_KNOWN])
def access(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Topology, Access]]:
    access = Access(tmp_path_factory.mktemp("nat64"), request.param)
    with Topology() as net:
        net.internet.ip(*(f"address add {address}/32 dev wide" for address in GLOBAL_SERVERS))
        with coturn(access.directory, listen=access.servers, relay=access.servers[:1], prefix=net.internet.prefix):
            serve_dns64(net, access.prefix, {"stun.example.org": access.servers[0]})
            yield net, access


@pytest.mark.parametrize(("kind", "mapping"), [("masquerade", EIM), ("random", APDF)])
@pytest.mark.parametrize("options", [(), ("--no-control",)])
def test_the_nat_behind_a_nat64_is_classified_as_that_of_ipv4(
    access: tuple[Topology, Access], kind: Nat, mapping: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    net, here = access
    with nat64(net, tmp_path, kind, here.prefix) as client:
        report = nat_type(client, "stun:stun.example.org", options=options)

    nat = report["nat"]["ipv4"]
    assert (nat["behind_nat"], nat["mapping"], nat["filtering"]) == (True, mapping, APDF)
    assert (nat["nat64"], nat["nat64_prefix"]) == (True, here.prefix)
    assert {address.rpartition(":")[0] for address in nat["mapped"]} == {client.mapped}
    assert report["nat"]["ipv6"] is None
    assert codes(report) & (NAMED | ALIKE) == {"through-nat64"}
    assert report["verdict"]["by_family"] == {"ipv4": "inconclusive", "ipv6": "not-tested"}
    assert not any("over IPv4" in row["what"] for row in report["not_tested"])


def test_a_server_that_is_known_by_its_ipv4_address_is_reached_through_the_nat64(
    access: tuple[Topology, Access], tmp_path: Path
) -> None:
    net, here = access
    with nat64(net, tmp_path, "masquerade", here.prefix) as client:
        report = nat_type(client, here.literal)
        without = nat_type(client, here.literal, options=("--no-control",))

    nat = report["nat"]["ipv4"]
    assert (nat["nat64"], nat["mapping"], nat["filtering"]) == (True, EIM, APDF)
    looked_up = [item for item in report["evidence"] if item["kind"] == "Resolution"]
    assert [(item["synthesized"], item["addresses"]) for item in looked_up if item["host"] == here.servers[0]] == [
        (True, [synthesized(here.prefix, here.servers[0])])
    ]
    assert without["nat"]["ipv4"] is None, "without controls nobody is asked for the prefix"
    assert not any(item.get("host") == "ipv4only.arpa" for item in without["evidence"])


def test_a_name_server_that_makes_up_addresses_beside_ipv4_is_named_and_changes_no_class(
    access: tuple[Topology, Access], tmp_path: Path
) -> None:
    net, here = access
    with nat64(net, tmp_path, "masquerade", here.prefix, ipv4=True) as client:
        report = nat_type(client, "stun:stun.example.org")

    nat = report["nat"]["ipv4"]
    assert (nat["nat64"], nat["mapping"], nat["filtering"]) == (None, EIM, APDF)
    assert report["nat"]["ipv6"] is None
    assert codes(report) & (NAMED | ALIKE) == {"dns-synthesizes-ipv6"}


@pytest.mark.parametrize("told", [True, False])
def test_ipv4_that_is_made_of_ipv6_inside_this_computer_is_named(access: tuple[Topology, Access], told: bool) -> None:
    net, here = access
    router = net.router("masquerade")
    router.ip("address add 192.0.0.1/29 dev lan")
    client = net.client(router)
    client.ip(f"address delete {client.address}/24 dev eth0", "address add 192.0.0.2/29 dev eth0")
    client.ip("route add default via 192.0.0.1")
    report = nat_type(client, here.literal, options=() if told else ("--no-control",))

    nat = report["nat"]["ipv4"]
    assert (nat["behind_nat"], nat["mapping"], nat["nat64"]) == (True, EIM, told or None)
    assert nat["nat64_prefix"] == (here.prefix if told else None)
    assert codes(report) & (NAMED | ALIKE) == {"no-native-ipv4"}
    (finding,) = (item for item in report["findings"] if item["code"] == "no-native-ipv4")
    assert finding["facts"]["how"] == ("464XLAT" if told else "464XLAT or DS-Lite")


def test_without_a_nat64_an_ipv6_only_computer_says_that_it_has_no_way_to_ipv4(tmp_path: Path) -> None:
    with Topology() as net, coturn(tmp_path, listen=SERVERS6, relay=[SERVER6], prefix=net.internet.prefix):
        net.serve_names({"stun.example.org": [SERVER6]}, f"--listen-address={SERVER6}")
        client = net.client("firewall")
        client.ip(f"address flush dev eth0 to {client.address}/28")
        client.resolve_by(SERVER6)
        report = nat_type(client, "stun:stun.example.org", f"stun:{SERVER}")

    assert codes(report) & NAMED == set()
    assert report["nat"]["ipv4"] is None
    assert report["nat"]["ipv6"]["firewall"] is True


@pytest.fixture
def dual(tmp_path: Path) -> Iterator[Topology]:
    """An internet whose coturn has both families."""
    with Topology() as net:
        directory = tmp_path / "coturn"
        with coturn(directory, listen=(*SERVERS[:2], *SERVERS6), relay=(SERVER, SERVER6), prefix=net.internet.prefix):
            yield net


@pytest.mark.parametrize("kind", ["masquerade", "masquerade fully-random", "prefix"])
def test_the_kernels_nat_of_ipv6_is_named(dual: Topology, kind: str) -> None:
    router = dual.router("firewall")
    client = dual.client(router)
    outside = f"2001:db8:{router.number:x}{router.number:x}::/64"
    rule = f"snat ip6 prefix to ip6 saddr map {{ {router.lan6} : {outside} }}" if kind == "prefix" else kind
    router.nft(
        f"table ip6 translate {{ chain post {{ type nat hook postrouting priority srcnat; oifname wan {rule}; }}; }}"
    )
    dual.internet.ip(f"route add {outside} via {router.wan6}")
    telling = f"{str(router.lan6).removesuffix('/64')[:-1]}:216:3eff:fe12:3456".replace(":::", "::")
    client.ip(f"address add {telling}/64 dev eth0", f"address delete {client.address6}/64 dev eth0")
    report = nat_type(client, f"stun:[{SERVER6}]", options=("--no-control",))

    nat = report["nat"]["ipv6"]
    assert (nat["behind_nat"], nat["prefix_translation"]) == (True, kind == "prefix")
    assert (nat["mapping"], nat["filtering"]) == (APDF if "random" in kind else EIM, APDF)
    assert codes(report) & (NAMED | ALIKE) == {"nat-on-ipv6"}


def test_several_addresses_of_one_computer_are_no_nat(dual: Topology) -> None:
    client: Client = dual.client("firewall")
    network = client.address6.removesuffix("2")
    client.ip(
        f"address add {network}aaaa/64 dev eth0",
        f"address add {network}bbbb/64 dev eth0 preferred_lft 0",
        "address add fd12:3456::7/64 dev eth0",
    )
    for bound in ((), ("--bind", f"{network}aaaa")):
        report = nat_type(client, f"stun:[{SERVER6}]", options=("--no-control", *bound))
        assert report["nat"]["ipv6"]["behind_nat"] is False
        assert codes(report) & NAMED == set()


def in_the_lab(nat: str, *servers: str, command: str = "", options: str = "") -> Report:
    asked = " ".join(f"--server ${server}" for server in servers)
    line = f"{command} exec {RTCDIAG} nat-type --json --no-control {asked} {options}"
    done = lab("run", "--nat", nat, "--with", "embedded", "--with", "coturn", "--", "sh", "-c", line)
    assert done.stdout, done.stderr
    report: Report = json.loads(done.stdout)
    return report


BOTH = ("RTCDIAG_LAB_STUN", "RTCDIAG_LAB_STUN_2")
BOTH6 = ("RTCDIAG_LAB_STUN6", "RTCDIAG_LAB_STUN6_2")


@pytest.mark.parametrize("spec", [*BEHAVIORS, "none", "eim/apdf udp=blocked"])
def test_plain_networks_have_none_of_it(spec: str) -> None:
    report = in_the_lab(spec, *BOTH, *BOTH6)

    assert codes(report) & (NAMED | ALIKE) == set()
    if "blocked" not in spec:
        assert (report["nat"]["ipv4"]["alg"], report["nat"]["ipv6"]["alg"]) == (False, False)
        assert report["nat"]["ipv6"]["behind_nat"] is False


_NETWORK = "net=$(ip -6 -o address show dev eth0 scope global | sed 's/.*inet6 \\(.*\\)::.*/\\1/');"
_TELLING = "$net:216:3eff:fe12:3456"
"""A host's part that few computers have."""


@pytest.mark.parametrize(
    ("kind", "command", "options", "is_prefix"),
    [
        ("nat66", "", "", False),
        ("prefix", f"{_NETWORK} ip address add {_TELLING}/64 dev eth0 nodad;", f"--bind {_TELLING}", True),
        ("prefix", "", "", None),
    ],
)
def test_the_labs_nat_of_ipv6_is_named(kind: str, command: str, options: str, is_prefix: bool | None) -> None:
    report = in_the_lab(f"eim/apdf v6={kind}", *BOTH6, command=command, options=options)

    nat = report["nat"]["ipv6"]
    assert (nat["behind_nat"], nat["mapping"], nat["prefix_translation"]) == (True, EIM, is_prefix)
    assert ("prefix_translation" in nat["undetermined"]) is (is_prefix is None)
    assert codes(report) & (NAMED | ALIKE) == {"nat-on-ipv6"}


def test_ipv6_that_leads_nowhere_is_told_from_servers_that_are_down() -> None:
    report = in_the_lab("eim/apdf v6=blocked", *BOTH, *BOTH6)

    assert "no-answer-over-ipv6" in codes(report)
    assert not codes(report) & {"server-silent", "server-ipv6-silent", "server-no-answer"}
    assert report["verdict"]["by_family"] == {"ipv4": "depends-on-peer", "ipv6": "blocked"}
    assert report["verdict"]["direct_p2p"] == "depends-on-peer"


def test_udp_that_only_ipv6_lacks_is_named(dual: Topology, tmp_path: Path) -> None:
    extra = "198.51.100.10", "2001:db8::77"
    dual.internet.ip(f"address add {extra[1]}/128 dev wide")
    with coturn(tmp_path / "two", listen=extra, relay=extra[:1], prefix=dual.internet.prefix):
        client = dual.client("masquerade")
        client.nft("table ip6 own { chain in { type filter hook input priority 0; meta l4proto udp drop; }; }")
        servers = [f"stun:{SERVER}", f"stun:[{SERVER6}]", f"stun:[{extra[1]}]"]
        report = nat_type(client, *servers, options=("--no-control",))

    assert "udp-blocked-over-ipv6" in codes(report)
    assert "udp-blocked" not in codes(report)
    assert report["verdict"]["by_family"] == {"ipv4": "depends-on-peer", "ipv6": "blocked"}


def test_behind_a_symmetric_nat_ipv6_helps_those_who_have_it() -> None:
    report = in_the_lab("apdm/apdf port=random", *BOTH, *BOTH6)

    assert "firewall-without-nat" in codes(report)
    assert report["verdict"]["by_family"] == {"ipv4": "depends-on-peer", "ipv6": "depends-on-peer"}
    assert "Peers that have IPv6 too are reached directly over it" in report["verdict"]["summary"]


def test_rewriting_on_the_way_is_named_and_changes_no_class() -> None:
    report = in_the_lab("eim/apdf alg=yes", *BOTH, *BOTH6)

    nat = report["nat"]["ipv4"]
    assert (nat["alg"], nat["mapping"], nat["filtering"]) == (True, EIM, APDF)
    assert report["nat"]["ipv6"]["alg"] is False
    assert codes(report) & (NAMED | ALIKE) == {"nat-rewrites-payload"}
