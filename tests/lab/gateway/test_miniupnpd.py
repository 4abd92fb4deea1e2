"""Debian's miniupnpd as the gateway: what it says, and what is made of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.gateway.asking import codes, heard, nat_type, queries
from support.coturn import coturn
from support.miniupnpd import miniupnpd
from support.netns import ALTERNATE, PUBLIC, SERVER, Router, Topology

pytestmark = pytest.mark.lab
EVERY = {"nat-pmp", "pcp", "upnp-igd"}


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with Topology() as net:
        directory = tmp_path_factory.mktemp("coturn")
        with coturn(directory, listen=(SERVER, ALTERNATE), relay=(SERVER,), prefix=net.internet.prefix):
            yield net


@pytest.fixture
def router(internet: Topology) -> Router:
    """Return a router with an ordinary public address."""
    return internet.router(wan=PUBLIC)


def watch(router: Router, action: str) -> None:
    """Do something with all questions to the router, before its own rules."""
    chain = f"type filter hook input priority -300;\n udp dport {{ 1900, 5351 }} {action}"
    router.nft(f"table inet watch {{\n chain questions {{\n {chain}\n }}\n}}\n")


def test_a_single_nat_is_told_by_nat_pmp_and_then_upnp_is_found_and_asked_no_more(
    internet: Topology, router: Router, tmp_path: Path
) -> None:
    client = internet.client(router)
    with miniupnpd(tmp_path, router) as log:
        report = heard(client, EVERY)
        asked = "SOAPAction:" in log.read_text()

    nat = report["nat"]["ipv4"]
    assert (nat["layers"], nat["cgnat"]) == (1, False)
    external = {item["protocol"]: item["external_address"] for item in queries(report, question="external-address")}
    assert external == {"nat-pmp": router.wan}
    (announced,) = queries(report, protocol="pcp")
    assert (announced["version"], announced["result_name"]) == (2, "SUCCESS")
    (discovered,) = queries(report, protocol="upnp-igd")
    assert (discovered["question"], discovered["result"]) == ("discovery", 0)
    assert not asked
    (offers,) = [item for item in report["findings"] if item["code"] == "gateway-maps-ports"]
    assert set(offers["facts"]["protocols"]) == {"NAT-PMP", "PCP", "UPnP"}
    assert codes(report) == {"gateway-maps-ports"}


def test_a_single_nat_is_told_by_upnp_where_nothing_else_is_spoken(
    internet: Topology, router: Router, tmp_path: Path
) -> None:
    client = internet.client(router)
    with miniupnpd(tmp_path, router, enable_natpmp="no"):
        report = heard(client, {"upnp-igd"})

    nat = report["nat"]["ipv4"]
    assert (nat["layers"], nat["cgnat"]) == (1, False)
    external = {item["protocol"]: item["external_address"] for item in queries(report, question="external-address")}
    assert external == {"nat-pmp": None, "upnp-igd": router.wan}
    (described,) = queries(report, question="description")
    assert (described["version"], described["device"]) == (2, "Debian Debian router")
    assert queries(report, question="status")[0]["connection_status"] == "Connected"
    assert codes(report) == {"gateway-maps-ports"}


@pytest.mark.parametrize(
    ("settings", "speaks"),
    [
        ({"enable_natpmp": "no"}, {"upnp-igd"}),
        ({"enable_upnp": "no"}, {"nat-pmp", "pcp"}),
        ({"secure_mode": "yes", "deny": "0-65535 0.0.0.0/0 0-65535", "allow": "1-2 0.0.0.0/0 1-2"}, EVERY),
        ({"force_igd_desc_v1": "yes", "enable_natpmp": "no"}, {"upnp-igd"}),
    ],
    ids=["UPnP only", "NAT-PMP and PCP only", "every mapping denied", "IGD 1"],
)
def test_one_protocol_is_enough(
    internet: Topology, router: Router, tmp_path: Path, settings: dict[str, str], speaks: set[str]
) -> None:
    client = internet.client(router)
    with miniupnpd(tmp_path, router, **settings):
        report = heard(client, speaks)

    assert {item["protocol"] for item in queries(report, result=0)} == speaks
    assert (report["nat"]["ipv4"]["layers"], report["nat"]["ipv4"]["cgnat"]) == (1, False)
    if "force_igd_desc_v1" in settings:
        assert queries(report, question="description")[0]["version"] == 1


def test_no_mapping_is_made(internet: Topology, router: Router, tmp_path: Path) -> None:
    client = internet.client(router)
    with miniupnpd(tmp_path, router, enable_natpmp="no") as log:
        nat_type(client)
        asked = [line.rpartition("#")[2].strip() for line in log.read_text().splitlines() if "SOAPAction:" in line]

    assert asked == ["GetExternalIPAddress", "GetStatusInfo"]
    assert "dnat to" not in router.run(["nft", "list", "ruleset"]).stdout


@pytest.mark.parametrize(
    ("lan", "cgnat", "code"), [("100.64", True, "nat-carrier-grade"), ("10.0", None, "nat-layered")]
)
def test_a_gateway_that_tells_no_address_and_a_router_behind_it_are_a_second_nat_that_is_inferred(
    internet: Topology, tmp_path: Path, lan: str, cgnat: bool | None, code: str
) -> None:
    """Miniupnpd hides a private address of its own: NAT-PMP's result 3, and an empty one over UPnP."""
    inner = internet.router(behind=internet.router(lan=lan))
    client = internet.client(inner)
    with miniupnpd(tmp_path, inner):
        report = nat_type(client)

    nat = report["nat"]["ipv4"]
    assert (nat["layers"], nat["cgnat"]) == (2, cgnat)
    assert queries(report, protocol="nat-pmp")[0]["result_name"] == "NETWORK_FAILURE"
    assert "no external address, although servers see a public one" in nat["inferred"]["layers"]
    assert codes(report) == {"gateway-maps-ports", code}


