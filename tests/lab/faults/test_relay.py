"""Relays with wrong addresses, denied peers and closed port ranges: R1 to R4, D1 to D10."""

import pytest

from lab.codes.asking import QUICK, Asked, Asks, Row, Told, check, turn
from lab.codes.outside import inside, outside, wall
from lab.codes.place import Lab
from lab.codes.relay import Relay
from lab.codes.scripts import Turn
from rtcdiag.findings import STAGES
from rtcdiag.stun.header import Method
from support.netns import ALTERNATE, OTHER_SERVER, SERVER, SERVER6

pytestmark = pytest.mark.lab

LEAVES_FROM_ELSEWHERE = f"""table ip elsewhere {{ chain rules1 {{ type filter hook postrouting priority 300;
  oifname wide udp sport RELAY ip saddr set {ALTERNATE}; }}; }}"""
# Dropped behind the server's own stack: where that drops what coturn sends, coturn sees an error and ends the session.
NO_WAY_OUT = "table bridge out { chain rules1 { type filter hook output priority 0; udp sport RELAY drop; }; }\n"
PRIVATE, GONE = "10.1.2.3", "203.0.113.200"


def pion(lab: Lab, transport: str = "", **flags: str) -> Asked:
    """Ask a server on pion's library on the internet."""
    return inside(lab, lab.pion_outside(**flags).uri(transport=transport), quick=True)


def announced(asked: Asks) -> Row:
    """A relayed address that no peer reaches: said at once, and tried all the same."""
    return Row(asked, "turn-relay-private-address", stage="relayed-address", tested=STAGES)


def impossible(asked: Asks, code: str) -> Row:
    return Row(asked, code, stage="relayed-address", tested=("permission", "release"))


def gone(asked: Asks, servers: int = 1) -> Row:
    return Row(
        asked,
        "turn-relay-address-unreachable",
        exit=0,
        stage="data",
        servers=("warning",) * servers,
        beside=("turn-relay-other-address",),
    )


ADDRESSES = {
    "R1 coturn that announces a private address": announced(
        lambda lab: inside(lab, outside(lab, f"external-ip={PRIVATE}"), quick=True)
    ),
    "R1 coturn that announces a private address, over TCP": announced(
        lambda lab: inside(lab, outside(lab, f"external-ip={PRIVATE}") + "?transport=tcp", quick=True)
    ),
    "R1 coturn that announces an address of a carrier's NAT": announced(
        lambda lab: inside(lab, outside(lab, "external-ip=100.64.1.2"), quick=True)
    ),
    "R1 pion's library announces a private address": announced(lambda lab: pion(lab, announce=PRIVATE)),
    "R2 pion's library announces 0.0.0.0": impossible(
        lambda lab: pion(lab, announce="0.0.0.0"), "turn-relay-impossible-address"
    ),
    "R3 coturn that announces an address it no longer has": gone(
        lambda lab: inside(lab, outside(lab, f"external-ip={GONE}"), quick=True)
    ),
    "R3 coturn that announces an address it no longer has, over TCP": gone(
        lambda lab: inside(lab, outside(lab, f"external-ip={GONE}") + "?transport=tcp", quick=True)
    ),
    "R3 coturn that announces the address of another host": gone(
        lambda lab: inside(lab, outside(lab, f"external-ip={OTHER_SERVER}"), quick=True)
    ),
    "R4 coturn that announces an IPv4 address for an IPv6 relay": impossible(
        lambda lab: inside(
            lab,
            outside(lab, f"external-ip={SERVER}", listen=(SERVER6,), relay=(SERVER6,), host=SERVER6),
            quick=True,
        ),
        "turn-relay-wrong-family",
    ),
    "R4 pion's library announces an IPv6 address for an IPv4 relay": impossible(
        lambda lab: pion(lab, announce=SERVER6), "turn-relay-wrong-family"
    ),
}

PEERS = {
    "D1 coturn that denies every peer": Row(
        lambda lab: inside(lab, outside(lab, "denied-peer-ip=0.0.0.0-255.255.255.255")),
        "turn-peer-denied",
        stage="permission",
    ),
    "D1 coturn that denies its own address": Row(
        lambda lab: inside(lab, outside(lab, f"denied-peer-ip={SERVER}")),
        "turn-own-address-denied",
        exit=0,
        stage="permission",
        servers=("warning",),
    ),
    "D1 pion's library denies every peer": Row(
        lambda lab: pion(lab, deny_peers="true"), "turn-peer-denied", stage="permission"
    ),
    "D4 error 443 for a peer": Row(
        lambda lab: turn(lab, f"turn:127.0.0.1:{lab.udp(Turn({Method.CREATE_PERMISSION: 443})).port}"),
        "turn-peer-family-mismatch",
        exit=3,
        stage="permission",
        servers=("warning",),
    ),
}

