"""IPv6 with a firewall and with NAT66, blocked protocols and ports, and a gateway that rewrites payloads."""

import struct
from ipaddress import ip_address

import pytest

from rtcdiag.lab.middlebox import Side
from rtcdiag.lab.spec import Addresses
from support.middleboxes import (
    ADDRESSES,
    EXTERNAL,
    HOST,
    HOST6,
    OTHER_SERVER,
    SERVER,
    SERVER6,
    UDP,
    Box,
    End,
    echo,
    icmp,
    ip,
    sealed,
    tcp,
    udp,
)

A, HERE = (SERVER, 3478), (HOST, 50000)
A6, HERE6 = (SERVER6, 3478), (HOST6, 50000)


@pytest.mark.parametrize("spec", ["eim/eif", "apdm/apdf", "firewall", "eim/apdf v6=firewall"])
def test_ipv6_has_a_stateful_firewall_and_no_translation_by_default(spec: str) -> None:
    box = Box(spec)
    assert not box.accepts(A6, HERE6)
    assert box.mapped(HERE6, A6) == HERE6
    assert box.accepts(A6, HERE6)


def test_ipv6_is_open_where_said() -> None:
    assert Box("eim/apdf v6=none").accepts(A6, HERE6)


def test_ipv6_is_blocked_where_said_and_ipv4_is_not() -> None:
    box = Box("eim/apdf v6=blocked")
    assert box.out(udp(HERE6, A6)) is None
    assert box.out(echo(HOST6, SERVER6, 1)) is None
    assert box.out(udp(HERE, A)) is not None


def test_without_an_ipv6_network_inside_none_is_forwarded() -> None:
    box = Box("none", addresses=Addresses(inside=ADDRESSES.inside))
    assert box.out(udp(HERE6, A6)) is None


def test_nat66_maps_and_filters_as_ipv4_does() -> None:
    box = Box("apdm/apdf port=random v6=nat66")
    first, second = box.mapped(HERE6, A6), box.mapped(HERE6, (SERVER6, 3479))
    assert first[0] == second[0] == "2001:db8:2::1"
    assert first != second
    assert box.accepts(A6, first)
    assert not box.accepts(A6, second)
    asked = box.out(echo(HOST6, SERVER6, 7))
    assert asked is not None
    assert box.into(echo(SERVER6, asked.source[0], 7, reply=True)) is not None


def test_prefix_translation_keeps_host_and_port() -> None:
    box = Box("apdm/apdf v6=prefix")
    assert box.mapped(HERE6, A6) == ("2001:db8:2::4", 50000)
    seen = box.into(udp(A6, ("2001:db8:2::4", 50000)))
    assert seen is not None
    assert seen.destination == HERE6
    opened = box.out(tcp(HERE6, A6))
    assert opened is not None
    assert opened.source == ("2001:db8:2::4", 50000)


@pytest.mark.parametrize("destination", ["ff02::1", "fe80::1", "::1", "::"])
def test_what_belongs_to_one_link_or_host_is_not_forwarded(destination: str) -> None:
    assert Box("none").out(icmp(HOST6, destination, (128, 0), 1)) is None


def test_the_transport_behind_extension_headers_is_found() -> None:
    datagram = sealed(HOST6, SERVER6, UDP, struct.pack("!HHHH", 1, 2, 8, 0))
    options = struct.pack("!BBHI", UDP, 0, 0x0104, 0)
    packet = ip(HOST6, SERVER6, 60, options + datagram)
    (emission,) = Box("eim/eif v6=nat66 port=random").emissions(Side.INSIDE, packet)
    rewritten = emission.packet[48:]
    assert rewritten == sealed("2001:db8:2::1", SERVER6, UDP, rewritten)
    assert rewritten[:2] != b"\0\1"


def test_neighbor_discovery_is_not_forwarded_by_a_firewall() -> None:
    assert Box("firewall").out(icmp(HOST6, SERVER6, (135, 0), 0)) is None
    assert Box("none").out(icmp(HOST6, SERVER6, (135, 0), 0)) is not None


@pytest.mark.parametrize(("here", "there"), [(HERE, A), (HERE6, A6)])
def test_blocked_udp_lets_neither_side_through_while_tcp_passes(here: End, there: End) -> None:
    box = Box("eim/eif udp=blocked")
    assert box.out(udp(here, there)) is None
    assert box.out(tcp(here, there)) is not None


@pytest.mark.parametrize("spec", ["eim/eif udp=53,443", "none udp=53,443"])
def test_only_the_ports_named_pass_in_both_directions(spec: str) -> None:
    box = Box(spec)
    assert box.out(udp(HERE, (SERVER, 3478))) is None
    mapped = box.mapped(HERE, (SERVER, 443))
    assert box.accepts((OTHER_SERVER, 443), mapped)
    assert not box.accepts((SERVER, 3478), mapped)


def test_blocked_tcp_passes_udp_and_named_ports_pass() -> None:
    assert Box("eim/eif tcp=blocked").out(tcp(HERE, A)) is None
    assert Box("eim/eif tcp=blocked").out(udp(HERE, A)) is not None
    assert Box("eim/eif tcp=443").out(tcp(HERE, (SERVER, 443))) is not None
    assert Box("eim/eif tcp=443").out(tcp(HERE, (SERVER, 80))) is None


def test_what_is_blocked_makes_no_mapping() -> None:
    box = Box("eim/eif udp=443")
    assert box.out(udp(HERE, (SERVER, 80))) is None
    assert not box.accepts((SERVER, 443), (EXTERNAL, 50000))


def test_a_gateway_rewrites_addresses_in_payloads_and_leaves_hidden_ones_alone() -> None:
    box = Box("eim/eif alg=yes")
    external, inside = ip_address(EXTERNAL).packed, ip_address(HOST).packed
    hidden = bytes(one ^ other for one, other in zip(external, b"\x21\x12\xa4\x42", strict=True))
    mapped = box.mapped(HERE, A)
    answer = box.into(udp(A, mapped, b"mapped" + external + hidden))
    assert answer is not None
    assert answer.payload == b"mapped" + inside + hidden
    asked = box.out(udp(HERE, A, b"I am " + inside))
    assert asked is not None
    assert asked.payload == b"I am " + external


def test_a_gateway_leaves_tcp_and_ipv6_alone() -> None:
    box = Box("eim/eif alg=yes v6=nat66")
    seen = box.out(tcp(HERE, A, ip_address(HOST).packed))
    assert seen is not None
    assert seen.payload == ip_address(HOST).packed
    seen = box.out(udp(HERE6, A6, ip_address(HOST6).packed))
    assert seen is not None
    assert seen.payload == ip_address(HOST6).packed


def test_payloads_are_left_alone_by_default() -> None:
    box = Box("eim/eif")
    mapped = box.mapped(HERE, A)
    answer = box.into(udp(A, mapped, ip_address(EXTERNAL).packed))
    assert answer is not None
    assert answer.payload == ip_address(EXTERNAL).packed
