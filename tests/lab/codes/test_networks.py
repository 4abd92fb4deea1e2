"""Faults that need a network: names, firewalls and NATs, in namespaces whose addresses count as global."""

import pytest

from lab.codes.asking import QUICK, Row, check, turn
from lab.codes.outside import inside, outside, wall
from lab.codes.place import Lab
from support.netns import OTHER_SERVER, SERVER, SERVER6

pytestmark = pytest.mark.lab


HEALTHY = {
    "a name with two addresses": Row(
        lambda lab: inside(lab, outside(lab, host="both.example.org", listen=(SERVER, OTHER_SERVER))),
        exit=0,
        servers=("ok", "ok"),
    ),
    "a name with an IPv4 and an IPv6 address": Row(
        lambda lab: inside(
            lab, outside(lab, host="six.example.org", listen=(SERVER, SERVER6), relay=(SERVER, SERVER6))
        ),
        exit=0,
        servers=("ok", "ok"),
    ),
}

NAMES = {
    "a name server that says nothing": Row(
        lambda lab: turn(
            lab, "turn:turn.example.org", where=lab.client(rules=wall("quiet", "udp sport 53 drop")), more=QUICK
        ),
        "dns-fails",
    ),
    "an AAAA record where there is no IPv6": Row(
        lambda lab: turn(
            lab,
            outside(lab, host="six.example.org", listen=(SERVER, SERVER6), relay=(SERVER, SERVER6)),
            where=lab.without_ipv6,
        ),
        exit=0,
        servers=("ok", "not-tested"),
        beside=("family-not-here",),
    ),
}

WAYS = {
    "a computer that is connected to nothing": Row(
        lambda lab: turn(lab, f"turn:{SERVER}", where=lab.alone), "no-network"
    ),
    "two servers that nothing reaches": Row(
        lambda lab: inside(
            lab,
            outside(lab, rules=wall("dead", "meta l4proto { udp, tcp } th dport PORT drop")),
            outside(
                lab,
                listen=(OTHER_SERVER,),
                relay=(OTHER_SERVER,),
                host=OTHER_SERVER,
                rules=wall("dead2", "meta l4proto { udp, tcp } th dport PORT drop"),
            ),
            quick=True,
        ),
        "no-answer-at-all",
        servers=("failed", "failed"),
    ),
    "a network that drops one port over UDP": Row(
        lambda lab: turn(
            lab,
            outside(lab, port=3478),
            outside(lab, port=3478, listen=(OTHER_SERVER,), relay=(OTHER_SERVER,), host=OTHER_SERVER),
            where=lab.client(rules=wall("port", "udp sport 3478 drop")),
            more=QUICK,
        ),
        "udp-port-silent",
        servers=("failed", "ok", "failed", "ok"),
    ),
    "an IPv6 address where there is no IPv6": Row(
        lambda lab: turn(lab, f"turn:[{SERVER6}]", where=lab.without_ipv6), "no-route-to-server", stage="binding"
    ),
    "a firewall on the way that refuses UDP aloud": Row(
        lambda lab: turn(lab, outside(lab), where=lab.guarded),
        "server-forbidden",
        stage="binding",
        servers=("failed", "ok"),
    ),
    "a server whose firewall prohibits UDP aloud": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("no", "udp dport PORT reject with icmpx admin-prohibited"))),
        "server-udp-refused",
        servers=("failed", "ok"),
    ),
    "a server whose firewall forgot TCP": Row(
        lambda lab: inside(
            lab,
            outside(lab, rules=wall("notcp", "tcp dport PORT drop")),
            outside(lab, rules=wall("notcp", "tcp dport PORT drop")) + "?transport=tcp",
            quick=True,
        ),
        "server-tcp-filtered",
        servers=("ok", "failed"),
    ),
    "a router that says that the host is unreachable": Row(
        lambda lab: inside(
            lab, outside(lab, rules=wall("reject", "udp dport PORT reject with icmp type host-unreachable"))
        ),
        "server-unreachable",
        stage="binding",
    ),
    "this computer's own firewall": Row(
        lambda lab: turn(
            lab, outside(lab), where=lab.client(rules=wall("own", "udp dport != 53 drop", "output")), more=QUICK
        ),
        "local-firewall",
        stage="binding",
    ),
    "a network without UDP, and a relay over TCP": Row(
        lambda lab: inside(
            lab,
            outside(lab),
            outside(lab, listen=(OTHER_SERVER,), relay=(OTHER_SERVER,), host=OTHER_SERVER),
            outside(lab) + "?transport=tcp",
            where="udp-blocked",
            quick=True,
        ),
        "udp-blocked-relay-works",
        exit=0,
        servers=("failed", "ok", "failed", "ok", "ok"),
    ),
}
BALANCER = (
    """table ip balancer { chain rules1 { type nat hook input priority 100; udp dport PORT snat to 10.0.0.9; }; }"""
)
ROWS = HEALTHY | NAMES | WAYS


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_to_fix_at(lab: Lab, name: str) -> None:
    told = check(HEALTHY[name], lab)
    assert told["verdict"]["status"] == "healthy"


@pytest.mark.parametrize("name", NAMES)
def test_names_are_judged_with(lab: Lab, name: str) -> None:
    check(NAMES[name], lab)


@pytest.mark.parametrize("name", WAYS)
def test_the_way_is_judged_with(lab: Lab, name: str) -> None:
    check(WAYS[name], lab)