DATA = {
    "D5 relay ports that a firewall closes": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("range", "udp dport RELAY drop") + NO_WAY_OUT), quick=True),
        "turn-relays-no-data",
        stage="data",
    ),
    "D5 relay ports that a firewall closes, over TCP": Row(
        lambda lab: inside(
            lab,
            outside(
                lab, rules=wall("range-2", "udp dport RELAY drop") + NO_WAY_OUT.replace("bridge out", "bridge out-2")
            )
            + "?transport=tcp",
            quick=True,
        ),
        "turn-relays-no-data",
        stage="data",
    ),
    "D5 relay ports that a firewall closes inbound": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("inbound", "udp dport RELAY drop")), quick=True),
        "turn-relay-half-open",
        stage="data",
    ),
    "D5 relay ports that a firewall closes outbound": Row(
        lambda lab: inside(
            lab, outside(lab, rules=wall("outbound", "iifname lo udp sport RELAY drop") + NO_WAY_OUT), quick=True
        ),
        "turn-relay-half-open",
        stage="data",
    ),
    "D5 relay ports that a firewall in front of the server closes": Row(
        lambda lab: inside(
            lab,
            outside(
                lab, rules=wall("front", "iifname wide udp dport RELAY drop") + NO_WAY_OUT.replace("out", "out-3", 1)
            ),
            quick=True,
        ),
        "turn-relay-ports-unreachable",
        exit=0,
        stage="data",
        servers=("warning",),
    ),
    "D5 relay ports that a firewall in front of the server closes inbound": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("front-2", "iifname wide udp dport RELAY drop")), quick=True),
        "turn-relay-half-open",
        stage="data",
        tested=("refresh", "release"),
    ),
    "D6 a relay that cannot reach its own address": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("hairpin", "iifname lo udp dport RELAY drop")), quick=True),
        "turn-cannot-reach-itself",
        exit=0,
        stage="data",
        servers=("warning",),
    ),
    "D7 a network that lets no relay in": Row(
        lambda lab: turn(
            lab, outside(lab), where=lab.client(rules=wall("shut", "udp sport 20000-60000 drop")), more=QUICK
        ),
        exit=0,
        servers=("ok",),
        beside=("relay-cannot-reach-here",),
    ),
    "D8 one of two relay ports is closed": Row(
        lambda lab: inside(
            lab, outside(lab, rules=wall("oneway", "iifname lo udp dport FIRST drop"), ports=2), quick=True
        ),
        "turn-relays-one-way",
        stage="data",
        tested=("refresh", "release"),
    ),
    "D9 a relay whose packets leave with another address": Row(
        lambda lab: inside(lab, outside(lab, rules=LEAVES_FROM_ELSEWHERE), where="no-nat", quick=True),
        "turn-relays-from-other-address",
        stage="data",
        tested=("refresh", "release"),
    ),
    "D10 a relay that loses what comes over channels": Row(
        lambda lab: turn(lab, f"turn:127.0.0.1:{lab.udp(Relay(channels=False)).port}", more=QUICK),
        "turn-framing-lost",
        exit=0,
        stage="data",
        servers=("warning",),
    ),
}
ROWS = ADDRESSES | PEERS | DATA


@pytest.mark.parametrize("name", ROWS)
def test_the_relay_owns_the_verdict(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)


def flows(told: Told, path: str) -> list[tuple[int, int]]:
    found = [item for item in told["evidence"] if item["kind"] == "RelayedData" and item["path"] == path]
    return [(item["sent"], item["received"]) for item in found]


@pytest.mark.parametrize(
    "name", ["R1 coturn that announces a private address", "R3 coturn that announces an address it no longer has"]
)
def test_two_relays_that_reach_each_other_do_not_make_a_wrong_address_right(lab: Lab, name: str) -> None:
    told = check(ADDRESSES[name], lab)
    between = flows(told, "relay-to-relay")
    assert between
    assert all(sent == received > 0 for sent, received in between)
    assert told["verdict"]["status"] != "healthy"


def test_no_peer_of_the_other_family_is_asked_for(lab: Lab) -> None:
    """A relay over IPv4, asked over IPv6: D4 would be our own mistake."""
    row = Row(
        lambda lab: inside(lab, outside(lab, listen=(SERVER, SERVER6), host=SERVER6, relay=(SERVER,))),
        exit=0,
        servers=("ok",),
        beside=("turn-no-ipv6-relay",),
    )
    told = check(row, lab)
    asked = [item for item in told["evidence"] if item["kind"] == "Permission"]
    assert asked
    assert not any("[" in item["peer"] for item in asked)
