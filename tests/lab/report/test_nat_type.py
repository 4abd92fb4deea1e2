"""`rtcdiag nat-type` behind the kernel's own NATs, with Debian's coturn as the RFC 5780 server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.coturn import coturn
from support.netns import SERVER, SERVER6, SERVERS, SERVERS6, Client, Namespace, Topology
from support.nft import Nat
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

EIM = "endpoint-independent"
ADF = "address-dependent"
APDF = "address-and-port-dependent"


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with Topology() as net:
        directory = tmp_path_factory.mktemp("coturn")
        with coturn(directory, listen=(*SERVERS[:2], *SERVERS6), relay=(SERVER, SERVER6), prefix=net.internet.prefix):
            yield net


def nat_type(host: Namespace, *options: str) -> dict[str, Any]:
    done = host.run([RTCDIAG, "nat-type", "--json", "--no-control", *options], timeout=30)
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


# Fresh namespaces for each: stale connection tracking makes wrong tests.
@pytest.mark.parametrize(
    ("kind", "behind_nat", "mapping", "filtering", "direct"),
    [
        ("masquerade", True, EIM, APDF, "depends-on-peer"),
        ("random", True, APDF, APDF, "depends-on-peer"),
        ("full-cone", True, EIM, EIM, "likely"),
        ("address-restricted", True, EIM, ADF, "likely"),
        ("firewall", False, EIM, APDF, "depends-on-peer"),
        ("no-nat", False, EIM, EIM, "likely"),
    ],
)
def test_a_kernel_nat_is_told_for_what_it_is(
    internet: Topology, kind: Nat, behind_nat: bool, mapping: str, filtering: str, direct: str
) -> None:
    client = internet.client(kind)
    report = nat_type(client, "--server", f"stun:{SERVER}")
    nat = report["nat"]["ipv4"]

    assert (nat["behind_nat"], nat["mapping"], nat["filtering"]) == (behind_nat, mapping, filtering)
    assert {address.rpartition(":")[0] for address in nat["mapped"]} == {client.mapped}
    assert report["verdict"]["direct_p2p"] == direct
    assert report["nat"]["ipv6"] is None


def test_ipv6_is_classified_by_itself(internet: Topology) -> None:
    report = nat_type(internet.client("masquerade"), "--server", f"stun:[{SERVER6}]")

    assert report["nat"]["ipv4"] is None
    nat = report["nat"]["ipv6"]
    assert (nat["behind_nat"], nat["mapping"], nat["filtering"], nat["firewall"]) == (False, EIM, APDF, True)


def test_one_server_suffices_to_tell_that_udp_is_blocked(internet: Topology) -> None:
    report = nat_type(internet.client("udp-blocked"), "--server", f"stun:{SERVER}")

    assert [finding["code"] for finding in report["findings"] if finding["severity"] == "error"] == ["udp-blocked"]
    assert report["duration_ms"] < 10_000


def test_silence_over_udp_is_no_class_of_nat(internet: Topology) -> None:
    nat = nat_type(internet.client("udp-blocked"), "--server", f"stun:{SERVER}")["nat"]["ipv4"]

    assert (nat["mapping"], nat["filtering"], nat["behind_nat"]) == ("undetermined", "undetermined", None)
    assert "no answer" in nat["undetermined"]["mapping"]


@pytest.mark.parametrize("kind", ["masquerade", "random", "no-nat"])
def test_a_server_without_alternates_proves_no_filtering_and_says_so(kind: Nat, tmp_path: Path) -> None:
    with Topology() as net, coturn(tmp_path, listen=[SERVER], relay=[SERVER], prefix=net.internet.prefix):
        nat = nat_type(net.client(kind), "--server", f"stun:{SERVER}")["nat"]["ipv4"]

    assert nat["filtering"] == "undetermined"
    assert "RFC 5780" in nat["undetermined"]["filtering"]


def test_the_same_port_is_asked_from_where_the_user_says(internet: Topology) -> None:
    client: Client = internet.client("masquerade")
    report = nat_type(client, "--server", f"stun:{SERVER}", "--bind", client.address, "--port", "45678")

    first = next(item for item in report["evidence"] if item["kind"] == "Binding" and item["socket"] == "m1")
    assert first["local"] == f"{client.address}:45678"


def test_an_interface_that_is_not_the_default_one_is_really_used(internet: Topology) -> None:
    client, second = internet.client("masquerade", ipv6=False), internet.router("masquerade")
    internet.connect(client, "eth1", second)
    report = nat_type(client, "--server", f"stun:{SERVER}", "--interface", "eth1")

    assert {address.rpartition(":")[0] for address in report["nat"]["ipv4"]["mapped"]} == {second.wan}


def test_mapping_and_filtering_never_share_a_socket(internet: Topology) -> None:
    report = nat_type(internet.client("full-cone"), "--server", f"stun:{SERVER}")
    bindings = [item for item in report["evidence"] if item["kind"] == "Binding"]

    ports: dict[str, set[str]] = {}
    contacted: dict[str, set[str]] = {}
    for item in bindings:
        ports.setdefault(item["purpose"], set()).add(item["local"])
        contacted.setdefault(item["purpose"], set()).add(item["destination"])
    assert not ports["mapping"] & ports["filtering"]
    assert not ports["control"] & ports["filtering"]
    assert contacted["filtering"] == {f"{SERVER}:3478"}
