"""The nine behaviors, packet by packet against the definitions of RFC 4787 sections 4.1 and 5."""

import pytest

from rtcdiag.lab.middlebox import Side
from support.middleboxes import EXTERNAL, HOST, OTHER_HOST, OTHER_SERVER, SERVER, Box, ip, tcp, udp

A, A_OTHER_PORT, B = (SERVER, 3478), (SERVER, 3479), (OTHER_SERVER, 3478)
HERE = (HOST, 50000)
MAPPINGS = ("eim", "adm", "apdm")
FILTERINGS = ("eif", "adf", "apdf")
NINE = [f"{mapping}/{filtering}" for mapping in MAPPINGS for filtering in FILTERINGS]
ASSIGNMENTS = ("preserving", "random", "sequential", "block")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
@pytest.mark.parametrize("spec", NINE)
def test_a_mapping_is_used_again_for_as_much_of_the_remote_endpoint_as_its_behavior_says(
    spec: str, assignment: str
) -> None:
    box = Box(f"{spec} port={assignment}")
    first, other_port, other_address = (box.mapped(HERE, remote) for remote in (A, A_OTHER_PORT, B))
    mapping = spec.partition("/")[0]
    assert (other_port == first) == (mapping in {"eim", "adm"})
    assert (other_address == first) == (mapping == "eim")
    assert [box.mapped(HERE, remote) for remote in (A, A_OTHER_PORT, B)] == [first, other_port, other_address]


@pytest.mark.parametrize("spec", NINE)
def test_a_filter_lets_in_as_much_of_the_remote_endpoint_as_its_behavior_says(spec: str) -> None:
    box = Box(spec)
    mapped = box.mapped(HERE, A)
    filtering = spec.partition("/")[2]
    assert box.accepts(A, mapped)
    assert box.accepts(A_OTHER_PORT, mapped) == (filtering in {"eif", "adf"})
    assert box.accepts(B, mapped) == (filtering == "eif")


@pytest.mark.parametrize("spec", NINE)
def test_what_was_let_in_does_not_open_the_filter_further(spec: str) -> None:
    box = Box(f"{spec} refresh=both")
    mapped = box.mapped(HERE, A)
    before = [box.accepts(remote, mapped) for remote in (A_OTHER_PORT, B)]
    assert [box.accepts(remote, mapped) for remote in (A_OTHER_PORT, B)] == before


@pytest.mark.parametrize("spec", NINE)
def test_two_endpoints_inside_never_share_one_outside(spec: str) -> None:
    box = Box(spec)
    endpoints = [HERE, (HOST, 50001), (OTHER_HOST, 50000)]
    assert len({box.mapped(endpoint, A) for endpoint in endpoints}) == 3


@pytest.mark.parametrize("spec", NINE)
def test_an_answer_reaches_the_endpoint_that_asked_with_everything_else_as_it_was(spec: str) -> None:
    box = Box(spec)
    asked = box.out(udp(HERE, A, b"question"))
    assert asked is not None
    assert (asked.source[0], asked.destination, asked.payload, asked.hops) == (EXTERNAL, A, b"question", 63)
    answered = box.into(udp(A, asked.source, b"answer"))
    assert answered is not None
    assert (answered.source, answered.destination, answered.payload, answered.hops) == (A, HERE, b"answer", 63)


@pytest.mark.parametrize("spec", [*NINE, "firewall/eif", "firewall/adf", "firewall/apdf"])
def test_nobody_gets_in_before_something_went_out(spec: str) -> None:
    box = Box(spec)
    assert not any(box.accepts(A, (address, 50000)) for address in (HOST, EXTERNAL))


def test_opening_one_mapping_does_not_let_its_remote_into_another() -> None:
    box = Box("apdm/apdf")
    to_a, to_b = box.mapped(HERE, A), box.mapped(HERE, B)
    assert box.accepts(A, to_a)
    assert not box.accepts(A, to_b)


def test_a_udp_checksum_that_was_left_out_stays_out() -> None:
    packet = bytearray(udp(HERE, A))
    packet[26:28] = bytes(2)
    (emission,) = Box("eim/eif").emissions(Side.INSIDE, bytes(packet))
    assert emission.packet[26:28] == bytes(2)


def test_a_broken_checksum_stays_broken() -> None:
    packet = bytearray(udp(HERE, A))
    packet[-1] ^= 1
    with pytest.raises(AssertionError):
        Box("eim/eif").out(bytes(packet))


@pytest.mark.parametrize("filtering", FILTERINGS)
def test_a_firewall_filters_as_a_nat_does_and_changes_no_address(filtering: str) -> None:
    box = Box(f"firewall/{filtering}")
    assert box.mapped(HERE, A) == HERE
    accepted = [box.accepts(remote, HERE) for remote in (A, A_OTHER_PORT, B)]
    assert accepted == [True, filtering != "apdf", filtering == "eif"]


def test_a_firewall_has_no_mapping_behavior() -> None:
    box = Box("firewall mapping=apdm")
    assert [box.mapped(HERE, remote) for remote in (A, B)] == [HERE, HERE]
    assert [box.accepts(remote, HERE) for remote in (A, B)] == [True, True]


def test_a_router_lets_everything_through_that_belongs_on_the_other_side() -> None:
    box = Box("none")
    assert box.accepts(B, HERE)
    assert box.mapped(HERE, A) == HERE
    assert box.out(udp(HERE, (OTHER_HOST, 1))) is None
    assert box.into(udp(B, (EXTERNAL, 1))) is None


@pytest.mark.parametrize("spec", [*NINE, "firewall", "none"])
def test_what_is_on_the_wrong_side_or_would_stay_on_its_side_is_dropped(spec: str) -> None:
    box = Box(spec)
    box.mapped(HERE, A)
    assert box.out(udp(A, B)) is None
    assert box.into(udp((OTHER_HOST, 1), HERE)) is None
    assert box.out(udp(HERE, (OTHER_HOST, 1))) is None


@pytest.mark.parametrize("address", ["224.0.0.1", "255.255.255.255", "127.0.0.1", "169.254.1.1", "0.0.0.0"])
def test_what_belongs_to_one_link_or_host_is_not_forwarded(address: str) -> None:
    assert Box("none").out(udp(HERE, (address, 5353))) is None
    assert Box("eim/eif").out(udp(HERE, (address, 5353))) is None


@pytest.mark.parametrize("spec", NINE)
def test_tcp_has_one_mapping_at_the_same_address_and_lets_in_only_who_was_connected_to(spec: str) -> None:
    box = Box(spec)
    first, second = box.out(tcp(HERE, A, b"GET")), box.out(tcp(HERE, B))
    assert first is not None
    assert second is not None
    assert first.source == second.source
    assert (first.source[0], first.payload) == (box.mapped(HERE, A)[0], b"GET")
    back = box.into(tcp(A, first.source, b"OK"))
    assert back is not None
    assert (back.destination, back.payload) == (HERE, b"OK")
    assert box.into(tcp(A_OTHER_PORT, first.source)) is None


def test_tcp_and_udp_have_ports_of_their_own() -> None:
    box = Box("eim/eif")
    assert box.mapped(HERE, A) == (EXTERNAL, 50000)
    opened = box.out(tcp((OTHER_HOST, 50000), A))
    assert opened is not None
    assert opened.source == (EXTERNAL, 50000)


def test_a_protocol_without_ports_crosses_a_router_only() -> None:
    packet = ip(HOST, SERVER, 47, b"\0" * 8)
    for spec, crossed in (("none", True), ("eim/eif", False), ("firewall", False)):
        assert (Box(spec).out(packet) is not None) == crossed
