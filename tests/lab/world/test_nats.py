"""Every NAT of the lab, as other programs and ours see it from behind."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from support.coturn import coturn
from support.lab import BEHAVIORS, SERVER, behind, lab
from support.netns import SERVERS, Topology
from support.nft import Nat
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

EIM = "endpoint-independent"
APDF = "address-and-port-dependent"
PEER = Path(__file__).with_name("peer.py")
NATDISCOVERY = ("turnutils_natdiscovery", "-m", "-f")


def verdict(text: str) -> tuple[str, str]:
    """Read mapping and filtering in the words of RFC 4787 out of what turnutils_natdiscovery prints."""
    lines = [line for line in text.splitlines() if line.endswith("!")]
    words = [line.removeprefix("NAT with ").rpartition(" ")[0].lower().replace(" ", "-") for line in lines]
    return words[0], words[1]


def nat_type(nat: str, server: str = f"stun:{SERVER}") -> dict[str, Any]:
    asking = (RTCDIAG, "nat-type", "--json", "--no-control", "--server", server)
    done = lab("run", "--nat", nat, "--with", "embedded", "--", *asking)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def peer(nat: str | list[str], *args: str, options: tuple[str, ...] = ("--with", "embedded")) -> Any:
    return json.loads(behind(nat, sys.executable, "-S", PEER, *args, options=options))


@pytest.mark.parametrize("spec", BEHAVIORS)
def test_an_old_hand_gives_each_of_the_nine_nats_its_name(spec: str) -> None:
    seen = behind(f"{spec} port=random", *NATDISCOVERY, SERVER, options=("--with", "coturn"))
    assert verdict(seen) == BEHAVIORS[spec]


@pytest.mark.parametrize(
    ("kernel", "ours"),
    [
        ("masquerade", "eim/apdf"),
        ("random", "apdm/apdf port=random"),
        ("full-cone", "eim/eif"),
        ("address-restricted", "eim/adf"),
        ("firewall", "firewall"),
        ("no-nat", "none"),
    ],
)
def test_the_kernels_nats_and_ours_are_told_alike(kernel: Nat, ours: str, tmp_path: Path) -> None:
    with Topology() as net, coturn(tmp_path, listen=SERVERS[:2], relay=SERVERS[:1], prefix=net.internet.prefix):
        seen = net.client(kernel).run([*NATDISCOVERY, SERVERS[0]], timeout=60)
    assert verdict(seen.stdout) == verdict(behind(ours, *NATDISCOVERY, SERVER, options=("--with", "coturn")))


@pytest.mark.parametrize("spec", BEHAVIORS)
def test_our_detector_is_right_behind_each_of_the_nine_nats(spec: str) -> None:
    nat = nat_type(f"{spec} port=random")["nat"]["ipv4"]
    assert (nat["behind_nat"], nat["mapping"], nat["filtering"]) == (True, *BEHAVIORS[spec])


@pytest.mark.parametrize(("spec", "filtering"), [("none", EIM), ("firewall", APDF)])
def test_our_detector_sees_that_there_is_no_nat(spec: str, filtering: str) -> None:
    nat = nat_type(spec)["nat"]["ipv4"]
    assert (nat["behind_nat"], nat["mapping"], nat["filtering"]) == (False, EIM, filtering)


def test_where_udp_is_blocked_our_detector_names_no_class() -> None:
    nat = nat_type("udp-blocked")["nat"]["ipv4"]
    assert (nat["behind_nat"], nat["mapping"], nat["filtering"]) == (None, "undetermined", "undetermined")


@pytest.mark.parametrize(
    ("v6", "behind_nat", "filtering"), [("none", False, EIM), ("firewall", False, APDF), ("nat66", True, APDF)]
)
def test_ipv6_passes_as_the_specification_says(v6: str, behind_nat: bool, filtering: str) -> None:
    nat = nat_type(f"eim/apdf v6={v6}", "stun:[2001:db8::10]")["nat"]["ipv6"]
    assert (nat["behind_nat"], nat["mapping"], nat["filtering"]) == (behind_nat, EIM, filtering)


def test_two_layers_show_the_address_of_the_outer_one_only() -> None:
    ((single,),) = peer("eim/apdf", "mapping", SERVER, "1")
    ((double,),) = peer(["eim/apdf", "eim/apdf port=random"], "mapping", SERVER, "1")
    assert single[0] == double[0]


def test_a_symmetric_layer_anywhere_makes_the_whole_symmetric() -> None:
    for layers in (["apdm/apdf port=random", "eim/eif"], ["eim/eif", "apdm/apdf port=random"]):
        (one, other) = peer(layers, "mapping", f"{SERVER},203.0.113.11", "1")[0]
        assert one[1] != other[1], layers


def test_paired_pooling_keeps_one_address_and_arbitrary_pooling_does_not() -> None:
    def addresses(pooling: str) -> set[str]:
        seen = peer(f"apdm/apdf port=random pool=4 pooling={pooling}", "mapping", SERVER, "12")
        return {address for ((address, _),) in seen}

    assert len(addresses("paired")) == 1
    assert len(addresses("arbitrary")) > 1


@pytest.mark.parametrize(("hairpin", "source"), [("none", None), ("internal", "local"), ("external", "mapped")])
def test_a_hairpin_shows_the_source_that_was_set(hairpin: str, source: str | None) -> None:
    # A computer drops what seems to come from itself, unless it is told not to.
    script = 'echo 1 >/proc/sys/net/ipv4/conf/all/accept_local; exec "$@"'
    command = ("sh", "-c", script, "sh", sys.executable, "-S", PEER, "hairpin", SERVER)
    seen = behind(f"eim/eif port=random hairpin={hairpin}", *command, options=("--with", "embedded"))
    assert json.loads(seen) == source


def test_a_delay_is_added_to_each_way() -> None:
    echo = f"{sys.executable} -S {PEER} echo {SERVER}"
    took = peer("eim/apdf delay=40ms", "times", SERVER, "20", "20", options=("--internet", echo))
    assert len(took) > 10
    assert 80 <= min(took) < 130


def test_a_loss_is_that_of_each_way() -> None:
    echo = f"{sys.executable} -S {PEER} echo {SERVER}"
    took = peer("eim/apdf loss=20%", "times", SERVER, "400", "2", options=("--internet", echo, "--seed", "1"))
    assert 0.27 < 1 - len(took) / 400 < 0.45  # 36 % there and back


def test_the_same_seed_makes_the_same_choices() -> None:
    def ports(*seed: str) -> list[int]:
        seen = peer("apdm/apdf port=random", "mapping", SERVER, "3", options=("--with", "embedded", *seed))
        return [port for ((_, port),) in seen]

    assert ports("--seed", "7") == ports("--seed", "7") != ports("--seed", "8")


@pytest.mark.parametrize(("nat", "direct"), [("eim/apdf", True), ("apdm/apdf port=random", False)])
def test_a_pair_meets_by_hole_punching_unless_both_are_symmetric(nat: str, direct: bool, tmp_path: Path) -> None:
    meeting = (sys.executable, "-S", PEER, "meet", SERVER, tmp_path)
    done = lab("pair", "--a", nat, "--b", nat, "--with", "embedded", "--", *meeting)
    heard = {"from a", "from b"} if direct else {"nothing"}
    assert {json.loads(line) for line in done.stdout.splitlines()} == heard, done.stderr
