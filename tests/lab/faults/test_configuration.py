"""What is wrong with an entry before the first packet: C1 to C7 of the catalogue of failures."""

import pytest

from lab.codes.asking import PLAIN, Row, check, stun, turn
from lab.codes.place import Lab
from rtcdiag.findings import STAGES
from support.fronts import bundle
from support.process import RTCDIAG, run
from support.scripted import silence

pytestmark = pytest.mark.lab

TLS_FRONT = """
frontend secure
  bind 127.0.0.1:PORT ssl crt {bundle}
  default_backend turn
backend turn
  server one 127.0.0.1:{port}
"""

USAGE = {
    "C1 slashes in the URI": ("turn://127.0.0.1:{port}", "turn:127.0.0.1:{port}"),
    "C1 no scheme": ("127.0.0.1:{port}", "turn:127.0.0.1:{port}"),
    "C1 a query that TURN does not have": (
        "turn:127.0.0.1:{port}?proto=udp",
        "turn:127.0.0.1:{port}?transport=udp",
    ),
    "C1 a user in the URI": ("turn:alice@127.0.0.1:{port}", "turn:127.0.0.1:{port}"),
    "C1 a path in the URI": ("turn:127.0.0.1:{port}/turn", "turn:127.0.0.1:{port}"),
    "C1 a transport that nobody has": ("turn:127.0.0.1:{port}?transport=sctp", "udp"),
}
"""What is asked, and what the one line has to name: mostly the form that is right."""

ROWS = {
    "C2 stun: with a transport": Row(
        lambda lab: stun(lab, f"{lab.tls.uri('stun')}?transport=udp"),
        "uri-query-not-allowed",
        stage="config",
        servers=("failed", "failed"),
        tested=STAGES,
    ),
    "C3 turns: to an address": Row(
        lambda lab: turn(lab, lab.tls.uri("turns")), "tls-to-ip-address", stage="config", tested=("connect",)
    ),
    "C4 turns: with transport=udp": Row(
        lambda lab: turn(lab, f"{lab.tls.uri('turns', host='localhost')}?transport=udp"),
        "turns-over-udp",
        stage="config",
        tested=("dns",),
    ),
    "C5 no username": Row(
        lambda lab: turn(lab, lab.tls.uri(), login=None),
        "turn-credentials-missing",
        stage="config",
        tested=("binding", "challenge"),
    ),
    "C5 no username at a server on pion's library": Row(
        lambda lab: turn(lab, lab.pion().uri(), login=None),
        "turn-credentials-missing",
        stage="config",
        tested=("binding", "challenge"),
    ),
    "C6 turn: at a port where haproxy expects TLS": Row(
        lambda lab: turn(lab, f"turn:localhost:{tls_front(lab)}?transport=tcp"), "plain-on-tls-port", stage="binding"
    ),
    "C6 turn: at the TLS port of a server on pion's library": Row(
        lambda lab: turn(lab, f"turn:localhost:{lab.pion().tls_port}?transport=tcp"),
        "plain-on-tls-port",
        stage="binding",
    ),
    "C6 turn: at the TLS port of a server on processone's library": Row(
        lambda lab: turn(lab, f"turn:localhost:{lab.processone().tls_port}?transport=tcp"),
        "plain-on-tls-port",
        stage="binding",
    ),
    "C7 turns: at the plain port of coturn without a certificate": Row(
        lambda lab: turn(lab, lab.secret().uri("turn", host="localhost").replace("turn:", "turns:")),
        "tls-on-plain-port",
        stage="tls",
        servers=("failed", "ok"),
    ),
    "C7 turns: at the plain port of a server on pion's library": Row(
        lambda lab: turn(lab, f"turns:localhost:{lab.pion().port}"),
        "tls-on-plain-port",
        stage="tls",
        servers=("failed", "ok"),
    ),
    "C7 turns: at the plain port of a web server": Row(
        lambda lab: turn(lab, f"turns:localhost:{lab.nginx('listen 127.0.0.1:PORT; return 200;')}"),
        "tls-on-plain-port",
        stage="tls",
    ),
}


def tls_front(lab: Lab) -> int:
    """Let haproxy take TLS off and pass the rest on to coturn."""
    return lab.haproxy(TLS_FRONT.format(bundle=bundle(lab.certificate()), port=lab.tls.port))


@pytest.mark.parametrize("name", ROWS)
def test_the_entry_owns_the_verdict(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)


@pytest.mark.parametrize("name", USAGE)
def test_bad_usage_is_one_line_and_contacts_nobody(lab: Lab, name: str) -> None:
    asked, named = USAGE[name]
    with lab.one_row():
        server = lab.udp(silence)
        done = run([RTCDIAG, "check-turn", asked.format(port=server.port), "--json"], timeout=20, env=PLAIN)
        assert not server.received
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert named.format(port=server.port) in line
