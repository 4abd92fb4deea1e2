"""What is wrong with a network is not named where nothing is: the nine NATs of RFC 4787, none, and UDP blocked."""

import json
import sys

import pytest

from rtcdiag.contacts import CONTROL_HOSTS, STUN_SERVERS, WEB_CHECKS
from support import portal
from support.lab import BEHAVIORS, SERVER, lab
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

OTHER = "198.51.100.10"
WEB = "198.51.100.11"
NAMED = {
    "captive-portal",
    "dns-all-names-alike",
    "dns-fails",
    "local-firewall",
    "no-answer-at-all",
    "no-network",
    "proxy-not-used",
    "server-forbidden",
    "server-unreachable",
    "udp-blocked",
    "udp-blocked-relay-works",
    "udp-port-silent",
}
HOSTS = (
    [contact.target.split(":")[1] for contact in STUN_SERVERS],
    [*(contact.target.rpartition(":")[0] for contact in CONTROL_HOSTS if contact.target[0].isalpha())],
    [contact.host for contact in WEB_CHECKS],
)
NAMES = [
    *(f"{name}={SERVER if number % 2 else OTHER}" for number, name in enumerate(HOSTS[0])),
    *(f"{name}={WEB}" for name in (*HOSTS[1], *HOSTS[2])),
]
SERVING = "".join(f"{sys.executable} -S {portal.__file__} {WEB} {port} honest >/dev/null & " for port in (80, 443))
AROUND = (
    *(part for name in NAMES for part in ("--name", name)),
    *("--with", "coturn", "--with", "coturn", "--internet", SERVING + "wait"),
)

CONNECTED = f": >/dev/tcp/{WEB}/443 && : >/dev/tcp/{WEB}/80"
WHEN_READY = ("bash", "-c", f'until ({CONNECTED}) 2>/dev/null; do sleep 0.02; done; exec "$@"', "-")


def codes(nat: str, *options: str) -> set[str]:
    """Return the codes of what nat-type finds behind a NAT, with the default list unless a server is named."""
    done = lab("run", "--nat", nat, *AROUND, "--", *WHEN_READY, RTCDIAG, "nat-type", "--json", *options)
    assert done.stdout, done.stderr
    return {item["code"] for item in json.loads(done.stdout)["findings"]}


@pytest.mark.parametrize("nat", [*BEHAVIORS, "none"])
def test_nothing_is_named_on_a_plain_network(nat: str) -> None:
    assert codes(f"{nat} delay=20ms") & NAMED == set()


@pytest.mark.parametrize("nat", ["eim/apdf", "apdm/apdf", "none"])
def test_nothing_is_named_on_a_plain_network_with_one_server(nat: str) -> None:
    assert codes(f"{nat} delay=20ms", "--server", f"stun:{SERVER}") & NAMED == set()


@pytest.mark.parametrize("options", [("udp=53",), ("udp=blocked", "--server", f"stun:{SERVER}")])
def test_udp_blocked_is_named_udp_blocked_and_nothing_else(options: tuple[str, ...]) -> None:
    assert codes(f"eim/apdf delay=20ms {options[0]}", *options[1:]) & NAMED == {"udp-blocked"}


@pytest.mark.parametrize("nat", ["office-udp-blocked", "eim/apdf udp=53 tcp=80,443", "eim/apdf udp=53,443"])
def test_a_network_that_lets_only_the_web_pass_blocks_udp(nat: str) -> None:
    assert codes(nat) & NAMED == {"udp-blocked"}
