"""Whether a server is there: healthy on every transport, or closed, silent, TLS gone wrong, somebody else's port."""

import pytest

from lab.codes.asking import QUICK, Row, check, stun, turn
from lab.codes.place import Lab
from support.ca import Certificate
from support.ports import free_port
from support.scripted import HTTP_400, Close, Reply, Script, Scripted, silence

pytestmark = pytest.mark.lab

NO_TLS_VERSION = bytes.fromhex("15030100020246")
"""A fatal protocol_version alert (RFC 8446 section 6)."""


HTTP = (Reply(HTTP_400), Close())
SSH = Reply(b"SSH-2.0-OpenSSH_9.2p1\r\n")


def at(server: Scripted, scheme: str = "turn") -> str:
    query = "?transport=tcp" if scheme == "turn-tcp" else ""
    return f"{scheme.removesuffix('-tcp')}:localhost:{server.port}{query}"


def says(*replies: Reply | Close) -> Script:
    return lambda *_: replies


def closed(*, scheme: str = "turn", query: str = "") -> str:
    return f"{scheme}:localhost:{free_port()}{query}"


def over_tls(lab: Lab, certificate: Certificate) -> str:
    """A server over TLS that no client should get to talk to."""
    return lab.coturn(certificate=certificate).uri("turns", host="localhost")


HEALTHY = {
    "coturn asked for STUN": Row(lambda lab: stun(lab, lab.tls.uri("stun")), exit=0, servers=("ok", "ok")),
    "coturn asked for STUN over TLS": Row(
        lambda lab: stun(lab, lab.tls.uri("stuns", host="localhost")), exit=0, servers=("ok",)
    ),
    "the embedded server asked for STUN": Row(lambda lab: stun(lab, lab.embedded()[0]), exit=0, servers=("ok", "ok")),
}

REACH = {
    "a closed UDP port asked for STUN": Row(lambda lab: stun(lab, closed(scheme="stun")), "server-udp-refused"),
    "a local port that is taken": Row(
        lambda lab: turn(lab, lab.tls.uri(), more=("--port", str(lab.taken()))),
        "local-address-unavailable",
        stage="binding",
    ),
    "a deadline that comes first": Row(
        lambda lab: turn(lab, at(lab.udp(silence)), more=("--deadline", "0.3")),
        "deadline-reached",
        exit=3,
        servers=("not-tested",),
    ),
    "a host that says nothing at all over UDP": Row(
        lambda lab: turn(lab, at(lab.udp(silence)), more=QUICK), "server-no-answer"
    ),
    "a name that leads to a web front: HTTP over TCP, nothing over UDP": Row(
        lambda lab: stun(
            lab,
            at(lab.tcp(says(*HTTP), port=lab.udp(silence).port), "stun"),
            more=QUICK,
        ),
        "server-behind-http-proxy",
    ),
    "a server that speaks first, as SSH does": Row(
        lambda lab: turn(lab, at(lab.tcp(silence, SSH), "turn-tcp")),
        "answer-is-not-stun",
        stage="binding",
    ),
}

TLS = {
    "a server that hangs up on the handshake": Row(
        lambda lab: turn(lab, at(lab.tcp(says(Close())), "turns")),
        "tls-handshake-cut-off",
        stage="tls",
    ),
}
ROWS = HEALTHY | REACH | TLS


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_to_fix_at(lab: Lab, name: str) -> None:
    told = check(HEALTHY[name], lab)
    assert told["verdict"]["status"] == "healthy"


@pytest.mark.parametrize("name", REACH)
def test_a_code_is_owned_by(lab: Lab, name: str) -> None:
    check(REACH[name], lab)


@pytest.mark.parametrize("name", TLS)
def test_tls_is_judged_with(lab: Lab, name: str) -> None:
    check(TLS[name], lab)
