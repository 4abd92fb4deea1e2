"""Gateways that say what a second NAT makes them say, and gateways that are hostile."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.gateway.asking import codes, nat_type, queries
from support.coturn import coturn
from support.netns import ALTERNATE, SERVER, Client, Router, Topology

pytestmark = pytest.mark.lab
PRETENDER = Path(__file__).with_name("pretender.py")


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with Topology() as net:
        directory = tmp_path_factory.mktemp("coturn")
        with coturn(directory, listen=(SERVER, ALTERNATE), relay=(SERVER,), prefix=net.internet.prefix):
            yield net


@contextmanager
def pretending(router: Router, log: Path, **words: Any) -> Iterator[None]:
    """Let a router say these words."""
    with router.running([sys.executable, PRETENDER, json.dumps({"here": str(router.lan[1]), **words})], log=log):
        end = time.monotonic() + 10
        while "ready" not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        yield


@pytest.fixture
def log(tmp_path: Path) -> Path:
    found = tmp_path / "log"
    found.touch()
    return found


@pytest.mark.parametrize(
    ("lan", "layers", "cgnat", "code"),
    [("100.64", 2, True, "nat-carrier-grade"), ("10.0", 2, None, "nat-layered"), ("192.168", 2, None, "nat-layered")],
)
@pytest.mark.parametrize("by", ["pmp", "igd"])
def test_a_router_behind_another_nat_that_says_its_address_gives_it_away(
    internet: Topology, log: Path, lan: str, layers: int, cgnat: bool | None, code: str, by: str
) -> None:
    inner = internet.router(behind=internet.router(lan=lan))
    client = internet.client(inner)
    with pretending(inner, log, **{by: inner.wan}):
        report = nat_type(client)

    nat = report["nat"]["ipv4"]
    assert (nat["layers"], nat["cgnat"]) == (layers, cgnat)
    assert codes(report) == {code, "gateway-maps-ports"}
    assert inner.wan in {item["external_address"] for item in queries(report, question="external-address")}


def test_a_server_of_nat_pmp_alone_refuses_pcp_in_its_own_words(internet: Topology, log: Path) -> None:
    router = internet.router()
    with pretending(router, log, pmp=router.wan):
        report = nat_type(internet.client(router))

    (announced,) = queries(report, protocol="pcp")
    assert (announced["version"], announced["result_name"]) == (0, "UNSUPP_VERSION")
    assert (report["nat"]["ipv4"]["layers"], report["nat"]["ipv4"]["cgnat"]) == (1, False)


def test_a_gateway_that_contradicts_itself_is_believed_where_servers_agree(internet: Topology, log: Path) -> None:
    router = internet.router()
    with pretending(router, log, pmp="100.64.0.9", igd=router.wan):
        report = nat_type(internet.client(router))

    assert (report["nat"]["ipv4"]["layers"], report["nat"]["ipv4"]["cgnat"]) == (1, False)
    assert codes(report) == {"gateway-broken", "gateway-maps-ports"}


@pytest.mark.parametrize(("error", "name"), [(606, "NOT_AUTHORIZED"), (501, "ACTION_FAILED"), (799, "UNKNOWN")])
def test_an_error_of_upnp_has_its_name(internet: Topology, log: Path, error: int, name: str) -> None:
    router = internet.router()
    with pretending(router, log, igd="", error=error):
        report = nat_type(internet.client(router))

    (asked,) = queries(report, protocol="upnp-igd", question="external-address")
    assert (asked["result"], asked["result_name"]) == (error, name)
    assert ("gateway-refuses" in codes(report)) is (error == 606)


ELSEWHERE = f"http://{SERVER}:3478/root.xml"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"location": ELSEWHERE}, "description-elsewhere"),
        ({"way": "redirect", "location": ELSEWHERE}, "description-unusable"),
        ({"control": f"http://{SERVER}:3478/control"}, "description-unusable|not-understood"),
        ({"way": "huge"}, "description-unusable"),
        ({"way": "huge-scpd"}, "description-unusable"),
        ({"way": "deep"}, "description-unusable"),
        ({"way": "bomb"}, "description-unusable"),
        ({"way": "slow"}, "description-unusable"),
        ({"way": "flood"}, "not-understood"),
        ({"way": "garbage"}, "not-understood"),
    ],
    ids=str,
)
def test_a_hostile_gateway_leads_nowhere_and_costs_little(
    internet: Topology, log: Path, words: dict[str, str], problem: str
) -> None:
    router = internet.router()
    client = internet.client(router)
    watch(client)
    honest = {} if words.get("way") == "garbage" else {"igd": router.wan}
    with pretending(router, log, **{**honest, **words}):
        report = nat_type(client)

    found = {item["problem"] for item in queries(report) if item["problem"]}
    assert found
    assert found <= set(problem.split("|"))
    assert (report["nat"]["ipv4"]["layers"], report["nat"]["ipv4"]["cgnat"]) == (None, None)
    assert codes(report) >= {"gateway-broken"}
    assert report["duration_ms"] < 8000
    assert "packets 0 " in client.run(["nft", "list", "table", "inet", "watch"]).stdout


def watch(client: Client) -> None:
    """Count the TCP connections to anybody but the router: there is no reason for one."""
    rule = f"type filter hook output priority 0;\n tcp flags syn ip daddr {SERVER} counter"
    client.nft(f"table inet watch {{\n chain connections {{\n {rule}\n }}\n}}\n")


def test_a_name_from_the_router_is_short_and_printable(internet: Topology, log: Path) -> None:
    router = internet.router()
    with pretending(router, log, igd=router.wan):
        report = nat_type(internet.client(router))

    names = [item["device"] for item in queries(report, question="description")]
    assert names == ["31mEvil <b> " + 52 * "x"]
