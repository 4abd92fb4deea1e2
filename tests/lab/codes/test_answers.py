"""Servers that answer, and wrongly: another address, another checksum, too late, too often, too much."""

import pytest

from lab.codes import scripts
from lab.codes.asking import QUICK, Asks, Row, check, stun, turn
from lab.codes.place import Lab
from lab.codes.scripts import Turn, replying
from rtcdiag.stun.header import Method
from support.scripted import Reply, Script

pytestmark = pytest.mark.lab


def at(lab: Lab, script: Script, **options: str) -> str:
    return f"stun:127.0.0.1:{lab.udp(script, **options).port}"


ANSWERS = {
    "garbage": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.garbage)), more=QUICK), "answer-is-not-stun", stage="binding"
    ),
    "garbage from a TURN server": Row(
        lambda lab: turn(lab, at(lab, replying(scripts.garbage)).replace("stun", "turn"), more=QUICK),
        "answer-is-not-stun",
        stage="binding",
    ),
    "an answer to somebody else": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.another_transaction)), more=QUICK),
        "answer-does-not-match",
        stage="binding",
    ),
    "answers from another port": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.good, other_socket=True)), more=QUICK),
        "answered-from-wrong-address",
        stage="binding",
    ),
    "answers from another address": Row(
        lambda lab: turn(
            lab,
            at(lab, replying(scripts.good, other_socket=True), other_host="127.0.0.2").replace("stun", "turn"),
            more=QUICK,
        ),
        "answered-from-wrong-address",
        stage="binding",
    ),
    "answers that all come too late": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.good, delay_ms=700.0)), more=QUICK),
        "answers-too-late",
        stage="binding",
    ),
    "only 64 KiB of zeros": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.biggest)), more=QUICK), "answer-is-not-stun", stage="binding"
    ),
    "an error to Binding": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.server_error))), "binding-rejected", stage="binding"
    ),
    "an answer without an address": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.no_address))), "binding-without-address", stage="binding"
    ),
    "an address that nobody has": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.nowhere))), "mapped-address-implausible", stage="binding"
    ),
}


def warned(asked: Asks, code: str) -> Row:
    return Row(asked, code, exit=0, stage="binding", servers=("warning",))


WARNINGS = {
    "no XOR-MAPPED-ADDRESS": warned(
        lambda lab: stun(lab, at(lab, replying(scripts.old_form))), "stun-without-xor-mapped-address"
    ),
    "a wrong checksum": warned(
        lambda lab: stun(lab, at(lab, replying(scripts.bad_fingerprint))), "fingerprint-invalid"
    ),
    "messages whose last attribute is cut off": warned(
        lambda lab: stun(lab, at(lab, replying(scripts.cut_off))), "answer-malformed"
    ),
    "an answer to every second request": warned(
        lambda lab: stun(lab, at(lab, scripts.every_second_transaction()), more=QUICK), "stun-loss"
    ),
    "an answer among a hundred that are none": warned(
        lambda lab: stun(lab, at(lab, replying(scripts.good, *[scripts.garbage] * 100))), "server-floods"
    ),
    "an answer beside 64 KiB": warned(
        lambda lab: stun(lab, at(lab, replying(scripts.good, scripts.biggest))), "answer-oversized"
    ),
    "a good answer, and one from another address": warned(
        lambda lab: stun(
            lab,
            at(
                lab,
                lambda data, source: [
                    Reply(scripts.good(data, source), other_socket=True),
                    Reply(scripts.good(data, source)),
                ],
                other_host="127.0.0.2",
            ),
        ),
        "answer-from-elsewhere",
    ),
}

FACTS = {
    "an answer that comes twice": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.good, scripts.good))),
        exit=0,
        servers=("ok",),
        beside=("answer-duplicated",),
    ),
    "a MAPPED-ADDRESS that was changed on the way": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.rewritten))),
        exit=0,
        servers=("ok",),
        beside=("address-rewritten",),
    ),
    "a stray datagram beside good answers": Row(
        lambda lab: stun(lab, at(lab, replying(scripts.garbage, scripts.good))),
        exit=0,
        servers=("ok",),
        beside=("stray-datagrams",),
    ),
}

DENIED: dict[int, int] = {Method.CREATE_PERMISSION: 403}
"""Ends a session with a mere warning: no script relays data."""

SIGNED = {
    "not signed": Row(
        lambda lab: turn(lab, at(lab, Turn(DENIED, key=None)).replace("stun", "turn")),
        "message-integrity-missing",
        exit=3,
        stage="allocate",
        servers=("warning",),
        beside=("turn-data-not-tested",),
    ),
}
ROWS = ANSWERS | WARNINGS | FACTS | SIGNED


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_counts_of_a_server_that_gives(lab: Lab, name: str) -> None:
    check(ANSWERS[name], lab)


@pytest.mark.parametrize("name", WARNINGS)
def test_a_server_works_and_is_warned_about_that_gives(lab: Lab, name: str) -> None:
    told = check(WARNINGS[name], lab)
    assert told["verdict"]["status"] == "degraded"


@pytest.mark.parametrize("name", FACTS)
def test_a_server_works_that_gives(lab: Lab, name: str) -> None:
    told = check(FACTS[name], lab)
    assert told["verdict"]["status"] == "healthy"


@pytest.mark.parametrize("name", SIGNED)
def test_integrity_is_checked_of_answers(lab: Lab, name: str) -> None:
    check(SIGNED[name], lab)
