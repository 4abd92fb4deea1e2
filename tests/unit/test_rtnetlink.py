"""What Linux says of routes: read from its bytes, whatever they are."""

import socket
import struct
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.net import rtnetlink as subject

NAMES = {1: "lo", 2: "eth0", 3: "wg0"}


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bytes]]:
    """Return the messages that the kernel answers with, to be filled."""
    messages: list[tuple[int, bytes]] = []
    monkeypatch.setattr(subject, "_asked", lambda _request, _flags: iter(messages))
    monkeypatch.setattr(subject, "_name", NAMES.get)
    return messages


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def route(*attributes: bytes, bits: int = 0, family: int = socket.AF_INET, kind: int = 1) -> tuple[int, bytes]:
    return 24, struct.pack("=8BI", family, bits, 0, 0, 254, 3, 0, kind, 0) + b"".join(attributes)


def oif(index: int) -> bytes:
    return attribute(4, struct.pack("=I", index))


def test_the_interface_towards_an_address_is_the_one_that_the_kernel_names(kernel: list[tuple[int, bytes]]) -> None:
    kernel.append(route(attribute(1, bytes([203, 0, 113, 9])), oif(3), bits=32))

    assert subject.interface_towards(ip_address("203.0.113.9")) == "wg0"


def test_an_error_of_the_kernel_names_none(kernel: list[tuple[int, bytes]]) -> None:
    kernel.append((2, struct.pack("=i", -101)))

    assert subject.interface_towards(ip_address("203.0.113.9")) is None


def test_routes_are_read_with_their_next_hops_and_without_what_leads_nowhere(kernel: list[tuple[int, bytes]]) -> None:
    hops = b"".join(struct.pack("=HBBI", 16, 0, 0, index) + attribute(5, bytes(4)) for index in (2, 3))
    kernel += [
        route(oif(2)),
        route(attribute(1, bytes([128, 0, 0, 0])), oif(3), bits=1),
        route(attribute(9, hops)),
        route(oif(1), kind=7),
        route(oif(2), family=socket.AF_INET6),
        (3, bytes(4)),
    ]

    assert subject.routes(socket.AF_INET) == (
        (ip_network("0.0.0.0/0"), "eth0"),
        (ip_network("128.0.0.0/1"), "wg0"),
        (ip_network("0.0.0.0/0"), "eth0"),
        (ip_network("0.0.0.0/0"), "wg0"),
    )


@pytest.mark.usefixtures("kernel")
def test_a_system_that_does_not_tell_has_no_list_rather_than_an_empty_one() -> None:
    assert subject.routes(socket.AF_INET) is None


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_attributes_fail_or_hang(data: bytes) -> None:
    assert len(list(subject._attributes(data))) <= len(data)
    assert len(list(subject._messages(data))) <= len(data)
    assert len(list(subject._next_hops(data))) <= len(data)


def gateway(text: str) -> bytes:
    return attribute(5, ip_address(text).packed)


def test_the_first_router_on_the_way_is_the_one_that_the_kernel_names(kernel: list[tuple[int, bytes]]) -> None:
    kernel.append(route(attribute(1, bytes([203, 0, 113, 9])), gateway("192.168.1.1"), oif(2), bits=32))

    assert str(subject.gateway_towards(ip_address("203.0.113.9"))) == "192.168.1.1"


def test_a_link_local_router_bears_its_zone(kernel: list[tuple[int, bytes]]) -> None:
    kernel.append(route(oif(2), gateway("fe80::1"), bits=128, family=socket.AF_INET6))

    assert str(subject.gateway_towards(ip_address("2001:db8::9"))) == "fe80::1%eth0"


@pytest.mark.parametrize("attributes", [oif(2), gateway("fe80::1") + oif(2), attribute(5, b"") + oif(2), b""])
def test_a_way_without_a_router_of_the_same_family_has_none(kernel: list[tuple[int, bytes]], attributes: bytes) -> None:
    kernel.append(route(attributes, bits=32))

    assert subject.gateway_towards(ip_address("203.0.113.9")) is None
