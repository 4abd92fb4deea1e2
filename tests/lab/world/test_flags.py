"""Every flag of a specification does what it says, measured by two programs on either side of the NAT."""

import json
import sys
from itertools import groupby, pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from support.lab import SERVER, asking, behind

pytestmark = pytest.mark.lab

ASKER = Path(__file__).with_name("asker.py")
PEER = Path(__file__).with_name("peer.py")
WITNESS = ("--internet", f"exec {sys.executable} -S {Path(__file__).with_name('witness.py')} {SERVER}")


def seen(nat: str | list[str], *experiment: str, seed: str = "1", before: str = "") -> Any:
    """Return what the asker says from behind a NAT."""
    command = asking(ASKER, *experiment)
    if before:
        command = ["sh", "-c", f'{before}; exec "$@"', "sh", *command]
    return json.loads(behind(nat, *command, options=(*WITNESS, "--seed", seed)))


def test_preserving_keeps_ports_and_random_does_not() -> None:
    assert all(local == mapped for local, mapped in seen("eim/apdf port=preserving", "ports", "8"))
    found = [mapped for _, mapped in seen("eim/apdf port=random", "ports", "8")]
    assert max(abs(one - other) for one, other in pairwise(found)) > 1000


@pytest.mark.parametrize("step", [1, 2, -3])
def test_sequential_ports_are_one_step_apart(step: int) -> None:
    found = [mapped for _, mapped in seen(f"eim/apdf port=sequential:{step}", "ports", "8")]
    assert {other - one for one, other in pairwise(found)} == {step}


