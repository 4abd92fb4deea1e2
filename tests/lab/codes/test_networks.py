"""Faults that need a network: names, firewalls and NATs, in namespaces whose addresses count as global."""

import pytest

from lab.codes.asking import QUICK, Asked, Lab, Row, check, stun, turn
from rtcdiag.findings import STAGES
from support.netns import ALTERNATE, OTHER_SERVER, SERVER, SERVER6

pytestmark = pytest.mark.lab


def wall(name: str, rule: str, hook: str = "input") -> str:
    """A firewall; in one of a server, PORT is the server's port and RELAY its relay ports."""
    return f"table inet wall-{name} {{ chain rules1 {{ type filter hook {hook} priority 0; {rule}; }}; }}\n"


def outside(lab: Lab, *extra: str, host: str = SERVER, **options: object) -> str:
    """A TURN server on the internet, by its address or by a name."""
    return lab.outside(*extra, **options).uri(host=host)


def inside(lab: Lab, *uris: str, where: str = "masquerade", quick: bool = False) -> Asked:
    """Ask from a computer behind a router."""
    return turn(lab, *uris, where=lab.client(where), more=QUICK if quick else ())


HEALTHY = {
    "behind an ordinary home router": Row(lambda lab: inside(lab, outside(lab)), exit=0, servers=("ok",)),
    "behind a symmetric NAT": Row(lambda lab: inside(lab, outside(lab), where="random"), exit=0, servers=("ok",)),
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
    "a name that does not exist": Row(
        lambda lab: inside(lab, "turn:missing.example.org"), "dns-name-not-found", stage="dns"
    ),
    "a name server that says nothing": Row(
        lambda lab: turn(
            lab, "turn:turn.example.org", where=lab.client(rules=wall("quiet", "udp sport 53 drop")), more=QUICK
        ),
        "dns-fails",
    ),
    "a public name with a private address": Row(
        lambda lab: inside(lab, outside(lab, host="inner.example.org", listen=("10.0.0.5",), relay=("10.0.0.5",))),
        "dns-private-address",
        exit=0,
        stage="dns",
        servers=("warning",),
    ),
    "a name that a filter leads to 0.0.0.0": Row(
        lambda lab: inside(lab, "turn:blocked.example.org", quick=True), "dns-useless-address", stage="dns"
    ),
    "an AAAA record whose address is dead": Row(
        lambda lab: inside(
            lab,
            outside(lab, host="six.example.org", rules=wall("six", f"ip6 daddr {SERVER6} th dport PORT drop")),
            quick=True,
        ),
        "server-ipv6-silent",
        exit=0,
        servers=("ok", "failed"),
    ),
    "an AAAA record whose address refuses": Row(
        lambda lab: inside(lab, outside(lab, host="six.example.org")),
        "server-ipv6-silent",
        exit=0,
        servers=("ok", "failed"),
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
    "a server whose firewall drops everything, beside a good one": Row(
        lambda lab: inside(
            lab,
            outside(lab, rules=wall("dead", "meta l4proto { udp, tcp } th dport PORT drop"), host=SERVER),
            outside(lab, listen=(OTHER_SERVER,), relay=(OTHER_SERVER,), host=OTHER_SERVER),
            quick=True,
        ),
        "server-silent",
        servers=("failed", "ok"),
    ),
    "a server whose firewall forgot UDP, beside a good one": Row(
        lambda lab: inside(
            lab,
            outside(lab, rules=wall("noudp", "udp dport PORT drop")),
            outside(lab, listen=(OTHER_SERVER,), relay=(OTHER_SERVER,), host=OTHER_SERVER),
            quick=True,
        ),
        "server-udp-filtered",
        servers=("failed", "ok", "ok"),
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
    "a load balancer that replaces the sender's address": Row(
        lambda lab: stun(
            lab,
            lab.outside(rules=BALANCER).uri("stun"),
            where=lab.client(),
        ),
        "mapped-address-private",
        exit=0,
        stage="binding",
        servers=("warning", "ok"),
    ),
    "a server that sends clients to an inner address": Row(
        lambda lab: inside(lab, outside(lab, "alternate-server=10.0.0.7:3478")),
        "server-redirects-to-private",
        stage="challenge",
    ),
}
BALANCER = (
    """table ip balancer { chain rules1 { type nat hook input priority 100; udp dport PORT snat to 10.0.0.9; }; }"""
)
LEAVES_FROM_ELSEWHERE = f"""table ip elsewhere {{ chain rules1 {{ type filter hook postrouting priority 300;
  oifname wide udp sport RELAY ip saddr set {ALTERNATE}; }}; }}"""

RELAYS = {
    "relay ports that a firewall closes": Row(
        lambda lab: inside(
            lab,
            outside(
                lab,
                rules=wall("range", "udp dport RELAY drop") + wall("range2", "udp sport RELAY drop", "output"),
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
        lambda lab: inside(lab, outside(lab, rules=wall("outbound", "udp sport RELAY drop", "output")), quick=True),
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
ROWS = HEALTHY | NAMES | WAYS | RELAYS


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


@pytest.mark.parametrize("name", RELAYS)
def test_the_relay_is_judged_with(lab: Lab, name: str) -> None:
    check(RELAYS[name], lab)
