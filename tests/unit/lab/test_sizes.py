"""MTU and fragments: refused, cut up, or sent where the first one went."""

import struct

import pytest

from rtcdiag.lab.middlebox import Side
from support.middleboxes import EXTERNAL, HOST, HOST6, SERVER, SERVER6, UDP, Box, End, Seen, icmp, ip, read, sealed, udp

A, HERE = (SERVER, 3478), (HOST, 50000)
MORE = 0x2000


def transport(source: End, destination: End, payload: bytes) -> bytes:
    head = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0)
    return sealed(source[0], destination[0], UDP, head + payload)


def in_two(source: End, destination: End, *, mark: int = 9) -> tuple[bytes, bytes]:
    """A datagram in two fragments of IPv4, the second of which has no ports."""
    whole = transport(source, destination, bytes(range(32)))
    ends = source[0], destination[0], UDP
    return ip(*ends, whole[:16], field=MORE, mark=mark), ip(*ends, whole[16:], field=2, mark=mark)


def in_two6(source: End, destination: End) -> list[bytes]:
    whole = transport(source, destination, bytes(range(32)))
    return [
        ip(source[0], destination[0], 44, struct.pack("!BBHI", UDP, 0, field, 99) + part)
        for field, part in ((1, whole[:16]), (16, whole[16:]))
    ]


def joined(packets: list[bytes]) -> Seen:
    """The datagram that these fragments of IPv4 make, its checksum checked."""
    parts = sorted((int.from_bytes(data[6:8]) & 0x1FFF, data) for data in packets)
    body = b"".join(data[20:] for _, data in parts)
    first = read(parts[0][1])
    assert [offset * 8 for offset, _ in parts] == [sum(len(d) - 20 for _, d in parts[:i]) for i in range(len(parts))]
    assert [bool(data[6] & 0x20) for _, data in parts] == [True] * (len(parts) - 1) + [False]
    return read(ip(first.source[0], first.destination[0], UDP, body))


def test_what_is_too_big_is_refused_with_the_size_that_fits() -> None:
    box = Box("eim/apdf mtu=1280")
    packet = udp(HERE, A, bytes(1253))
    error = box.back(Side.INSIDE, packet)
    assert error is not None
    assert error.payload[:2] == bytes((3, 4))
    assert int.from_bytes(error.payload[6:8]) == 1280
    assert error.payload[8:] == packet[: 576 - 28]
    assert box.out(udp(HERE, A, bytes(1252))) is not None


def test_what_is_too_big_from_outside_is_refused_by_the_external_address() -> None:
    box = Box("eim/eif mtu=1280")
    mapped = box.mapped(HERE, A)
    error = box.back(Side.OUTSIDE, udp(A, mapped, bytes(1300)))
    assert error is not None
    assert (error.source[0], error.destination[0]) == (EXTERNAL, SERVER)


def test_what_is_too_big_of_ipv6_is_always_refused() -> None:
    error = Box("eim/apdf mtu=1280").back(Side.INSIDE, udp((HOST6, 1), (SERVER6, 2), bytes(1300)))
    assert error is not None
    assert error.payload[0] == 2
    assert int.from_bytes(error.payload[4:8]) == 1280
    assert len(error.data) == 1280


def test_without_icmp_what_is_too_big_vanishes() -> None:
    assert Box("eim/apdf mtu=1280 icmp=blocked").emissions(Side.INSIDE, udp(HERE, A, bytes(1300))) == []


@pytest.mark.parametrize("mtu", [68, 576, 1280])
def test_what_may_be_cut_up_is(mtu: int) -> None:
    payload = bytes(range(256)) * 12
    emissions = Box(f"eim/apdf mtu={mtu}").emissions(Side.INSIDE, udp(HERE, A, payload, field=0))
    assert all(len(emission.packet) <= mtu for emission in emissions)
    whole = joined([emission.packet for emission in emissions])
    assert (whole.source, whole.payload) == ((EXTERNAL, 50000), payload)


def test_a_fragment_that_is_cut_up_again_fits_its_datagram() -> None:
    payload = bytes(range(200))
    whole = transport(HERE, A, payload)
    first = ip(HOST, SERVER, UDP, whole[:104], field=MORE)
    last = ip(HOST, SERVER, UDP, whole[104:], field=13)
    box = Box("eim/apdf mtu=68 port=random")
    pieces = [emission.packet for packet in (first, last) for emission in box.emissions(Side.INSIDE, packet)]
    assert all(len(piece) <= 68 for piece in pieces)
    assert joined(pieces).payload == payload


def test_later_fragments_go_where_the_first_one_went() -> None:
    box = Box("apdm/apdf port=random")
    out = [box.out(fragment) for fragment in in_two(HERE, A)]
    sent = joined([seen.data for seen in out if seen])
    assert (sent.source[0], sent.payload) == (EXTERNAL, bytes(range(32)))
    back = [box.into(fragment) for fragment in in_two(A, sent.source)]
    assert joined([seen.data for seen in back if seen]).destination == HERE


def test_fragments_of_ipv6_go_where_the_first_one_went() -> None:
    box = Box("firewall")
    assert [box.out(fragment) is not None for fragment in in_two6((HOST6, 1), (SERVER6, 2))] == [True, True]


def test_a_later_fragment_without_a_first_one_is_dropped() -> None:
    box = Box("eim/eif")
    box.mapped(HERE, A)
    assert box.out(in_two(HERE, A)[1]) is None


def test_a_first_fragment_is_remembered_for_half_a_minute() -> None:
    box = Box("eim/eif")
    first, last = in_two(HERE, A)
    box.out(first)
    box.now_s = 30
    assert box.out(last) is None


def test_many_first_fragments_push_out_the_oldest() -> None:
    box = Box("eim/eif")
    pairs = [in_two(HERE, A, mark=mark) for mark in range(257)]
    for first, _ in pairs:
        box.out(first)
    assert box.out(pairs[0][1]) is None
    assert box.out(pairs[1][1]) is not None


def test_blocked_fragments_do_not_pass_and_whole_packets_do() -> None:
    box = Box("eim/eif fragments=blocked")
    assert [box.out(fragment) for fragment in in_two(HERE, A)] == [None, None]
    assert box.out(udp(HERE, A)) is not None


def test_the_later_fragments_of_a_port_that_passes_pass_too() -> None:
    assert all(Box("none udp=3478").out(fragment) for fragment in in_two(HERE, A))
    assert not any(Box("none udp=blocked").out(fragment) for fragment in in_two(HERE, A))


def test_no_error_is_sent_about_a_later_fragment() -> None:
    _, last = in_two(HERE, A)
    assert Box("none").emissions(Side.INSIDE, last[:8] + b"\1" + last[9:]) == []


def test_padding_of_the_link_is_taken_off() -> None:
    seen = Box("eim/eif").out(udp(HERE, A, b"x") + bytes(17))
    assert seen is not None
    assert seen.payload == b"x"


def test_an_error_about_a_fragment_reaches_its_sender() -> None:
    box = Box("eim/apdf")
    sent = box.out(in_two(HERE, A)[0])
    assert sent is not None
    assert box.into(icmp(SERVER, EXTERNAL, (3, 4), 1280, sent.data)) is not None
