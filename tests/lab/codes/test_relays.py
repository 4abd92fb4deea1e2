"""Faults of a relay that only a network shows: closed port ranges, wrong addresses, denied peers."""

import pytest

from lab.codes.asking import QUICK, Row, check, turn
from lab.codes.outside import inside, outside, wall
from lab.codes.place import Lab
from rtcdiag.findings import STAGES
from support.netns import ALTERNATE, SERVER

pytestmark = pytest.mark.lab

LEAVES_FROM_ELSEWHERE = f"""table ip elsewhere {{ chain rules1 {{ type filter hook postrouting priority 300;
  oifname wide udp sport RELAY ip saddr set {ALTERNATE}; }}; }}"""
# Dropped behind the server's own stack: where that drops what coturn sends, coturn sees an error and ends the session.
NO_WAY_OUT = "table bridge out { chain rules1 { type filter hook output priority 0; udp sport RELAY drop; }; }\n"

ROWS = {
    "relay ports that a firewall closes": Row(
        lambda lab: inside(
            lab,
            outside(
                lab,
                rules=wall("range", "udp dport RELAY drop") + NO_WAY_OUT,
            ),
            quick=True,
        ),
        "turn-relays-no-data",
        stage="data",
    ),
    "relay ports that a firewall closes inbound": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("inbound", "udp dport RELAY drop")), quick=True),
        "turn-relay-half-open",
        stage="data",
    ),
    "relay ports that a firewall closes outbound": Row(
        lambda lab: inside(
            lab, outside(lab, rules=wall("outbound", "iifname lo udp sport RELAY drop") + NO_WAY_OUT), quick=True
        ),
        "turn-relay-half-open",
        stage="data",
    ),
    "a relay that cannot reach its own address": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("hairpin", "iifname lo udp dport RELAY drop")), quick=True),
        "turn-cannot-reach-itself",
        exit=0,
        stage="data",
        servers=("warning",),
    ),
    "one of two relay ports is closed": Row(
        lambda lab: inside(
            lab, outside(lab, rules=wall("oneway", "iifname lo udp dport FIRST drop"), ports=2), quick=True
        ),
        "turn-relays-one-way",
        stage="data",
        tested=("refresh", "release"),
    ),
    "a relay whose packets leave with another address": Row(
        lambda lab: inside(lab, outside(lab, rules=LEAVES_FROM_ELSEWHERE), where="no-nat", quick=True),
        "turn-relays-from-other-address",
        stage="data",
        tested=("refresh", "release"),
    ),
    "a network that lets no relay in": Row(
        lambda lab: turn(
            lab,
            outside(lab),
            where=lab.client(rules=wall("shut", "udp sport 20000-60000 drop")),
            more=QUICK,
        ),
        exit=0,
        servers=("ok",),
        beside=("relay-cannot-reach-here",),
    ),
    "coturn that announces a private address": Row(
        lambda lab: inside(lab, outside(lab, "external-ip=10.1.2.3"), quick=True),
        "turn-relay-private-address",
        stage="relayed-address",
        tested=STAGES,
    ),
    "coturn that announces an address it no longer has": Row(
        lambda lab: inside(lab, outside(lab, "external-ip=203.0.113.200"), quick=True),
        "turn-relay-address-unreachable",
        exit=0,
        stage="data",
        servers=("warning",),
        beside=("turn-relay-other-address",),
    ),
    "coturn that denies every peer": Row(
        lambda lab: inside(lab, outside(lab, "denied-peer-ip=0.0.0.0-255.255.255.255")),
        "turn-peer-denied",
        stage="permission",
    ),
    "coturn that denies its own address": Row(
        lambda lab: inside(lab, outside(lab, f"denied-peer-ip={SERVER}")),
        "turn-own-address-denied",
        exit=0,
        stage="permission",
        servers=("warning",),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_relay_is_judged_with(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)
