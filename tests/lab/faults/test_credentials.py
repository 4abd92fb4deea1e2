"""Whom servers let in: A1 to A10, at coturn and at servers on the libraries of pion and processone."""

import time

import pytest

from lab.codes.asking import Asked, Asks, Row, check, turn
from lab.codes.outside import inside
from lab.codes.place import Lab
from rtcdiag.stun.credentials import mint
from support.faketime import shifted
from support.netns import ALTERNATE, SERVER

pytestmark = pytest.mark.lab

HOUR_S = 3600
WRONG = ("alice", "looking-glass")
NOBODY = ("nobody", "wonderland")
VIRTUAL = "203.0.113.12"


def minted(left_s: float, *, secret: str = "north") -> tuple[str, str]:
    credential = mint(secret, "alice", int(time.time() + left_s))
    return credential.username, credential.password


def edited(login: tuple[str, str]) -> tuple[str, str]:
    """A username that was changed after it had been signed."""
    return f"{login[0]}-2", login[1]


def rejected(asked: Asks, code: str = "turn-credentials-rejected") -> Row:
    return Row(asked, code, stage="allocate")


def apart(asked: Asks, stage: str = "") -> Row:
    """One connection is served all the way, the other is not."""
    served = ("allocate", "relayed-address", "permission", "data", "release")
    return Row(asked, "turn-connections-differ", stage=stage, tested=served)


def warned(asked: Asks, code: str, *, status: int = 0) -> Row:
    return Row(asked, code, exit=status, stage="challenge", servers=("warning",))


# Stateless, as balancers for datagrams are. What asks for the challenge goes to the first server, so that the order in
# which requests of several sockets meet does not matter; each one with a password goes to the server after the last.
UNSTEADY = f"""table ip unsteady {{
  chain in {{ type filter hook prerouting priority raw;
    ip daddr {VIRTUAL} udp dport PORT notrack
    ip daddr {VIRTUAL} udp dport PORT udp length < 80 ip daddr set {SERVER}
    ip daddr {VIRTUAL} udp dport PORT ip daddr set numgen inc mod 2 map {{ 0: {ALTERNATE}, 1: {SERVER} }}
  }}
  chain out {{ type filter hook output priority raw;
    ip saddr {{ {SERVER}, {ALTERNATE} }} udp sport PORT notrack ip saddr set {VIRTUAL}
  }}
}}
"""


# What begins with a request for an allocation goes to another server than what begins with a Binding.
SPREAD = f"""table ip spread {{ chain in {{ type nat hook prerouting priority dstnat;
  ip daddr {VIRTUAL} udp dport PORT udp length > 40 dnat to {ALTERNATE}
  ip daddr {VIRTUAL} udp dport PORT dnat to {SERVER}; }}; }}
"""


def spread(lab: Lab, *, secret: str = "") -> Asked:
    """Ask two servers behind one address: the other one knows no users but those of a secret, or does not run."""
    lab.net.internet.ip(f"address replace {VIRTUAL}/32 dev wide")
    rules = SPREAD.replace("table ip spread", f"table ip spread{'-2' if secret else ''}")
    first = lab.outside("no-tlsv1_1", rules=rules)
    if secret:
        lab.outside(listen=(ALTERNATE,), relay=(ALTERNATE,), port=first.port, secret=secret)
    return inside(lab, first.uri(host=VIRTUAL))


def unsteady(lab: Lab) -> Asked:
    lab.net.internet.ip(f"address replace {VIRTUAL}/32 dev wide")
    first = lab.outside("no-tlsv1")  # an option of no meaning here, which makes it a server of this row's own
    lab.outside(listen=(ALTERNATE,), relay=(ALTERNATE,), port=first.port, rules=UNSTEADY)
    return inside(lab, first.uri(host=VIRTUAL))


def ahead(lab: Lab) -> Asked:
    """Ask a host whose clock is two hours ahead: its TURN server takes good credentials for expired."""
    clock, files = shifted("+2h"), lab.certificate("clock.example.org", days=(-30, 30))
    lab.web_outside(ALTERNATE, files, clock)
    where = {"listen": (ALTERNATE,), "relay": (ALTERNATE,), "prefix": (*lab.net.internet.prefix, *clock)}
    server = lab.outside(secret="north", users=(), **where)
    more = ("--secret-file", lab.file("north\n"), "--ca-file", str(lab.authority.ca_file))
    return turn(lab, server.uri(host="clock.example.org"), login=None, where=lab.client(), more=more)


