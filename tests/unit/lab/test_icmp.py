"""ICMP: echoes are translated, errors find who they are about (RFC 5508), and routers send their own."""

from collections.abc import Callable

import pytest

from rtcdiag.lab.middlebox import Side
from support.middleboxes import (
    EXTERNAL,
    HOST,
    HOST6,
    ICMP,
    ICMP6,
    OTHER_HOST,
    OTHER_SERVER,
    SERVER,
    SERVER6,
    Box,
    End,
    Seen,
    echo,
    icmp,
    ip,
    read,
    tcp,
    udp,
)

A, HERE = (SERVER, 3478), (HOST, 50000)
PORT_UNREACHABLE = (3, 3)
Maker = Callable[[End, End, bytes], bytes]


def identifier(seen: Seen) -> int:
    return int.from_bytes(seen.payload[4:6])


def quoted(seen: Seen) -> Seen:
    return read(seen.payload[8:], quoted=True)


def test_an_echo_and_its_reply_cross() -> None:
    box = Box("eim/apdf")
    asked = box.out(echo(HOST, SERVER, 77))
    assert asked is not None
    assert (asked.source[0], identifier(asked)) == (EXTERNAL, 77)
    answered = box.into(echo(SERVER, EXTERNAL, 77, reply=True))
    assert answered is not None
    assert (answered.destination[0], identifier(answered)) == (HOST, 77)


def test_two_hosts_with_one_identifier_get_their_own_replies() -> None:
    box = Box("eim/apdf port=sequential")
    box.out(echo(HOST, SERVER, 77))
    other = box.out(echo(OTHER_HOST, SERVER, 77))
    assert other is not None
    assert identifier(other) != 77
    answered = box.into(echo(SERVER, EXTERNAL, identifier(other), reply=True))
    assert answered is not None
    assert (answered.destination[0], identifier(answered)) == (OTHER_HOST, 77)


def test_an_echo_from_outside_and_a_reply_to_nothing_do_not_get_in() -> None:
    box = Box("eim/eif")
    box.out(echo(HOST, SERVER, 77))
    assert box.into(echo(SERVER, EXTERNAL, 77)) is None
    assert box.into(echo(OTHER_SERVER, EXTERNAL, 77, reply=True)) is None
    assert box.into(echo(SERVER, EXTERNAL, 78, reply=True)) is None
    assert box.out(echo(HOST, SERVER, 77, reply=True)) is None


@pytest.mark.parametrize("make", [udp, tcp])
@pytest.mark.parametrize("spec", ["eim/apdf port=random", "apdm/apdf port=random", "firewall"])
def test_an_error_about_what_went_out_reaches_its_sender_with_the_quoted_packet_as_it_was_sent(
    spec: str, make: Maker
) -> None:
    box = Box(spec)
    sent = box.out(make(HERE, A, b"data"))
    assert sent is not None
    error = box.into(icmp(OTHER_SERVER, sent.source[0], PORT_UNREACHABLE, 0, sent.data))
    assert error is not None
    assert (error.source[0], error.destination[0], error.payload[:2]) == (OTHER_SERVER, HOST, bytes(PORT_UNREACHABLE))
    inner = quoted(error)
    assert (inner.source, inner.destination, inner.payload) == (HERE, A, b"data")


def test_an_error_that_quotes_eight_bytes_of_the_transport_is_enough() -> None:
    box = Box("eim/apdf port=random")
    sent = box.out(tcp(HERE, A, b"data"))
    assert sent is not None
    error = box.into(icmp(SERVER, EXTERNAL, PORT_UNREACHABLE, 0, sent.data[:28]))
    assert error is not None
    assert (quoted(error).source, quoted(error).destination) == (HERE, A)
    assert box.into(icmp(SERVER, EXTERNAL, PORT_UNREACHABLE, 0, sent.data[:27])) is None


def test_the_transport_checksum_in_a_quoted_packet_is_right_again() -> None:
    box = Box("eim/apdf port=random")
    packet = udp(HERE, A, b"data")
    sent = box.out(packet)
    assert sent is not None
    error = box.into(icmp(SERVER, EXTERNAL, PORT_UNREACHABLE, 0, sent.data))
    assert error is not None
    assert error.payload[8 + 20 :] == packet[20:]


