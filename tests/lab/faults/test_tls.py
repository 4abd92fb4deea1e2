"""TLS in front of TURN, and how it goes wrong: T1 to T11, at coturn, haproxy, nginx, and the libraries of others."""

import pytest

from lab.codes.asking import Asked, Asks, Row, check, turn
from lab.codes.place import Lab
from support.ca import Certificate
from support.faketime import shifted
from support.fronts import bundle

pytestmark = pytest.mark.lab

FRONT = """
frontend secure
  bind 127.0.0.1:PORT ssl crt {files} {options}
  default_backend turn
backend turn
  server one 127.0.0.1:{port}
"""
OLD = "ssl-min-ver TLSv1.1 ssl-max-ver TLSv1.1 ciphers DEFAULT@SECLEVEL=0"
NO_CIPHER = "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;"
"""For certificates with an RSA key, which ours have not."""
ROUTER = """
frontend secure
  bind 127.0.0.1:PORT
  tcp-request inspect-delay 2s
  tcp-request content accept if {{ req_ssl_hello_type 1 }}
  use_backend turn if {{ req_ssl_sni -i localhost }}
  default_backend web
backend turn
  server one 127.0.0.1:{turn}
backend web
  server one 127.0.0.1:{web}
"""


def coturn_with(lab: Lab, certificate: Certificate, *extra: str) -> Asked:
    return turn(lab, lab.coturn(*extra, certificate=certificate).uri("turns", host="localhost"))


def fronted(lab: Lab, certificate: Certificate, options: str = "") -> Asked:
    """Ask haproxy, which takes TLS off in front of coturn."""
    port = lab.haproxy(FRONT.format(files=bundle(certificate), options=options, port=lab.tls.port))
    return turn(lab, f"turns:localhost:{port}")


def web(lab: Lab, certificate: Certificate, more: str = "") -> int:
    keys = f"ssl_certificate {certificate.chain_file}; ssl_certificate_key {certificate.key_file};"
    return lab.nginx(f"listen 127.0.0.1:PORT ssl; {keys} {more} return 200;")


def routed(lab: Lab, *more: str) -> Asked:
    """Ask a router by the name in the handshake: `localhost` is TURN, anything else a web server."""
    port = lab.haproxy(ROUTER.format(turn=lab.tls.tls_port, web=web(lab, lab.certificate("www.example.org"))))
    return turn(lab, f"turns:localhost:{port}", more=more)


def elsewhere(lab: Lab, shift: str) -> Asked:
    """Ask with a clock that is wrong by so much."""
    asked = turn(lab, lab.tls.uri("turns", host="localhost"))
    return Asked(asked.words, asked.where, asked.env, before=shifted(shift))


def broken(asked: Asks, code: str) -> Row:
    return Row(asked, code, stage="tls")


def warned(asked: Asks, code: str) -> Row:
    return Row(asked, code, exit=0, stage="tls", servers=("warning",))


ROWS = {
    "T1 a certificate sent without the intermediate one": broken(
        lambda lab: coturn_with(lab, lab.certificate(intermediate=True, chain=False)), "tls-chain-incomplete"
    ),
    "T1 a front that sends no intermediate certificate": broken(
        lambda lab: fronted(lab, lab.certificate(intermediate=True, chain=False)), "tls-chain-incomplete"
    ),
    "T2 a certificate that has expired": broken(
        lambda lab: coturn_with(lab, lab.certificate(days=(-30, -1))), "tls-certificate-expired"
    ),
    "T2 a server on pion's library with a certificate that has expired": broken(
        lambda lab: turn(lab, lab.pion(lab.certificate(days=(-30, -1))).uri("turns", host="localhost")),
        "tls-certificate-expired",
    ),
    "T3 certificate of another name": broken(
        lambda lab: coturn_with(lab, lab.certificate("other.example")), "tls-hostname-mismatch"
    ),
    "T3 a router that takes the name for another service": broken(
        lambda lab: routed(lab, "--sni", "turn.example.org"), "tls-hostname-mismatch"
    ),
    "T4 a self-signed certificate": broken(
        lambda lab: coturn_with(lab, lab.certificate(self_signed=True)), "tls-self-signed"
    ),
    "T4 an authority that nobody knows": broken(
        lambda lab: turn(lab, lab.tls.uri("turns", host="localhost"), trust=False), "tls-unknown-authority"
    ),
    "T5 a certificate that is not valid yet": broken(
        lambda lab: coturn_with(lab, lab.certificate(days=(1, 30))), "tls-certificate-not-yet-valid"
    ),
    "T5 a clock here that is thirty days behind": broken(
        lambda lab: elsewhere(lab, "-30d"), "tls-certificate-not-yet-valid"
    ),
    "T2 a clock here that is two hundred days ahead": broken(
        lambda lab: elsewhere(lab, "+200d"), "tls-certificate-expired"
    ),
    "T6 a front that has no cipher for its certificate": broken(
        lambda lab: turn(lab, f"turns:localhost:{web(lab, lab.certificate(), NO_CIPHER)}"), "tls-handshake-refused"
    ),
    "T6 a front that rejects the name": broken(
        lambda lab: turn(lab, f"turns:localhost:{web(lab, lab.certificate(), 'ssl_reject_handshake on;')}"),
        "tls-handshake-refused",
    ),
    "T7 a front that speaks TLS 1.1 at most": broken(
        lambda lab: fronted(lab, lab.certificate(), OLD), "tls-protocol-version"
    ),
    "T9 a router that knows TURN by its name only": Row(
        routed,
        "mapped-address-not-ours",
        exit=0,
        servers=("warning",),
        beside=("tls-needs-server-name",),
    ),
    "T11 a certificate that ends in five days": warned(
        lambda lab: coturn_with(lab, lab.certificate(days=(-85, 5))), "tls-certificate-expires-within-days"
    ),
    "T11 a certificate that ends in two weeks": warned(
        lambda lab: coturn_with(lab, lab.certificate(days=(-76, 14))), "tls-certificate-expires-soon"
    ),
    "T11 a front whose certificate ends in five days": warned(
        lambda lab: fronted(lab, lab.certificate(days=(-85, 5))), "tls-certificate-expires-within-days"
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_tls_owns_the_verdict(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)
