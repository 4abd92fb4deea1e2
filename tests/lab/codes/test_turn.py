"""Whether a TURN server relays: whom it lets in, what it grants, and what its relay does."""

import pytest

from lab.codes.asking import QUICK, Row, check, stun, turn
from lab.codes.place import Lab
from lab.codes.relay import Relay
from lab.codes.scripts import REALM, SendsOn, Turn, rewritten
from rtcdiag.address import TransportAddress
from rtcdiag.findings import STAGES
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.credentials import long_term_key
from rtcdiag.stun.header import Method

pytestmark = pytest.mark.lab


def scripted(lab: Lab, script: Turn | SendsOn) -> str:
    return f"turn:127.0.0.1:{lab.udp(script).port}"


def in_circle(lab: Lab) -> str:
    script = SendsOn()
    uri = scripted(lab, script)
    script.to = TransportAddress.parse(uri.removeprefix("turn:"))
    return uri


ALLOCATE = {
    "coturn that wants a password for STUN": Row(
        lambda lab: stun(lab, lab.coturn("secure-stun").uri("stun")),
        "binding-needs-credentials",
        stage="binding",
    ),
    "coturn that sends clients on": Row(
        lambda lab: turn(lab, lab.coturn("alternate-server=203.0.113.99:3478").uri()),
        "server-redirects",
        exit=3,
        stage="challenge",
        servers=("warning",),
    ),
    "coturn that sends clients on to one that works": Row(
        lambda lab: turn(lab, lab.coturn(f"alternate-server=127.0.0.1:{lab.coturn().port}").uri()),
        exit=0,
        servers=("ok", "ok"),
        beside=("server-redirects-followed",),
    ),
    "a server that sends clients on to itself": Row(
        lambda lab: turn(lab, in_circle(lab)), "server-redirects-in-circle", stage="challenge"
    ),
    "a server that sends clients on to another family": Row(
        lambda lab: turn(lab, scripted(lab, SendsOn(TransportAddress("::1", 3478)))),
        "server-redirects-to-other-family",
        stage="challenge",
    ),
    "a server that takes its time": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.CREATE_PERMISSION: 403}, delay_ms=1100.0))),
        "turn-allocate-slow",
        exit=3,
        stage="allocate",
        servers=("warning",),
        beside=("turn-data-not-tested",),
    ),
    "error 420": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 420}, ((A.UNKNOWN_ATTRIBUTES, (0x0019,)),)))),
        "turn-attribute-refused",
        stage="allocate",
    ),
    "error 500": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 500}))), "turn-server-error", stage="allocate"
    ),
    "an error that nobody expects": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 477}))), "turn-allocate-rejected", stage="allocate"
    ),
    "a server that falls silent when it has the password": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 0})), more=QUICK),
        "turn-authenticated-allocate-silent",
        stage="allocate",
    ),
    "a relay without an address": Row(
        lambda lab: turn(lab, scripted(lab, Turn(relayed=None))), "turn-no-relayed-address", stage="allocate"
    ),
    "a relay that has expired at once": Row(
        lambda lab: turn(lab, scripted(lab, Turn(lifetime_s=0)), more=QUICK),
        "turn-zero-lifetime",
        stage="allocate",
        tested=("relayed-address", "permission", "release"),
    ),
    "a server that sends clients on to nobody": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 300}))), "server-redirects-nowhere"
    ),
}

RELAY = {
    "coturn that does not relay to this computer": Row(
        lambda lab: turn(lab, lab.coturn(loopback_peers=False).uri()),
        "turn-data-not-tested",
        exit=3,
        stage="permission",
        servers=("warning",),
    ),
    "error 400 for a peer": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.CREATE_PERMISSION: 400}))),
        "turn-permission-rejected",
        stage="permission",
    ),
    "no answer to CreatePermission": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.CREATE_PERMISSION: 0})), more=QUICK),
        "turn-permission-silent",
        stage="permission",
    ),
    "a scripted relay at whose ports nobody listens": Row(
        lambda lab: turn(lab, scripted(lab, Relay()), more=QUICK),
        "turn-relay-ports-unreachable",
        exit=0,
        stage="data",
        servers=("warning",),
        tested=STAGES,
    ),
    "an address that a middlebox rewrote, without a checksum that would tell": Row(
        lambda lab: turn(lab, scripted(lab, Relay(binding=rewritten)), more=QUICK),
        "turn-relay-ports-unreachable",
        exit=0,
        stage="data",
        servers=("warning",),
        beside=("address-rewritten",),
        tested=STAGES,
    ),
    "answers that are signed with another password": Row(
        lambda lab: turn(lab, scripted(lab, Relay(key=long_term_key("alice", REALM, "other"))), more=QUICK),
        "message-integrity-invalid",
        stage="allocate",
        tested=STAGES,
    ),
    "error 401 without a nonce to ChannelBind": Row(
        lambda lab: turn(lab, scripted(lab, Relay({Method.CHANNEL_BIND: 401}, nonce_in_errors=False)), more=QUICK),
        "turn-channel-denied",
        stage="permission",
        tested=STAGES,
    ),
    "error 437 when the relay is renewed": Row(
        lambda lab: turn(lab, scripted(lab, Relay({Method.REFRESH: 437})), more=QUICK),
        "turn-allocation-lost",
        stage="refresh",
    ),
    "error 400 when the relay is renewed": Row(
        lambda lab: turn(lab, scripted(lab, Relay({Method.REFRESH: 400})), more=QUICK),
        "turn-refresh-rejected",
        stage="refresh",
    ),
    "no answer when the relay is renewed": Row(
        lambda lab: turn(lab, scripted(lab, Relay({Method.REFRESH: 0})), more=QUICK),
        "turn-refresh-silent",
        stage="refresh",
    ),
    "a relay that loses everything": Row(
        lambda lab: turn(lab, scripted(lab, Turn()), more=QUICK), "turn-relays-no-data", stage="data"
    ),
}
ROWS = ALLOCATE | RELAY


@pytest.mark.parametrize("name", ALLOCATE)
def test_what_is_granted_is_judged_with(lab: Lab, name: str) -> None:
    check(ALLOCATE[name], lab)


@pytest.mark.parametrize("name", RELAY)
def test_the_relay_is_judged_with(lab: Lab, name: str) -> None:
    check(RELAY[name], lab)
