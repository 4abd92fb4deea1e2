"""Hairpinning: two hosts behind the same NAT who know each other's mapped endpoint (RFC 4787 section 6)."""

import pytest

from rtcdiag.lab.middlebox import Side
from support.middleboxes import HOST, OTHER_HOST, SERVER, Box, End, Seen, icmp, read, tcp, udp

A = (SERVER, 3478)
ONE, OTHER = (HOST, 5000), (OTHER_HOST, 6000)


def turned(box: Box, source: End, mapped: End) -> Seen:
    seen = box.back(Side.INSIDE, udp(source, mapped))
    assert seen is not None
    return seen


def is_dropped(box: Box, source: End, mapped: End) -> bool:
    return box.emissions(Side.INSIDE, udp(source, mapped)) == []


@pytest.mark.parametrize("pool", [1, 4])
def test_the_receiver_sees_the_external_source_where_the_nat_says_so(pool: int) -> None:
    box = Box(f"eim/eif hairpin=external pool={pool}")
    one, other = box.mapped(ONE, A), box.mapped(OTHER, A)
    seen = turned(box, ONE, other)
    assert (seen.source, seen.destination) == (one, OTHER)


def test_the_receiver_sees_the_internal_source_where_the_nat_says_so() -> None:
    box = Box("eim/eif hairpin=internal")
    seen = turned(box, ONE, box.mapped(OTHER, A))
    assert (seen.source, seen.destination) == (ONE, OTHER)


def test_without_hairpinning_nothing_turns_back() -> None:
    box = Box("eim/eif hairpin=none")
    assert is_dropped(box, ONE, box.mapped(OTHER, A))


def test_a_socket_can_reach_itself() -> None:
    box = Box("eim/eif hairpin=external")
    mapped = box.mapped(ONE, A)
    seen = turned(box, ONE, mapped)
    assert (seen.source, seen.destination) == (mapped, ONE)


@pytest.mark.parametrize("mode", ["internal", "external"])
def test_the_filter_holds_for_those_inside_too(mode: str) -> None:
    box = Box(f"eim/apdf hairpin={mode}")
    one, other = box.mapped(ONE, A), box.mapped(OTHER, A)
    assert is_dropped(box, ONE, other)
    assert not is_dropped(box, OTHER, one)  # one has sent to other by now
    assert not is_dropped(box, ONE, other)


@pytest.mark.parametrize("behavior", ["eim/eif", "eim/apdf", "apdm/eif"])
def test_an_error_about_what_turned_back_turns_back_to_its_sender(behavior: str) -> None:
    box = Box(f"{behavior} hairpin=external port=random")
    one, other = box.mapped(ONE, A), box.mapped(OTHER, A)
    box.emissions(Side.INSIDE, udp(OTHER, one))
    seen = turned(box, ONE, other)
    error = box.back(Side.INSIDE, icmp(OTHER_HOST, seen.source[0], (3, 3), 0, seen.data))
    assert error is not None
    assert (error.source[0], error.destination[0]) == (other[0], HOST)
    about = read(error.payload[8:], quoted=True)
    assert (about.source, about.destination) == (ONE, other)


def test_an_error_about_what_did_not_turn_back_goes_nowhere() -> None:
    box = Box("eim/eif hairpin=external")
    one, other = box.mapped(ONE, A), box.mapped(OTHER, A)
    for source in ((one[0], 9), (SERVER, 9)):
        about = udp(source, OTHER)
        assert box.emissions(Side.INSIDE, icmp(OTHER_HOST, other[0], (3, 3), 0, about)) == []
    for hairpin in ("none", "internal"):
        box = Box(f"eim/eif hairpin={hairpin}")
        one, _ = box.mapped(ONE, A), box.mapped(OTHER, A)
        assert box.emissions(Side.INSIDE, icmp(OTHER_HOST, one[0], (3, 3), 0, udp(one, OTHER))) == []


def test_nobody_is_behind_a_port_that_is_not_mapped() -> None:
    box = Box("eim/eif hairpin=external")
    one = box.mapped(ONE, A)
    assert is_dropped(box, ONE, (one[0], 6000))


def test_a_symmetric_nat_shows_the_receiver_yet_another_port() -> None:
    box = Box("apdm/eif hairpin=external port=random")
    one, other = box.mapped(ONE, A), box.mapped(OTHER, A)
    assert turned(box, ONE, other).source != one


def test_hairpinning_needs_a_port_for_the_sender() -> None:
    box = Box("apdm/eif hairpin=external port=random ports=7000-7001")
    box.mapped(ONE, A)
    other = box.mapped(OTHER, A)
    assert is_dropped(box, ONE, other)


def test_tcp_turns_back_when_both_connect() -> None:
    box = Box("eim/eif hairpin=external")
    one, other = box.out(tcp(ONE, A)), box.out(tcp(OTHER, A))
    assert one is not None
    assert other is not None
    assert box.back(Side.INSIDE, tcp(ONE, other.source)) is None
    assert box.back(Side.INSIDE, tcp(OTHER, one.source)) is not None
