"""The file of packets: what goes in comes out, read by a parser that is not the writer's."""

import struct
from ipaddress import ip_address

import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.lab.packet import parse
from rtcdiag.net import capture
from rtcdiag.net.capture import Capture
from support.pcapng import packets

HERE, THERE = TransportAddress(ip_address("192.0.2.1"), 4000), TransportAddress(ip_address("203.0.113.1"), 3478)
HERE6, THERE6 = TransportAddress(ip_address("2001:db8::1"), 4000), TransportAddress(ip_address("2001:db8::2"), 3478)
NOON_S = 1_700_000_000.25


@pytest.mark.parametrize(("source", "destination"), [(HERE, THERE), (HERE6, THERE6)])
def test_a_datagram_keeps_its_ends_its_time_and_its_bytes(
    source: TransportAddress, destination: TransportAddress
) -> None:
    written = Capture()
    written.add(NOON_S, "udp", source, destination, b"odd")
    ((interface, at_s, data),) = packets(written.content())
    packet = parse(data)
    assert packet is not None
    assert (interface, packet.protocol, data[packet.start + 8 :]) == (0, 17, b"odd")
    assert at_s == pytest.approx(NOON_S, abs=1e-6)
    assert (packet.source, packet.destination) == (
        (source.ip.packed, source.port),
        (destination.ip.packed, destination.port),
    )


def test_a_datagram_over_ipv6_has_a_right_checksum() -> None:
    written = Capture()
    written.add(NOON_S, "udp", HERE6, THERE6, b"odd")
    ((_, _, data),) = packets(written.content())
    covered = data[8:40] + struct.pack("!II", len(data) - 40, 17) + data[40:] + b"\0"
    assert sum(struct.unpack(f"!{len(covered) // 2}H", covered)) % 0xFFFF == 0


def test_the_parts_of_a_stream_follow_each_other_in_each_direction() -> None:
    written = Capture()
    written.add(NOON_S, "tcp", HERE, THERE, b"12345")
    written.add(NOON_S, "tcp", THERE, HERE, b"abc")
    written.add(NOON_S, "tcp", HERE, THERE, b"6")
    numbers = [struct.unpack_from("!II", data, 24) for _, _, data in packets(written.content())]
    assert numbers == [(1, 1), (1, 6), (6, 4)]


def test_what_is_longer_than_an_ip_packet_becomes_several() -> None:
    written = Capture()
    written.add(NOON_S, "tcp", HERE, THERE, bytes(70_000))
    sizes = [len(data) - 40 for _, _, data in packets(written.content())]
    assert sum(sizes) == 70_000
    assert max(sizes) < 65_535


def test_what_was_inside_tls_is_marked_as_stun_over_a_stream() -> None:
    written = Capture()
    written.add(NOON_S, "tls", HERE, THERE, b"inside")
    ((interface, _, data),) = packets(written.content())
    assert interface == 1
    assert data.endswith(b"inside")
    assert b"stun-tcp" in data


def test_a_full_file_counts_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "MOST_BYTES", 300)
    written = Capture()
    for _ in range(3):
        written.add(NOON_S, "udp", HERE, THERE, bytes(100))
    assert (len(list(packets(written.content()))), written.dropped) == (1, 2)
