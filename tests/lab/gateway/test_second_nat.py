"""Two NATs in a row that are told from one: with a gateway that speaks and without, and what looks like two."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.gateway.asking import codes, nat_type
from support.coturn import coturn
from support.lab import BEHAVIORS, SERVER, lab
from support.miniupnpd import miniupnpd
from support.netns import ALTERNATE, PUBLIC, Router, Topology
from support.netns import SERVER as KERNEL_SERVER
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

UPNPD = """ext_ifname=wan
listening_ip=lan
enable_upnp=yes
enable_natpmp=yes
uuid=5bcbeffe-14cb-462b-9fd9-59f4e502bcdf
"""


def behind(*nats: str, gateway: str | None = None) -> dict[str, Any]:
    """Return the report from behind NATs, the one here first, with a program on the router here."""
    done = lab(
        "run",
        *("--with", "coturn"),
        *(word for nat in nats for word in ("--nat", nat)),
        *(("--gateway", gateway) if gateway else ()),
        "--",
        *(RTCDIAG, "nat-type", "--json", "--no-control", "--server", f"stun:{SERVER}"),
    )
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def found(report: dict[str, Any]) -> tuple[int | None, bool | None]:
    return report["nat"]["ipv4"]["layers"], report["nat"]["ipv4"]["cgnat"]


def test_a_carriers_nat_that_gives_blocks_of_ports_is_named_without_a_word_of_the_gateway() -> None:
    report = behind("home-router", "cgnat")

    assert found(report) == (None, True)
    assert "all external ports are of one small block" in report["nat"]["ipv4"]["inferred"]["cgnat"]
    assert codes(report) == {"nat-carrier-grade"}


@pytest.mark.parametrize("outer", ["apdm/apdf", "home-router"])
def test_a_second_nat_that_gives_no_sign_is_a_hint(outer: str) -> None:
    report = behind("home-router", outer)

    assert found(report) == (None, None)
    assert codes(report) == {"private-router-behind-gateway"}


@pytest.mark.parametrize("outer", ["cgnat", "apdm/apdf", "home-router"])
def test_a_second_nat_is_named_where_the_gateway_says_that_it_has_no_address(outer: str, tmp_path: Path) -> None:
    """The lab numbers what is between two NATs from 100.64.0.0/10, whoever has the outer one."""
    config = tmp_path / "conf"
    config.write_text(UPNPD)
    report = behind("home-router", outer, gateway=f"exec miniupnpd -d -f {config} -P {tmp_path}/pid 2>{tmp_path}/log")

    assert found(report) == (2, True)
    assert {"nat-carrier-grade"} <= codes(report) <= {"nat-carrier-grade", "gateway-maps-ports"}


@pytest.mark.parametrize("nat", [*BEHAVIORS, "firewall", "none", "cgnat"])
def test_none_is_named_where_a_router_that_does_not_translate_is_before_a_plain_network(nat: str) -> None:
    """As at work: a switch that routes, and then the one NAT, which has a private address on its inside."""
    report = behind("none", nat)

    assert found(report) in ({(None, None)} if nat in {*BEHAVIORS, "cgnat"} else {(0, False)})
    assert not codes(report) & {"nat-carrier-grade", "nat-layered"}


def _route_without_translating(net: Topology, transit: Router, home: Router, wan: str) -> None:
    """Make a router of 10.0.0.0/16 no NAT, and give what is behind it a public address."""
    transit.nft("flush table ip translate\nflush table inet filter\ndelete table inet filter\n")
    transit.ip(f"route add {wan}/32 via {home.wan} dev lan")
    net.internet.ip(f"route add {wan}/32 via {transit.wan}")
    home.ip(f"address add {wan}/32 dev wan", f"route replace default via {transit.lan[1]} src {wan}")
    home.nft("add chain ip translate first { type nat hook postrouting priority srcnat - 1; }\n")
    home.nft(f"add rule ip translate first oifname wan snat to {wan}{_port(home)}\n")


def _port(home: Router) -> str:
    return " fully-random" if home.nat == "random" else ""


@pytest.mark.parametrize("nat", ["masquerade", "random", "full-cone", "address-restricted"])
@pytest.mark.parametrize("speaks", [False, True], ids=["silent gateway", "gateway with a public address"])
def test_a_private_router_beyond_a_kernels_only_nat_is_no_second_nat(tmp_path: Path, nat: Any, speaks: bool) -> None:
    wan = f"{PUBLIC}.200"
    with Topology() as net, coturn(tmp_path, listen=(KERNEL_SERVER, ALTERNATE), relay=(), prefix=net.internet.prefix):
        transit = net.router("masquerade", lan="10.0")
        home = net.router(nat, behind=transit)
        client = net.client(home)
        _route_without_translating(net, transit, home, wan)
        if speaks:
            with miniupnpd(tmp_path / "upnpd", home, ext_ip=wan):
                report = nat_type(client)
        else:
            report = nat_type(client)

    routers = {item["router"] for item in report["evidence"] if item["kind"] == "Hop"}
    assert str(transit.lan[1]) in routers
    assert report["nat"]["ipv4"]["mapped"][0].startswith(f"{wan}:")
    assert found(report) == ((1, False) if speaks else (None, None))
    assert codes(report) == ({"gateway-maps-ports"} if speaks else {"private-router-behind-gateway"})
