"""Names that lead nowhere, or to the wrong place: N1 to N3, by a name server of the lab's own."""

import pytest

from lab.codes.asking import Row, check, turn
from lab.codes.outside import inside, outside, wall
from lab.codes.place import Lab
from support.netns import SERVER, SERVER6

pytestmark = pytest.mark.lab

BOTH = (SERVER, SERVER6)
ROWS = {
    "N1 a name that does not exist": Row(
        lambda lab: inside(lab, "turn:missing.example.org"), "dns-name-not-found", stage="dns"
    ),
    "N1 a name that does not exist, over TLS": Row(
        lambda lab: inside(lab, "turns:missing.example.org"), "dns-name-not-found", stage="dns"
    ),
    "N1 a name without an address": Row(
        lambda lab: inside(lab, "turn:text.example.org"), "dns-no-address", stage="dns"
    ),
    "N1 a name whose servers fail, beside a good one": Row(
        lambda lab: inside(lab, "turn:broken.example.org", outside(lab, host="turn.example.org"), quick=True),
        "dns-lookup-failed",
        servers=("failed", "ok"),
    ),
    "N2 an AAAA record whose address is dead": Row(
        lambda lab: inside(
            lab,
            outside(lab, host="six.example.org", rules=wall("six", f"ip6 daddr {SERVER6} th dport PORT drop")),
            quick=True,
        ),
        "server-ipv6-silent",
        exit=0,
        servers=("ok", "failed"),
    ),
    "N2 an AAAA record whose address refuses": Row(
        lambda lab: inside(lab, outside(lab, host="six.example.org")),
        "server-ipv6-silent",
        exit=0,
        servers=("ok", "failed"),
    ),
    "N2 an AAAA record whose address is dead, over TCP": Row(
        lambda lab: inside(
            lab,
            outside(lab, host="six.example.org", rules=wall("six-tcp", f"ip6 daddr {SERVER6} th dport PORT drop"))
            + "?transport=tcp",
            quick=True,
        ),
        "server-ipv6-silent",
        exit=0,
        servers=("ok", "failed"),
    ),
    "N3 a public name with a private address": Row(
        lambda lab: inside(lab, outside(lab, host="inner.example.org", listen=("10.0.0.5",), relay=("10.0.0.5",))),
        "dns-private-address",
        exit=0,
        stage="dns",
        servers=("warning",),
    ),
    "N3 a public name with a private address that nobody has here": Row(
        lambda lab: inside(lab, "turn:office.example.org", quick=True),
        "server-unreachable",
        stage="binding",
        beside=("dns-private-address",),
    ),
    "N3 a public name with a loopback address": Row(
        lambda lab: inside(lab, "turn:loop.example.org", quick=True),
        "server-udp-refused",
        beside=("dns-private-address",),
    ),
    "N3 a name that a filter leads to 0.0.0.0": Row(
        lambda lab: inside(lab, "turn:blocked.example.org", quick=True), "dns-useless-address", stage="dns"
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_name_owns_the_verdict(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)


def test_a_private_address_that_was_named_as_such_is_nobodys_fault(lab: Lab) -> None:
    uri = outside(lab, host="10.0.0.5", listen=("10.0.0.5",), relay=("10.0.0.5",))
    told = check(Row(lambda lab: turn(lab, uri, where=lab.client()), exit=0, servers=("ok",)), lab)
    assert not {"dns-private-address", "turn-relay-private-address"} & set(told.codes())
