"""Whether a TURN server relays: whom it lets in, what it grants, and what its relay does."""

import time

import pytest

from lab.codes.asking import QUICK, Lab, Row, check, stun, turn
from lab.codes.scripts import Turn, pion
from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.credentials import long_term_key, mint
from rtcdiag.stun.header import Method

pytestmark = pytest.mark.lab

HOUR_S = 3600
WRONG = ("alice", "looking-glass")


def minted(left_s: float, *, secret: str) -> tuple[str, str]:
    credential = mint(secret, "alice", int(time.time() + left_s))
    return credential.username, credential.password


def scripted(lab: Lab, script: Turn) -> str:
    return f"turn:127.0.0.1:{lab.udp(script).port}"


def ice_servers(lab: Lab, text: str) -> tuple[str, ...]:
    return ("--ice-servers", lab.file(text))


CREDENTIALS = {
    "a wrong password over UDP": Row(
        lambda lab: turn(lab, lab.tls.uri(), login=WRONG), "turn-credentials-rejected", stage="allocate"
    ),
    "a wrong password over TCP": Row(
        lambda lab: turn(lab, lab.tls.uri(transport="tcp"), login=WRONG), "turn-credentials-rejected", stage="allocate"
    ),
    "a wrong password over TLS": Row(
        lambda lab: turn(lab, lab.tls.uri("turns", host="localhost"), login=WRONG),
        "turn-credentials-rejected",
        stage="allocate",
    ),
    "an unknown user": Row(
        lambda lab: turn(lab, lab.tls.uri(), login=("nobody", "wonderland")),
        "turn-credentials-rejected",
        stage="allocate",
    ),
    "another shared secret": Row(
        lambda lab: turn(lab, lab.secret().uri(), login=minted(HOUR_S, secret="south")),
        "turn-credentials-rejected",
        stage="allocate",
    ),
    "a wrong password at the embedded server": Row(
        lambda lab: turn(lab, lab.embedded()[1], login=WRONG), "turn-credentials-rejected", stage="allocate"
    ),
    "a username whose time is over": Row(
        lambda lab: turn(lab, lab.secret().uri(), login=minted(-HOUR_S, secret="north")),
        "turn-credentials-expired",
        stage="allocate",
    ),
    "a username with five minutes left": Row(
        lambda lab: turn(lab, lab.secret().uri(), login=minted(300, secret="north")),
        "turn-credentials-expire-soon",
        exit=0,
        stage="config",
        servers=("warning",),
    ),
    "no username": Row(
        lambda lab: turn(lab, lab.tls.uri(), login=None),
        "turn-credentials-missing",
        stage="config",
        tested=("binding", "challenge"),
    ),
    "an ICE server list without credentials": Row(
        lambda lab: turn(
            lab, login=None, more=ice_servers(lab, f'{{"iceServers": [{{"urls": ["{lab.tls.uri()}"]}}]}}')
        ),
        "turn-credentials-missing",
        stage="config",
        tested=("binding", "challenge"),
    ),
    "a wrong password at a server built on pion": Row(
        lambda lab: turn(lab, f"turn:127.0.0.1:{lab.udp(pion).port}"),
        "turn-credentials-rejected-as-400",
        stage="allocate",
    ),
    "a server that calls each nonce stale": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 438}))), "turn-stale-nonce-loop", stage="allocate"
    ),
    "error 441": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 441}, nonce_in_errors=False))),
        "turn-wrong-credentials-for-session",
        stage="allocate",
    ),
    "a server that wants no password": Row(
        lambda lab: turn(lab, lab.coturn(users=()).uri()),
        "turn-no-authentication",
        exit=0,
        stage="challenge",
        servers=("warning",),
    ),
    "a challenge without a realm": Row(
        lambda lab: turn(lab, scripted(lab, Turn(challenge=((A.NONCE, b"n"),)))),
        "turn-challenge-incomplete",
        stage="challenge",
    ),
    "an empty realm": Row(
        lambda lab: turn(
            lab,
            scripted(
                lab,
                Turn(
                    {Method.ALLOCATE: 508},
                    challenge=((A.REALM, ""), (A.NONCE, b"n")),
                    key=long_term_key("alice", "", "wonderland"),
                ),
            ),
        ),
        "turn-capacity-exhausted",
        stage="allocate",
        beside=("turn-realm-empty",),
    ),
}

