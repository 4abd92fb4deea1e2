"""Whom a TURN server lets in: passwords, users, secrets and clocks."""

import time

import pytest

from lab.codes.asking import Row, check, turn
from lab.codes.place import Lab
from lab.codes.scripts import Turn
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


ROWS = {
    "a username with five minutes left": Row(
        lambda lab: turn(lab, lab.secret().uri(), login=minted(300, secret="north")),
        "turn-credentials-expire-soon",
        exit=0,
        stage="config",
        servers=("warning",),
    ),
    "a username with a week left": Row(
        lambda lab: turn(lab, lab.secret().uri(), login=minted(7 * 24 * HOUR_S, secret="north")),
        exit=0,
        servers=("ok",),
        beside=("turn-credentials-long-lived",),
    ),
    "an ICE server list without credentials": Row(
        lambda lab: turn(
            lab, login=None, more=ice_servers(lab, f'{{"iceServers": [{{"urls": ["{lab.tls.uri()}"]}}]}}')
        ),
        "turn-credentials-missing",
        stage="config",
        tested=("binding", "challenge"),
    ),
    "error 441": Row(
        lambda lab: turn(lab, scripted(lab, Turn({Method.ALLOCATE: 441}, nonce_in_errors=False))),
        "turn-wrong-credentials-for-session",
        stage="allocate",
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


@pytest.mark.parametrize("name", ROWS)
def test_who_may_ask_is_told_from_what_is_broken_with(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)
