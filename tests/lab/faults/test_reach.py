"""The way to a server, and who is found at its end: N5 to N18."""

import pytest

from lab.codes.asking import QUICK, Asked, Row, check, turn
from lab.codes.outside import inside, outside, wall
from lab.codes.place import Lab
from support.coturn import Coturn
from support.netns import OTHER_SERVER
from support.ports import free_port

pytestmark = pytest.mark.lab

WEB = "listen 127.0.0.1:PORT; return 200;"
BACKEND = """
frontend front
  bind 127.0.0.1:PORT
  default_backend turn
backend turn
  server one 127.0.0.1:{port}
"""
NO_BACKEND = """
frontend front
  bind 127.0.0.1:PORT
  default_backend turn
backend turn
"""
ANYTHING = "meta l4proto { udp, tcp } th dport PORT drop"


def other(lab: Lab, rules: str = "") -> str:
    """A server of another host, for comparison."""
    return outside(lab, listen=(OTHER_SERVER,), relay=(OTHER_SERVER,), host=OTHER_SERVER, rules=rules)


def asleep(lab: Lab, query: str = "", scheme: str = "turn", **options: object) -> Asked:
    """Ask a server whose process stands still."""
    server: Coturn = lab.coturn("verbose", **options)
    lab.stop(server.process)
    host = "localhost" if scheme == "turns" else ""
    return turn(lab, server.uri(scheme, host=host) + query, more=QUICK)


def behind_a_balancer(lab: Lab) -> Asked:
    server = lab.coturn("verbose")
    lab.stop(server.process)
    port = lab.haproxy(BACKEND.format(port=server.port))
    return turn(lab, f"turn:localhost:{port}?transport=tcp", more=QUICK)


def web_over_tls(lab: Lab) -> str:
    files = lab.certificate()
    keys = f"ssl_certificate {files.chain_file}; ssl_certificate_key {files.key_file};"
    return f"turns:localhost:{lab.nginx(f'listen 127.0.0.1:PORT ssl; {keys} return 200;')}"


REFUSED = {
    "N5 coturn that does not listen over UDP": Row(
        lambda lab: turn(lab, lab.coturn("verbose", udp=False).uri()),
        "server-udp-refused",
        stage="binding",
        servers=("failed", "ok"),
    ),
    "N5 a port at which nobody listens": Row(
        lambda lab: turn(lab, f"turn:localhost:{free_port()}"), "server-udp-refused", stage="binding"
    ),
    "N5 a server whose firewall rejects UDP": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("reject", "udp dport PORT reject"))),
        "server-udp-refused",
        stage="binding",
        servers=("failed", "ok"),
    ),
    "N8 coturn that does not listen over TCP": Row(
        lambda lab: turn(lab, lab.coturn("verbose", tcp=False).uri(transport="tcp")),
        "server-tcp-refused",
        stage="connect",
    ),
    "N8 coturn without TLS": Row(
        lambda lab: turn(lab, lab.secret().uri("turns", host="localhost")), "server-tcp-refused", stage="connect"
    ),
    "N8 a server whose firewall rejects TCP": Row(
        lambda lab: inside(
            lab, outside(lab, rules=wall("reset", "tcp dport PORT reject with tcp reset")) + "?transport=tcp"
        ),
        "server-tcp-refused",
        stage="connect",
    ),
}

SILENT = {
    "N6 a server whose firewall forgot UDP": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("forgot", "udp dport PORT drop")), quick=True),
        "udp-silent-tcp-answers",
        servers=("failed", "ok"),
    ),
    "N6 a server whose firewall forgot UDP, beside a good one": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("forgot-2", "udp dport PORT drop")), other(lab), quick=True),
        "server-udp-filtered",
        servers=("failed", "ok", "ok"),
    ),
    "N6 a network without UDP": Row(
        lambda lab: inside(lab, outside(lab), other(lab), where="udp-blocked", quick=True),
        "udp-blocked",
        servers=("failed", "ok", "failed", "ok"),
    ),
    "N7 a server whose firewall drops everything": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("deaf", ANYTHING)), quick=True), "server-no-answer"
    ),
    "N7 a server whose firewall drops everything, beside a good one": Row(
        lambda lab: inside(lab, outside(lab, rules=wall("deaf-2", ANYTHING)), other(lab), quick=True),
        "server-silent",
        servers=("failed", "ok"),
    ),
    "N7 a server whose firewall drops everything, beside a good one, over TCP": Row(
        lambda lab: inside(
            lab,
            outside(lab, rules=wall("deaf-3", ANYTHING)) + "?transport=tcp",
            other(lab) + "?transport=tcp",
            quick=True,
        ),
        "server-silent",
        servers=("failed", "ok"),
    ),
    "N7 a process that stands still": Row(asleep, "server-stalled"),
}

