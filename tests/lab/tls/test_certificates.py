"""Every certificate that a browser takes or refuses, through the installed command: one code, in the right place."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.codes.asking import Asked, Row, check, stun, turn
from lab.codes.place import Lab
from support.ca import Certificate
from support.scripted import binding, tls_context

pytestmark = pytest.mark.lab

HUGE = 64 * 1024
WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is weak is the point


def coturn(lab: Lab, certificate: Certificate, *, host: str = "localhost", sni: str = "") -> Asked:
    """Ask coturn with a certificate of ours, where all else is well."""
    more = ("--sni", sni) if sni else ()
    return turn(lab, lab.coturn(certificate=certificate).uri("turns", host=host), more=more)


def named(*names: str, host: str = "localhost", sni: str = "", **more: Any) -> Any:
    """Return a row's set-up: a certificate for these names, at a host, under a name that is asked for."""
    return lambda lab: coturn(lab, lab.authority.issue(*names, **more), host=host, sni=sni)


def ours(*names: str, security_level: int = 2, **more: Any) -> Any:
    """Return a row's set-up: the same with a STUN server of ours."""

    def asked(lab: Lab) -> Asked:
        context = tls_context(lab.authority.issue(*names, **more), security_level=security_level)
        return stun(lab, f"stuns:localhost:{lab.tcp(binding, context=context).port}")

    return asked


def fine(asked: Any, code: str = "") -> Row:
    return Row(asked, code, exit=0, servers=("ok",))


def broken(asked: Any, code: str) -> Row:
    return Row(asked, code, stage="tls")


ROWS = {
    # --- names
    "the name itself": fine(named("localhost")),
    "the name in capitals": fine(named("LOCALHOST")),
    "a name with a final dot": fine(named("localhost", sni="localhost.")),
    "one of many names": fine(named(*(f"h{number}.example" for number in range(300)), "localhost")),
    "a wildcard for one label": fine(named("*.example.org", sni="turn.example.org")),
    "an IDN in its ASCII form": fine(named("xn--mnchen-3ya.example", sni="xn--mnchen-3ya.example")),
    "a wildcard for an IDN": fine(named("*.example.org", sni="xn--mnchen-3ya.example.org")),
    "a wildcard is for one label only": broken(
        named("*.example.org", sni="a.turn.example.org"), "tls-hostname-mismatch"
    ),
    "a wildcard is not for the domain itself": broken(
        named("*.example.org", sni="example.org"), "tls-hostname-mismatch"
    ),
    "a wildcard is a whole label": broken(named("tu*.example.org", sni="turn.example.org"), "tls-hostname-mismatch"),
    "a wildcard of a top-level domain": broken(named("*.org", sni="example.org"), "tls-hostname-mismatch"),
    "only the common name": broken(named(subject="localhost"), "tls-hostname-mismatch"),
    "the common name beside another name": broken(named("other.example", subject="localhost"), "tls-hostname-mismatch"),
    "only a URI": broken(named("turns://localhost", subject="localhost"), "tls-hostname-mismatch"),
    "an address for a name": broken(named("127.0.0.1"), "tls-hostname-mismatch"),
    # --- addresses
    "an address that the certificate bears": fine(named("127.0.0.1", host="127.0.0.1"), "tls-to-certified-ip-address"),
    "an IPv6 address that the certificate bears": fine(named("::1", host="::1"), "tls-to-certified-ip-address"),
    "an address as if it were a name": Row(
        lambda lab: coturn(lab, lab.authority.issue("other.example", subject="127.0.0.1"), host="127.0.0.1"),
        "tls-to-ip-address",
        stage="config",
        tested=("connect", "tls"),
    ),
    "an address, asked for by a name": fine(named("localhost", host="127.0.0.1", sni="localhost")),
    # --- chains
    "an intermediate that is sent": fine(named("localhost", intermediate=True)),
    "certificates of others behind it": fine(named("localhost", more=10)),
    "more certificates than clients read": broken(ours("localhost", more=30), "tls-certificates-too-large"),
    "a name of 64 KiB beside the right one": fine(ours("localhost", subject="x" * HUGE)),
    "a name of 64 KiB": broken(ours("other.example", subject="x" * HUGE), "tls-hostname-mismatch"),
    # --- keys
    "an RSA key of 2048 bits": fine(named("localhost", key=rsa.generate_private_key(65537, 2048))),
    "an RSA key of 1024 bits": broken(ours("localhost", key=WEAK, security_level=0), "tls-certificate-weak"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_certificate_is_taken_or_refused_as_browsers_do(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)
