"""The NATs of the lab and those of the kernel are told alike by the sequences of older tools, also by a wrong one."""

import json
from pathlib import Path

import pytest

from support.coturn import coturn
from support.lab import BEHAVIORS, SERVER, asking, behind
from support.netns import SERVERS, Topology
from support.nft import Nat

pytestmark = pytest.mark.lab

SEQUENCES = Path(__file__).with_name("sequences.py")
EIM, APDF = BEHAVIORS["eim/apdf"]
KINDS: list[tuple[Nat, str]] = [
    ("masquerade", "eim/apdf"),
    ("masquerade", "linux-router"),
    ("random", "apdm/apdf port=random"),
    ("full-cone", "eim/eif"),
    ("address-restricted", "eim/adf"),
    ("firewall", "firewall"),
    ("no-nat", "none"),
]
"""A NAT of the kernel's, and the same one of ours."""
WAN_ACCEPTS = "add chain inet filter input { type filter hook input priority filter; policy accept; }"


def told(nat: str, order: str) -> list[str]:
    """Return what a sequence says of a NAT of the lab."""
    found: list[str] = json.loads(behind(nat, *asking(SEQUENCES, order, SERVER), options=("--with", "coturn")))
    return found


def told_of_the_kernel(nat: Nat, order: str, scratch: Path, rules: str = "") -> list[str]:
    """Return what a sequence says of a NAT of the kernel, with more rules."""
    with Topology() as net, coturn(scratch, listen=SERVERS[:2], relay=SERVERS[:1], prefix=net.internet.prefix):
        router = net.router(nat)
        if rules:
            router.nft(rules)
        seen = net.client(router).run(asking(SEQUENCES, order, SERVERS[0]), timeout=60)
    found: list[str] = json.loads(seen.stdout)
    return found


@pytest.mark.parametrize("order", ["full", "apart"])
@pytest.mark.parametrize("spec", BEHAVIORS)
def test_each_of_the_nine_nats_has_its_name_in_either_order(spec: str, order: str) -> None:
    assert told(f"{spec} port=random", order) == list(BEHAVIORS[spec])


@pytest.mark.parametrize("order", ["full", "apart", "classic"])
@pytest.mark.parametrize(("kernel", "ours"), KINDS)
def test_a_nat_of_the_kernel_and_ours_are_told_alike(kernel: Nat, ours: str, order: str, tmp_path: Path) -> None:
    rules = WAN_ACCEPTS if ours == "linux-router" else ""
    assert told_of_the_kernel(kernel, order, tmp_path, rules) == told(ours, order)


def test_the_classic_order_takes_a_linux_router_that_tracks_for_symmetric_and_stuntmans_does_not(
    tmp_path: Path,
) -> None:
    assert told("linux-router", "classic") == ["symmetric"]
    assert told_of_the_kernel("masquerade", "classic", tmp_path, WAN_ACCEPTS) == ["symmetric"]
    assert told("linux-router inbound=dropped", "classic") == [EIM, APDF]
    assert told("linux-router", "full") == [EIM, APDF]
