"""What is asked for and not granted: L1 to L9, at coturn and at servers on the libraries of pion and processone."""

from typing import Any

import pytest

from lab.codes.asking import Asked, Asks, Row, check, turn
from lab.codes.place import Lab
from lab.codes.scripts import Turn
from rtcdiag.stun.header import Method
from support.coturn import Coturn
from support.ports import free_port
from support.turn_libraries import LibraryServer

pytestmark = pytest.mark.lab

CLIENTS_DENIED = "{turn_blacklist,[{{127,0,0,0},8}]}"


def full(lab: Lab, server: Coturn | LibraryServer, transport: str = "") -> Asked:
    """Ask a server that holds the allocation of a client that died."""
    lab.crashed_client(server)
    return turn(lab, server.uri(transport=transport))


def same_port(lab: Lab, server: Coturn | LibraryServer) -> Asked:
    """Ask from the port of a client that died, whose allocation the server still has."""
    return turn(lab, server.uri(), more=("--port", str(lab.crashed_client(server))))


def narrow(lab: Lab, **options: Any) -> Coturn:
    """Run coturn with one relay port of its own."""
    port = free_port()
    return lab.coturn(relay_ports=(port, port), **options)


def refused(asked: Asks, code: str) -> Row:
    return Row(asked, code, stage="allocate")


def short(asked: Asks, code: str) -> Row:
    """One relay is granted, another one at the same time is not."""
    return Row(asked, code, exit=0, stage="allocate", servers=("warning",))


def recovered(asked: Asks) -> Row:
    """The second attempt from another port succeeds: a fact."""
    return Row(asked, exit=0, servers=("ok",), beside=("turn-allocation-mismatch",))


ROWS = {
    "L1 a server that lets this client's network have no relay": refused(
        lambda lab: turn(lab, lab.processone(CLIENTS_DENIED).uri()), "turn-allocate-forbidden"
    ),
    "L1 a server that lets this client's network have no relay, over TCP": refused(
        lambda lab: turn(lab, lab.processone(CLIENTS_DENIED).uri(transport="tcp")), "turn-allocate-forbidden"
    ),
    "L3 a client died on this port before": recovered(lambda lab: same_port(lab, lab.coturn())),
    "L3 a client died on this port before, at a server on pion's library": recovered(
        lambda lab: same_port(lab, lab.pion())
    ),
    "L3 a client died on this port before, at a server on processone's library": recovered(
        lambda lab: same_port(lab, lab.processone())
    ),
    "L3 error 437 on every port": refused(
        lambda lab: turn(lab, f"turn:127.0.0.1:{lab.udp(Turn({Method.ALLOCATE: 437})).port}"),
        "turn-allocation-mismatch",
    ),
    "L4 a relay over IPv6 only": refused(lambda lab: turn(lab, lab.coturn(relay=("::1",)).uri()), "turn-no-ipv4-relay"),
    "L4 a relay over IPv4 only, asked over IPv6": Row(
        lambda lab: turn(lab, lab.coturn(relay=("127.0.0.1",)).uri(host="::1")),
        exit=0,
        servers=("ok",),
        beside=("turn-no-ipv6-relay",),
    ),
    "L5 coturn without a relay over UDP": refused(
        lambda lab: turn(lab, lab.coturn("no-udp-relay").uri()), "turn-udp-relay-disabled"
    ),
    "L5 coturn without a relay over UDP, asked over TCP": refused(
        lambda lab: turn(lab, lab.coturn("no-udp-relay").uri(transport="tcp")), "turn-udp-relay-disabled"
    ),
    "L6 coturn that relays no TCP": Row(
        lambda lab: turn(lab, lab.coturn("no-tcp-relay").uri(transport="tcp"), more=("--tcp-relay",)),
        exit=0,
        servers=("ok",),
        beside=("turn-tcp-relay-off",),
    ),
    "L6 pion's library, which relays no TCP": Row(
        lambda lab: turn(lab, lab.pion().uri(transport="tcp"), more=("--tcp-relay",)),
        exit=0,
        servers=("ok",),
        beside=("turn-tcp-relay-off",),
    ),
    "L8 a user whose quota is used up": refused(
        lambda lab: full(lab, lab.coturn("user-quota=1", "verbose")), "turn-quota-reached"
    ),
    "L8 a server whose quota is used up, asked over TCP": refused(
        lambda lab: full(lab, lab.coturn("total-quota=1"), "tcp"), "turn-quota-reached"
    ),
    "L8 a quota of one relay a user": short(
        lambda lab: turn(lab, lab.coturn("user-quota=1").uri()), "turn-quota-reached"
    ),
    "L9 a relay whose only port is taken": refused(lambda lab: full(lab, narrow(lab)), "turn-capacity-exhausted"),
    "L9 a relay whose only port is taken at a server on pion's library": refused(
        lambda lab: full(lab, lab.pion(min_port=(port := free_port()), max_port=port)), "turn-capacity-exhausted"
    ),
    "L9 a relay whose only port is taken at a server on processone's library": refused(
        lambda lab: full(lab, lab.processone(*(f"{{turn_{end}_port,{lab.port}}}" for end in ("min", "max")))),
        "turn-capacity-exhausted",
    ),
    "L9 a relay that has one port": short(lambda lab: turn(lab, narrow(lab).uri()), "turn-capacity-exhausted"),
    "L12 coturn with short lifetimes": Row(
        lambda lab: turn(lab, lab.coturn("max-allocate-lifetime=300").uri()),
        exit=0,
        servers=("ok",),
        beside=("turn-short-lifetime",),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_allocation_owns_the_verdict(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)
