"""Answers that are wrong, or are made wrong on the way: N14, N15, S1 to S3."""

import pytest

from lab.codes import scripts
from lab.codes.asking import QUICK, Asked, Asks, Row, check, turn
from lab.codes.outside import INNER, SECOND_INNER, inside, outside, translated
from lab.codes.place import Lab
from lab.codes.relay import Relay

pytestmark = pytest.mark.lab

BALANCER = "table ip balancer { chain rules1 { type nat hook input priority 100; udp dport PORT snat to 10.0.0.9; }; }"


def mangled(name: str, bits: str) -> str:
    """Overwrite some of each Binding response on its way out, and send it without a checksum (RFC 768)."""
    match = "udp sport PORT @th,64,16 0x0101"
    return f"""table ip mangled-{name} {{ chain rules1 {{ type filter hook output priority 0;
      {match} {bits} udp checksum set 0; }}; }}"""


FRONT = """
frontend front
  bind 127.0.0.1:PORT
  default_backend turn
backend turn
  server one 127.0.0.1:{port}
"""


def plain_front(lab: Lab) -> int:
    """Pass TCP on to coturn without telling from whom."""
    return lab.haproxy(FRONT.format(port=lab.tls.port))


# The second attribute of coturn's Binding response is MAPPED-ADDRESS, the fourth SOFTWARE.
REWRITTEN = "@th,384,32 set 0xc0000263"
OTHER_NAME = "@th,544,32 set 0x41424344"


def relaying(lab: Lab, binding: object) -> Asked:
    """Ask a relay that works, and whose answers to Binding are these."""
    return turn(lab, f"turn:127.0.0.1:{lab.udp(Relay(binding=binding)).port}", more=QUICK)


def warned(asked: Asks, code: str, *beside: str, servers: tuple[str, ...] = ("warning",)) -> Row:
    return Row(asked, code, exit=0, stage="binding", servers=servers, beside=beside)


ROWS = {
    "N14 a load balancer that replaces the sender's address": warned(
        lambda lab: inside(lab, outside(lab, rules=BALANCER)), "mapped-address-private"
    ),
    "N14 a proxy that hides where clients come from": warned(
        lambda lab: turn(lab, f"turn:localhost:{plain_front(lab)}?transport=tcp"), "mapped-address-not-ours"
    ),
    "N14 a container's network that hides where clients come from": warned(
        lambda lab: relaying(lab, scripts.of_a_container), "mapped-address-not-ours"
    ),
    "N15 an address that a middlebox rewrote": warned(
        lambda lab: inside(lab, outside(lab, rules=mangled("address", REWRITTEN))),
        "fingerprint-invalid",
        "address-rewritten",
    ),
    "S1 a server that knows only RFC 3489": warned(
        lambda lab: relaying(lab, scripts.old_form), "stun-without-xor-mapped-address"
    ),
    "S2 a message that was changed on the way": warned(
        lambda lab: inside(lab, outside(lab, rules=mangled("name", OTHER_NAME))), "fingerprint-invalid"
    ),
    "S3 a second address that is private": Row(
        lambda lab: translated(lab, INNER, SECOND_INNER),
        exit=0,
        servers=("ok",),
        beside=("stun-other-address-implausible",),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_answer_owns_the_verdict(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)