ALLOCATE = {
    "coturn that is a STUN server only": Row(
        lambda lab: turn(lab, lab.coturn("stun-only").uri(), more=QUICK), "turn-allocate-silent", stage="challenge"
    ),
    "a STUN server that is asked for TURN": Row(
        lambda lab: turn(lab, lab.coturn("stun-only").uri(transport="tcp"), more=QUICK),
        "turn-allocate-silent",
        stage="challenge",
    ),
    "coturn that answers no STUN": Row(
        lambda lab: turn(lab, lab.coturn("no-stun").uri(), more=QUICK),
        exit=0,
        servers=("warning",),
        beside=("turn-no-binding",),
    ),
    "coturn that wants a password for STUN": Row(
        lambda lab: stun(lab, lab.coturn("secure-stun").uri("stun")),
        "binding-needs-credentials",
        stage="binding",
    ),
    "a quota of one relay a user": Row(
        lambda lab: turn(lab, lab.coturn("user-quota=1").uri()),
        "turn-quota-reached",
        exit=0,
        stage="allocate",
        servers=("warning",),
    ),
    "a relay that has one port": Row(
        lambda lab: turn(lab, lab.coturn(relay_ports=(lab.port, lab.port)).uri()),
        "turn-capacity-exhausted",
        exit=0,
        stage="allocate",
        servers=("warning",),
    ),
    "a quota that is used up": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 486}))), "turn-quota-reached", stage="allocate"
    ),
    "a relay over IPv6 only": Row(
        lambda lab: turn(lab, lab.coturn(relay=("::1",)).uri()), "turn-no-ipv4-relay", stage="allocate"
    ),
    "a relay over IPv4 only, asked over IPv6": Row(
        lambda lab: turn(lab, lab.coturn(relay=("127.0.0.1",)).uri(host="::1")),
        exit=0,
        servers=("ok",),
        beside=("turn-no-ipv6-relay",),
    ),
    "coturn without a relay over UDP": Row(
        lambda lab: turn(lab, lab.coturn("no-udp-relay").uri()), "turn-udp-relay-disabled", stage="allocate"
    ),
    "coturn with short lifetimes": Row(
        lambda lab: turn(lab, lab.coturn("max-allocate-lifetime=300").uri()),
        exit=0,
        servers=("ok",),
        beside=("turn-short-lifetime",),
    ),
    "coturn that sends clients on": Row(
        lambda lab: turn(lab, lab.coturn("alternate-server=203.0.113.99:3478").uri()),
        "server-redirects",
        exit=0,
        stage="challenge",
        servers=("warning",),
    ),
    "error 403": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 403}))), "turn-allocate-forbidden", stage="allocate"
    ),
    "error 420": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 420}, ((A.UNKNOWN_ATTRIBUTES, (0x0019,)),)))),
        "turn-attribute-refused",
        stage="allocate",
    ),
    "error 437 on every port": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 437}))), "turn-allocation-mismatch", stage="allocate"
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
    "a relay at 0.0.0.0": Row(
        lambda lab: turn(lab, scripted(lab, Turn(relayed=TransportAddress("0.0.0.0", 50_000))), more=QUICK),
        "turn-relay-impossible-address",
        stage="relayed-address",
        tested=("permission", "release"),
    ),
    "a relay of the other family": Row(
        lambda lab: turn(lab, scripted(lab, Turn(relayed=TransportAddress("::1", 50_000))), more=QUICK),
        "turn-relay-wrong-family",
        stage="relayed-address",
        tested=("permission", "release"),
    ),
}

RELAY = {
    "coturn that does not relay to this computer": Row(
        lambda lab: turn(lab, lab.coturn(loopback_peers=False).uri()),
        "turn-data-not-tested",
        exit=0,
        stage="permission",
        servers=("warning",),
    ),
    "error 443 for a peer": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.CREATE_PERMISSION: 443}))),
        "turn-peer-family-mismatch",
        exit=0,
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
    "a relay that loses everything": Row(
        lambda lab: turn(lab, scripted(lab, Turn()), more=QUICK), "turn-relays-no-data", stage="data"
    ),
}
ROWS = CREDENTIALS | ALLOCATE | RELAY


@pytest.mark.parametrize("name", CREDENTIALS)
def test_who_may_ask_is_told_from_what_is_broken_with(lab: Lab, name: str) -> None:
    check(CREDENTIALS[name], lab)


@pytest.mark.parametrize("name", ALLOCATE)
def test_what_is_granted_is_judged_with(lab: Lab, name: str) -> None:
    check(ALLOCATE[name], lab)


@pytest.mark.parametrize("name", RELAY)
def test_the_relay_is_judged_with(lab: Lab, name: str) -> None:
    check(RELAY[name], lab)