@pytest.mark.parametrize(
    ("lan", "hinted"), [("100.64", "a router with a carrier's"), ("10.0", "a router with a private")]
)
def test_a_second_nat_behind_a_silent_gateway_is_a_hint_and_no_verdict(
    internet: Topology, lan: str, hinted: str
) -> None:
    client = internet.client(internet.router(behind=internet.router(lan=lan)))
    report = nat_type(client)

    nat = report["nat"]["ipv4"]
    assert (nat["layers"], nat["cgnat"]) == (None, None)
    assert hinted in nat["undetermined"]["layers"]
    assert codes(report) == {"private-router-behind-gateway"}


def test_nothing_is_sent_to_the_gateway_where_the_user_forbids_it(
    internet: Topology, router: Router, tmp_path: Path
) -> None:
    client = internet.client(router)
    watch(router, "counter")
    with miniupnpd(tmp_path, router):
        report = nat_type(client, "--no-gateway")
        forbidden = router.run(["nft", "list", "table", "inet", "watch"]).stdout
        nat_type(client)
        allowed = router.run(["nft", "list", "table", "inet", "watch"]).stdout

    assert "packets 0 " in forbidden
    assert "packets 0 " not in allowed
    assert report["options"]["flags"]["gateway"] is False
    assert report["nat"]["ipv4"]["undetermined"]["layers"] == "the gateway was not asked"


def test_a_gateway_of_ipv6_is_asked_over_pcp(internet: Topology, tmp_path: Path) -> None:
    router = internet.router()
    client = internet.client(router)
    with miniupnpd(tmp_path, router):
        report = nat_type(client, "--server", "stun:[2001:db8::10]")

    assert queries(report, protocol="pcp", destination=f"[{router.lan6[1]}]:5351")
    assert not queries(report, protocol="nat-pmp", destination=f"[{router.lan6[1]}]:5351")


def test_a_dead_gateway_is_not_waited_for(internet: Topology) -> None:
    router = internet.router("full-cone")
    client = internet.client(router)
    watch(router, "drop")
    silent = nat_type(client)
    quiet = nat_type(client, "--no-gateway")

    assert {item["failure"] for item in queries(silent)} <= {"timeout", "permission-denied"}
    assert silent["nat"]["ipv4"]["undetermined"]["layers"] == "the gateway does not tell its external address"
    assert codes(silent) == set()
    assert silent["duration_ms"] < quiet["duration_ms"] + 2000
