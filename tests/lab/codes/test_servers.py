"""Whether a server is there: healthy on every transport, or closed, silent, TLS gone wrong, somebody else's port."""

import pytest

from lab.codes.asking import QUICK, Row, check, stun, turn
from lab.codes.place import Lab
from rtcdiag.findings import STAGES
from support.ca import Certificate
from support.ports import free_port
from support.scripted import HTTP_400, TLS_ALERT, Close, Reply, Script, Scripted, silence

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
    "coturn over UDP": Row(lambda lab: turn(lab, lab.tls.uri()), exit=0, servers=("ok",)),
    "coturn over TCP": Row(lambda lab: turn(lab, lab.tls.uri(transport="tcp")), exit=0, servers=("ok",)),
    "coturn over TLS": Row(lambda lab: turn(lab, lab.tls.uri("turns", host="localhost")), exit=0, servers=("ok",)),
    "coturn over IPv6": Row(lambda lab: turn(lab, lab.tls.uri(host="::1")), exit=0, servers=("ok",)),
    "coturn with a shared secret": Row(
        lambda lab: turn(lab, lab.secret().uri(), login=None, more=("--secret-file", lab.file("north\n"))),
        exit=0,
        servers=("ok",),
    ),
    "coturn over UDP, TCP and TLS at once": Row(
        lambda lab: turn(
            lab, lab.tls.uri(), lab.tls.uri(transport="tcp"), lab.tls.uri("turns", "tcp", host="localhost")
        ),
        exit=0,
        servers=("ok", "ok", "ok"),
    ),
    "coturn asked for STUN": Row(lambda lab: stun(lab, lab.tls.uri("stun")), exit=0, servers=("ok", "ok")),
    "coturn asked for STUN over TLS": Row(
        lambda lab: stun(lab, lab.tls.uri("stuns", host="localhost")), exit=0, servers=("ok",)
    ),
    "the embedded server": Row(lambda lab: turn(lab, *lab.embedded()[1:]), exit=0, servers=("ok", "ok")),
    "the embedded server asked for STUN": Row(lambda lab: stun(lab, lab.embedded()[0]), exit=0, servers=("ok", "ok")),
}

REACH = {
    "a closed UDP port": Row(lambda lab: turn(lab, closed()), "server-udp-refused", stage="binding"),
    "a closed TCP port": Row(
        lambda lab: turn(lab, closed(query="?transport=tcp")), "server-tcp-refused", stage="connect"
    ),
    "a closed port under turns:": Row(
        lambda lab: turn(lab, closed(scheme="turns")), "server-tcp-refused", stage="connect"
    ),
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
    "a port that is silent over UDP and answers over TCP": Row(
        lambda lab: turn(lab, lab.coturn(udp=False, port=lab.udp(silence).port).uri(), more=QUICK),
        "udp-silent-tcp-answers",
        servers=("failed", "ok"),
    ),
    "a web server on the TURN port": Row(
        lambda lab: turn(lab, at(lab.tcp(says(*HTTP)), "turn-tcp")),
        "server-speaks-http",
        stage="binding",
    ),
    "a web server under turns:": Row(
        lambda lab: turn(lab, at(lab.tcp(says(*HTTP)), "turns")),
        "tls-on-plain-port",
        stage="tls",
    ),
    "a web server over TLS under turns:": Row(
        lambda lab: turn(
            lab,
            at(lab.tcp(says(*HTTP), certificate=lab.certificate()), "turns"),
        ),
        "server-speaks-http",
        stage="binding",
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
    "a server that hangs up on STUN": Row(
        lambda lab: turn(lab, at(lab.tcp(says(Close())), "turn-tcp")),
        "stream-closed",
        stage="binding",
    ),
    "a server that accepts and says nothing": Row(
        lambda lab: turn(lab, at(lab.tcp(silence), "turn-tcp"), more=QUICK),
        "stream-silent",
        stage="binding",
    ),
    "TLS on the port of a plain URI": Row(
        lambda lab: turn(lab, at(lab.tcp(silence, certificate=lab.certificate()), "turn-tcp"), more=QUICK),
        "plain-on-tls-port",
        stage="binding",
    ),
}

TLS = {
    "coturn without a certificate under turns:": Row(
        lambda lab: turn(lab, lab.secret().uri().replace("turn:127.0.0.1", "turns:localhost")),
        "tls-on-plain-port",
        stage="tls",
        servers=("failed", "ok"),
    ),
    "a certificate for another name": Row(
        lambda lab: turn(lab, over_tls(lab, lab.certificate("other.example"))), "tls-hostname-mismatch", stage="tls"
    ),
    "a certificate that has expired": Row(
        lambda lab: turn(lab, over_tls(lab, lab.certificate(days=(-30, -1)))), "tls-certificate-expired", stage="tls"
    ),
    "a certificate that is not valid yet": Row(
        lambda lab: turn(lab, over_tls(lab, lab.certificate(days=(1, 30)))),
        "tls-certificate-not-yet-valid",
        stage="tls",
    ),
    "a self-signed certificate": Row(
        lambda lab: turn(lab, over_tls(lab, lab.certificate(self_signed=True))), "tls-self-signed", stage="tls"
    ),
    "an authority that nobody knows": Row(
        lambda lab: turn(lab, lab.tls.uri("turns", host="localhost"), trust=False),
        "tls-unknown-authority",
        stage="tls",
    ),
    "a certificate sent without the intermediate one": Row(
        lambda lab: turn(lab, over_tls(lab, lab.certificate(intermediate=True, chain=False))),
        "tls-chain-incomplete",
        stage="tls",
    ),
    "a certificate that ends in five days": Row(
        lambda lab: turn(lab, over_tls(lab, lab.certificate(days=(-85, 5)))),
        "tls-certificate-expires-within-days",
        exit=0,
        stage="tls",
        servers=("warning",),
    ),
    "a certificate that ends in two weeks": Row(
        lambda lab: turn(lab, over_tls(lab, lab.certificate(days=(-76, 14)))),
        "tls-certificate-expires-soon",
        exit=0,
        stage="tls",
        servers=("warning",),
    ),
    "a server that refuses the handshake": Row(
        lambda lab: turn(lab, at(lab.tcp(says(Reply(TLS_ALERT), Close())), "turns")),
        "tls-handshake-refused",
        stage="tls",
    ),
    "a server that speaks no TLS version of today": Row(
        lambda lab: turn(lab, at(lab.tcp(says(Reply(NO_TLS_VERSION), Close())), "turns")),
        "tls-protocol-version",
        stage="tls",
    ),
    "a server that hangs up on the handshake": Row(
        lambda lab: turn(lab, at(lab.tcp(says(Close())), "turns")),
        "tls-handshake-cut-off",
        stage="tls",
    ),
    "a server that does not answer the handshake": Row(
        lambda lab: turn(lab, at(lab.tcp(silence), "turns"), more=QUICK), "tls-silent", stage="tls"
    ),
    "turns: to an address": Row(
        lambda lab: turn(lab, lab.tls.uri("turns")), "tls-to-ip-address", stage="config", tested=("connect",)
    ),
    "turns: with transport=udp": Row(
        lambda lab: turn(lab, "turns:localhost:5349?transport=udp"), "turns-over-udp", stage="config", servers=()
    ),
    "stun: with a transport": Row(
        lambda lab: stun(lab, f"{lab.tls.uri('stun')}?transport=udp"),
        "uri-query-not-allowed",
        stage="config",
        servers=("failed", "failed"),
        tested=STAGES,
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