@pytest.mark.parametrize(
    "about",
    [
        udp((EXTERNAL, 50001), A),  # no mapping
        udp((EXTERNAL, 50000), (OTHER_SERVER, 3478)),  # nothing was sent there
        tcp((EXTERNAL, 50000), A),  # another protocol
        ip(EXTERNAL, SERVER, 47, b"\0" * 8),
        icmp(EXTERNAL, SERVER, PORT_UNREACHABLE, 0),
        udp((EXTERNAL, 50000), A, field=0x4001),  # a later fragment
        udp((HOST6, 50000), (SERVER6, 3478)),
        b"",
        b"\x45",
    ],
)
def test_an_error_about_nothing_that_went_out_is_dropped(about: bytes) -> None:
    box = Box("eim/apdf")
    box.mapped(HERE, A)
    assert box.into(icmp(SERVER, EXTERNAL, PORT_UNREACHABLE, 0, about)) is None


def test_an_error_to_another_address_than_the_mapped_one_is_dropped() -> None:
    box = Box("eim/apdf pool=2")
    sent = box.out(udp(HERE, A))
    assert sent is not None
    elsewhere = "203.0.113.2" if sent.source[0] == EXTERNAL else EXTERNAL
    assert box.into(icmp(SERVER, elsewhere, PORT_UNREACHABLE, 0, sent.data)) is None


def test_a_closed_port_inside_is_told_to_the_outside() -> None:
    box = Box("eim/apdf port=random")
    mapped = box.mapped(HERE, A)
    received = box.into(udp(A, mapped))
    assert received is not None
    error = box.out(icmp(HOST, SERVER, PORT_UNREACHABLE, 0, received.data))
    assert error is not None
    assert (error.source[0], error.destination[0]) == (EXTERNAL, SERVER)
    assert (quoted(error).source, quoted(error).destination) == (A, mapped)
    assert box.out(icmp(OTHER_HOST, SERVER, PORT_UNREACHABLE, 0, udp(A, (OTHER_HOST, 1)))) is None


def test_an_error_does_not_end_a_mapping() -> None:
    box = Box("eim/apdf")
    sent = box.out(udp(HERE, A))
    assert sent is not None
    box.into(icmp(SERVER, EXTERNAL, PORT_UNREACHABLE, 0, sent.data))
    assert box.accepts(A, sent.source)


def test_errors_of_ipv6_cross_a_firewall_and_a_nat() -> None:
    for spec in ("firewall", "eim/apdf port=random v6=nat66", "eim/apdf v6=prefix"):
        box = Box(spec)
        sent = box.out(udp((HOST6, 5000), (SERVER6, 3478), b"data"))
        assert sent is not None
        error = box.into(icmp(SERVER6, sent.source[0], (1, 4), 0, sent.data))
        assert error is not None
        assert error.destination[0] == HOST6
        assert quoted(error).source == (HOST6, 5000)


def test_blocked_icmp_drops_echoes_and_errors() -> None:
    box = Box("eim/apdf icmp=blocked")
    sent = box.out(udp(HERE, A))
    assert sent is not None
    assert box.out(echo(HOST, SERVER, 1)) is None
    assert box.into(icmp(SERVER, EXTERNAL, PORT_UNREACHABLE, 0, sent.data)) is None
    assert box.emissions(Side.INSIDE, udp(HERE, A, hops=1)) == []


@pytest.mark.parametrize("spec", ["eim/apdf", "none"])
def test_a_packet_whose_hops_are_used_up_is_told_to_its_sender(spec: str) -> None:
    box = Box(spec)
    packet = udp(HERE, A, hops=1)
    error = box.back(Side.INSIDE, packet)
    assert error is not None
    assert (error.source[0], error.destination[0], error.protocol) == ("192.168.1.1", HOST, ICMP)
    assert error.payload == b"\x0b\0" + error.payload[2:4] + bytes(4) + packet
    told = box.back(Side.INSIDE, udp((HOST6, 1), (SERVER6, 2), hops=1))
    assert told is not None
    assert (told.source[0], told.payload[0], told.protocol) == ("2001:db8:1::1", 3, ICMP6)


def test_no_error_is_sent_about_an_error() -> None:
    box = Box("none")
    about = icmp(HOST, SERVER, PORT_UNREACHABLE, 0, udp(A, HERE))
    expired = about[:8] + b"\1" + about[9:]
    assert box.emissions(Side.INSIDE, expired) == []