FOREIGN = {
    "N9 a web server at the port of TURN over TCP": Row(
        lambda lab: turn(lab, f"turn:localhost:{lab.nginx(WEB)}?transport=tcp"), "server-speaks-http", stage="binding"
    ),
    "N9 a web server at the TLS port of TURN over TCP": Row(
        lambda lab: turn(lab, web_over_tls(lab).replace("turns:", "turn:") + "?transport=tcp"),
        "server-speaks-http",
        stage="binding",
    ),
    "N9 a web server at the port of TURN over TLS": Row(
        lambda lab: turn(lab, web_over_tls(lab)), "server-speaks-http", stage="binding"
    ),
    "N5 a web server, asked over UDP": Row(
        lambda lab: turn(lab, f"turn:localhost:{lab.nginx(WEB)}"), "server-udp-refused", stage="binding"
    ),
    "N10 a load balancer whose server is down": Row(
        lambda lab: turn(lab, f"turn:localhost:{lab.haproxy(NO_BACKEND)}?transport=tcp"),
        "stream-closed",
        stage="binding",
    ),
    "N10 a load balancer whose server refuses": Row(
        lambda lab: turn(lab, f"turn:localhost:{lab.haproxy(BACKEND.format(port=lab.port))}?transport=tcp"),
        "stream-closed",
        stage="binding",
    ),
    "N10 a load balancer whose server stands still": Row(behind_a_balancer, "stream-silent", stage="binding"),
    "N10 a process that stands still, over TCP": Row(
        lambda lab: asleep(lab, "?transport=tcp"), "stream-silent", stage="binding"
    ),
    "N10 a process that stands still, over TLS": Row(
        lambda lab: asleep(lab, scheme="turns", certificate=lab.certificate()), "tls-silent", stage="tls"
    ),
    "N10 a server that waits for a PROXY header": Row(
        lambda lab: turn(lab, lab.processone("proxy_protocol").uri(transport="tcp"), more=QUICK),
        "stream-closed",
        stage="binding",
    ),
}

NO_TURN = {
    "N11 coturn that is a STUN server only": Row(
        lambda lab: turn(lab, lab.coturn("stun-only").uri(), more=QUICK), "turn-allocate-silent", stage="challenge"
    ),
    "N11 coturn that is a STUN server only, over TCP": Row(
        lambda lab: turn(lab, lab.coturn("stun-only").uri(transport="tcp"), more=QUICK),
        "turn-allocate-silent",
        stage="challenge",
    ),
    "N11 processone's library as a STUN server only": Row(
        lambda lab: turn(lab, lab.processone("{use_turn,false}").uri(), more=QUICK),
        "turn-not-offered",
        stage="challenge",
    ),
    "N12 coturn that answers no STUN": Row(
        lambda lab: turn(lab, lab.coturn("no-stun").uri(), more=QUICK),
        exit=0,
        servers=("warning",),
        beside=("turn-no-binding",),
    ),
    "N18 a server that sends clients to an inner address": Row(
        lambda lab: inside(lab, outside(lab, "alternate-server=10.0.0.7:3478")),
        "server-redirects-to-private",
        stage="challenge",
    ),
}

ROWS = REFUSED | SILENT | FOREIGN | NO_TURN


@pytest.mark.parametrize("name", ROWS)
def test_the_way_owns_the_verdict(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)