def test_the_ports_of_a_block_are_all_in_it() -> None:
    found = [mapped for _, mapped in seen("eim/apdf port=block:64", "ports", "12")]
    assert len({(mapped - 1024) // 64 for mapped in found}) == 1


def test_ports_are_of_the_range_and_of_the_parity_that_was_set() -> None:
    assert all(40000 <= mapped <= 40099 for _, mapped in seen("eim/apdf port=random ports=40000-40099", "ports", "12"))
    found = seen("eim/apdf port=random parity=yes", "ports", "12")
    assert all(local % 2 == mapped % 2 for local, mapped in found)
    assert any(local % 2 != mapped % 2 for local, mapped in seen("eim/apdf port=random", "ports", "12"))


def test_an_overloaded_port_is_kept_until_two_hosts_want_it_for_one_place() -> None:
    second = "ip address add 192.168.1.3/24 dev eth0"
    kept = [local == mapped for local, mapped in seen("linux-router", "collision", before=second)]
    assert kept == [True, True, False]
    kept = [local == mapped for local, mapped in seen("eim/apdf", "collision", before=second)]
    assert kept == [True, False, False]
    assert all(one == other for one, other in seen("linux-router", "per_destination", "5"))


@pytest.mark.parametrize(("inbound", "same"), [("dropped", True), ("tracked", False)])
def test_an_unasked_packet_costs_the_port_towards_its_sender_where_it_is_tracked(inbound: str, same: bool) -> None:
    one, other = seen(f"apdm/apdf port=overloading inbound={inbound}", "unasked", "7002")
    assert (one == other) == same
    one, other = seen(f"apdm/apdf port=overloading inbound={inbound}", "unasked", "7001")
    assert one == other


def test_a_mapping_lives_as_long_as_was_set() -> None:
    assert seen("eim/eif lifetime=600ms", "arrivals", "[250, 1000, 1300]") == 1
    assert seen("eim/eif lifetime=5s", "arrivals", "[250, 1000, 1300]") == 3


@pytest.mark.parametrize(("refresh", "alive"), [("outbound", 1), ("inbound", 3), ("both", 3)])
def test_packets_from_outside_keep_a_mapping_alive_where_that_was_set(refresh: str, alive: int) -> None:
    assert seen(f"eim/eif lifetime=600ms refresh={refresh}", "arrivals", "[400, 800, 1200]") == alive


@pytest.mark.parametrize(("refresh", "alive"), [("outbound", 1), ("inbound", 0), ("both", 1)])
def test_packets_from_inside_keep_a_mapping_alive_where_that_was_set(refresh: str, alive: int) -> None:
    assert seen(f"eim/eif lifetime=600ms refresh={refresh}", "arrivals", "[850]", "400") == alive


@pytest.mark.parametrize(
    ("udp", "outcomes"),
    [
        ("udp=open", ["answered", "answered"]),
        ("udp=53", ["answered", "silence"]),
        ("udp=blocked", ["silence", "silence"]),
        ("udp=53 blocked=prohibited", ["answered", "EHOSTUNREACH"]),
        ("udp=53 blocked=unreachable", ["answered", "ECONNREFUSED"]),
    ],
)
def test_udp_passes_to_the_ports_that_were_set(udp: str, outcomes: list[str]) -> None:
    assert [seen(f"eim/apdf {udp}", "passes", port) for port in ("53", "7001")] == outcomes


@pytest.mark.parametrize(
    ("tcp", "outcomes"),
    [
        ("tcp=open", [True, True]),
        ("tcp=443", [True, "silence"]),
        ("tcp=blocked", ["silence", "silence"]),
        ("tcp=443 blocked=prohibited", [True, "EHOSTUNREACH"]),
        ("tcp=443 blocked=unreachable", [True, "ECONNREFUSED"]),
    ],
)
def test_tcp_passes_to_the_ports_that_were_set(tcp: str, outcomes: list[Any]) -> None:
    found = [seen(f"eim/apdf {tcp}", "connects", port) for port in ("443", "80")]
    assert [one if isinstance(one, str) else True for one in found] == outcomes


def test_tcp_and_udp_have_the_same_public_address() -> None:
    for nat in ("symmetric", "cgnat"):
        ((_, _),) = seen(nat, "ports", "1")
        assert seen(nat, "connects", "80")[0] in {f"203.0.113.{host}" for host in range(130, 134)}
    assert seen("symmetric", "connects", "80")[0] == "203.0.113.130"


@pytest.mark.parametrize(("icmp", "answer"), [("open", "echo"), ("blocked", "silence")])
def test_pings_pass_unless_icmp_is_blocked(icmp: str, answer: str) -> None:
    assert json.loads(behind(f"eim/apdf icmp={icmp}", *asking(PEER, "ping", SERVER))) == answer


@pytest.mark.parametrize(("fragments", "arrived"), [("open", 3000), ("blocked", "silence")])
def test_fragments_pass_unless_they_are_blocked(fragments: str, arrived: Any) -> None:
    assert seen(f"eim/apdf fragments={fragments}", "fragmented", "3000") == arrived


def test_what_is_larger_than_the_mtu_is_cut_or_refused_or_vanishes() -> None:
    assert seen("eim/apdf", "large", "1200") == 1200
    assert seen("eim/apdf mtu=1000", "fragmented", "1200") == 1200
    assert seen("eim/apdf mtu=1000 fragments=blocked", "fragmented", "900") == 900
    assert seen("eim/apdf mtu=1000", "large", "1200") == "EMSGSIZE"
    assert seen("eim/apdf mtu=1000 icmp=blocked", "large", "1200") == "silence"


@pytest.mark.parametrize("alg", ["yes", "no"])
def test_an_alg_rewrites_addresses_in_payloads(alg: str) -> None:
    own, said = seen(f"eim/apdf alg={alg}", "own_address")
    address = "203.0.113.130" if alg == "yes" else own
    assert bytes(map(int, address.split("."))).hex() in said


def test_every_layer_says_that_a_packet_has_no_hop_left() -> None:
    assert seen(["home-router", "cgnat"], "hops")[:2] == ["192.168.1.1", "100.64.1.1"]
    assert seen(["none", "eim/apdf", "firewall"], "hops") == ["192.168.1.1", "10.101.1.1", "203.0.113.129"]
    assert seen(["firewall", "none"], "hops") == ["203.0.113.129", "192.0.2.101"]
    assert seen("home-router icmp=blocked", "hops") == []


def test_a_restart_changes_the_port_and_without_one_it_stays() -> None:
    one, other = seen("eim/apdf port=random restart=500ms", "changes", "600")
    assert one != other
    one, other = seen("eim/apdf port=random", "changes", "600")
    assert one == other


def lost(arrived: list[int], count: int) -> list[int]:
    """Return the lengths of the gaps."""
    there = set(arrived)
    return [len(list(run)) for gone, run in groupby(range(count), lambda number: number not in there) if gone]


@pytest.mark.parametrize(("flags", "burst"), [("up-loss=20%", 1.25), ("up-loss=20% burst=5", 5), ("loss=20%", 1.25)])
def test_as_many_are_lost_as_was_set_and_in_gaps_as_long(flags: str, burst: float) -> None:
    gaps = lost(seen(f"eim/apdf {flags}", "flood", "2000"), 2000)
    assert 0.16 < sum(gaps) / 2000 < 0.24
    assert mean(gaps) == pytest.approx(burst, rel=0.3)


def test_a_loss_on_the_way_down_is_none_on_the_way_up() -> None:
    assert lost(seen("eim/apdf down-loss=40%", "flood", "500"), 500) == []


def test_as_many_are_doubled_and_as_many_overtaken_as_was_set() -> None:
    arrived = seen("eim/apdf up-duplicate=20%", "flood", "1000")
    assert 1160 < len(arrived) < 1240
    assert len(set(arrived)) == 1000
    arrived = seen("eim/apdf up-reorder=20% hold=10ms", "flood", "1000")
    late = sum(number < max(arrived[:at], default=-1) for at, number in enumerate(arrived))
    assert 140 < late < 260
    assert seen("eim/apdf jitter=10ms", "flood", "300") == list(range(300))


def test_jitter_spreads_round_trips_around_the_delay() -> None:
    echo = ("--internet", f"{sys.executable} -S {PEER} echo {SERVER}")
    times = asking(PEER, "times", SERVER, "60", "10")
    took = json.loads(behind("eim/apdf delay=40ms jitter=20ms", *times, options=echo))
    assert min(took) < 75
    assert max(took) > 85
    assert min(took) >= 40


@pytest.mark.parametrize(
    ("v6", "answer"), [("firewall", "echo"), ("nat66", "echo"), ("prefix", "echo"), ("blocked", "silence")]
)
def test_ipv6_passes_unless_it_is_blocked(v6: str, answer: str) -> None:
    assert json.loads(behind(f"eim/apdf v6={v6}", *asking(PEER, "ping", "2001:db8::10"))) == answer