ROWS = {
    "A1 a username whose time is over": rejected(
        lambda lab: turn(lab, lab.secret().uri(), login=minted(-HOUR_S)), "turn-credentials-expired"
    ),
    "A1 a username whose time is over, over TCP": rejected(
        lambda lab: turn(lab, lab.secret().uri(transport="tcp"), login=minted(-HOUR_S)), "turn-credentials-expired"
    ),
    "A1 a username whose time is over at a server on pion's library": rejected(
        lambda lab: turn(lab, lab.pion().uri(), login=minted(-HOUR_S)), "turn-credentials-expired"
    ),
    "A2 a server whose clock is ahead": Row(
        ahead, "turn-credentials-clock-skew", stage="allocate", beside=("clocks-differ",)
    ),
    "A3 a wrong password over UDP": rejected(lambda lab: turn(lab, lab.tls.uri(), login=WRONG)),
    "A3 a wrong password over TCP": rejected(lambda lab: turn(lab, lab.tls.uri(transport="tcp"), login=WRONG)),
    "A3 a wrong password over TLS": rejected(
        lambda lab: turn(lab, lab.tls.uri("turns", host="localhost"), login=WRONG)
    ),
    "A3 an unknown user": rejected(lambda lab: turn(lab, lab.tls.uri(), login=NOBODY)),
    "A3 another shared secret": rejected(
        lambda lab: turn(lab, lab.secret().uri(), login=minted(HOUR_S, secret="south"))
    ),
    "A3 a shared secret with a line end at its end": rejected(
        lambda lab: turn(lab, lab.secret().uri(), login=minted(HOUR_S, secret="north\n"))
    ),
    "A3 a username that was edited after it was signed": rejected(
        lambda lab: turn(lab, lab.secret().uri(), login=edited(minted(HOUR_S)))
    ),
    "A3 a user with a password where coturn has a shared secret": rejected(lambda lab: turn(lab, lab.secret().uri())),
    "A3 a wrong password at a server on processone's library": rejected(
        lambda lab: turn(lab, lab.processone().uri(), login=WRONG)
    ),
    "A3 an unknown user at a server on processone's library, over TCP": rejected(
        lambda lab: turn(lab, lab.processone().uri(transport="tcp"), login=NOBODY)
    ),
    "A3 a wrong password at the embedded server": rejected(lambda lab: turn(lab, lab.embedded()[1], login=WRONG)),
    "A4 a wrong password at a server on pion's library": rejected(
        lambda lab: turn(lab, lab.pion().uri(), login=WRONG), "turn-credentials-rejected-as-400"
    ),
    "A4 an unknown user at a server on pion's library": rejected(
        lambda lab: turn(lab, lab.pion().uri(), login=NOBODY), "turn-credentials-rejected-as-400"
    ),
    "A4 a wrong password at a server on pion's library, over TCP": rejected(
        lambda lab: turn(lab, lab.pion().uri(transport="tcp"), login=WRONG), "turn-credentials-rejected-as-400"
    ),
    "A4 a wrong password at a server on pion's library, over TLS": rejected(
        lambda lab: turn(lab, lab.pion().uri("turns", host="localhost"), login=WRONG),
        "turn-credentials-rejected-as-400",
    ),
    "A5 coturn with an empty realm": warned(lambda lab: turn(lab, lab.coturn(realm="").uri()), "turn-realm-empty"),
    "A5 pion's library with an empty realm": warned(
        lambda lab: turn(lab, lab.pion(realm="").uri()), "turn-realm-empty"
    ),
    "A8 a load balancer that sends each request to another server": rejected(unsteady, "turn-stale-nonce-loop"),
    "A8 a load balancer one of whose servers does not run": apart(spread, "challenge"),
    "A8 a load balancer one of whose servers has other users": apart(lambda lab: spread(lab, secret="north")),
    "A10 coturn that wants no password": warned(
        lambda lab: turn(lab, lab.coturn(users=()).uri()), "turn-no-authentication", status=3
    ),
    "A10 coturn that wants no password, over TCP": warned(
        lambda lab: turn(lab, lab.coturn(users=()).uri(transport="tcp")), "turn-no-authentication", status=3
    ),
    "A10 processone's library that wants no password": warned(
        lambda lab: turn(lab, lab.processone("{auth_type,anonymous}").uri()), "turn-no-authentication", status=3
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_who_may_ask_owns_the_verdict(lab: Lab, name: str) -> None:
    check(ROWS[name], lab)
