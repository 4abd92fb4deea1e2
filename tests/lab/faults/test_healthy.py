"""Servers that work, however they are set up: nothing above info is found, and data is proven in both directions."""

import pytest

from lab.codes.asking import Asked, Asks, Row, check, turn
from lab.codes.outside import INNER, inside, outside, translated
from lab.codes.place import Lab
from support.netns import SERVER, SERVER6

pytestmark = pytest.mark.lab

LISTS = (
    "no-multicast-peers",
    *(
        f"denied-peer-ip={first}-{last}"
        for first, last in (
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("240.0.0.0", "255.255.255.255"),
            ("::1", "::1"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        )
    ),
)
"""What guides recommend for a public server."""
SIX = "2001:db8::10"


def fine(asked: Asks, *beside: str, paths: int = 1) -> Row:
    return Row(asked, exit=0, servers=("ok",) * paths, beside=beside)


def six(lab: Lab, transport: str = "") -> Asked:
    server = lab.outside(listen=(SERVER, SERVER6), relay=(SERVER, SERVER6))
    return inside(lab, server.uri(transport=transport, host=SIX))


def both_ways(uri: str) -> tuple[str, str]:
    return (uri, f"{uri}?transport=tcp")


def three_ways(lab: Lab, *extra: str) -> tuple[str, ...]:
    server = lab.coturn(*extra, certificate=lab.authority.issue("localhost"))
    return (*both_ways(server.uri()), server.uri("turns", host="localhost"))


def library(lab: Lab, name: str) -> tuple[str, ...]:
    server = getattr(lab, name)()
    return (server.uri(), server.uri(transport="tcp"), server.uri("turns", host="localhost"))


ROWS = {
    "coturn over UDP, TCP and TLS at once": fine(
        lambda lab: turn(
            lab, lab.tls.uri(), lab.tls.uri(transport="tcp"), lab.tls.uri("turns", "tcp", host="localhost")
        ),
        paths=3,
    ),
    "coturn over IPv6": fine(lambda lab: turn(lab, lab.tls.uri(host="::1"))),
    "coturn over TCP and IPv6": fine(lambda lab: turn(lab, lab.tls.uri(transport="tcp", host="::1"))),
    "coturn with a shared secret": fine(
        lambda lab: turn(lab, lab.secret().uri(), login=None, more=("--secret-file", lab.file("north\n")))
    ),
    "coturn with mobility": fine(lambda lab: turn(lab, lab.coturn("mobility").uri())),
    "coturn whose challenges are stale soon": fine(lambda lab: turn(lab, lab.coturn("stale-nonce=1").uri())),
    "coturn that names no software": fine(lambda lab: turn(lab, lab.coturn("no-software-attribute").uri())),
    "coturn without UDP, asked over TCP": fine(
        lambda lab: turn(lab, lab.coturn("verbose", udp=False).uri(transport="tcp"))
    ),
    "coturn without TCP, asked over UDP": fine(lambda lab: turn(lab, lab.coturn("verbose", tcp=False).uri())),
    "coturn behind a home router": fine(lambda lab: inside(lab, outside(lab))),
    "coturn behind a home router, over TCP": fine(lambda lab: inside(lab, outside(lab) + "?transport=tcp")),
    "coturn behind a symmetric NAT": fine(lambda lab: inside(lab, outside(lab), where="random")),
    "coturn with a client that is on the internet itself": fine(lambda lab: inside(lab, outside(lab), where="no-nat")),
    "coturn with few relay ports": fine(lambda lab: inside(lab, outside(lab, ports=8))),
    "coturn with a quota that suffices for one URI at a time": fine(
        lambda lab: turn(lab, *three_ways(lab, "user-quota=2")), "turn-quota-reached", paths=3
    ),
    "coturn with relay ports that suffice for one URI at a time": fine(
        lambda lab: inside(lab, *both_ways(outside(lab, ports=2))), "turn-capacity-exhausted", paths=2
    ),
    "coturn that denies inner addresses": fine(lambda lab: inside(lab, outside(lab, *LISTS))),
    "coturn behind a NAT of its own": fine(lambda lab: translated(lab, INNER)),
    "coturn on an IPv6 internet": fine(six),
    "coturn on an IPv6 internet, over TCP": fine(lambda lab: six(lab, "tcp")),
    "the embedded server": fine(lambda lab: turn(lab, *lab.embedded()[1:]), paths=2),
    "a server on pion's library over UDP, TCP and TLS": fine(lambda lab: turn(lab, *library(lab, "pion")), paths=3),
    "a server on pion's library behind a home router": fine(lambda lab: inside(lab, lab.pion_outside().uri())),
    "a server on processone's library over UDP, TCP and TLS": fine(
        lambda lab: turn(lab, *library(lab, "processone")), paths=3
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_nothing_is_to_fix_at(lab: Lab, name: str) -> None:
    told = check(ROWS[name], lab)
    assert told["verdict"]["status"] == "healthy"
    assert {finding["severity"] for finding in told["findings"]} <= {"info"}
    data = [item for item in told["evidence"] if item["kind"] == "RelayedData"]
    assert {"a", "b"} <= {item["receiver"] for item in data if item["received"]}
