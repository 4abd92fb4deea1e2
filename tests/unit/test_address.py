"""Addresses and their scope."""

from ipaddress import ip_address

import pytest

from rtcdiag.address import Family, Scope, TransportAddress, scope_of


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("8.8.8.8", Scope.GLOBAL),
        ("203.0.113.7", Scope.GLOBAL),
        ("198.18.0.1", Scope.GLOBAL),
        ("2001:db8::1", Scope.GLOBAL),
        ("10.1.2.3", Scope.PRIVATE),
        ("172.31.255.255", Scope.PRIVATE),
        ("172.32.0.0", Scope.GLOBAL),
        ("192.0.0.2", Scope.PRIVATE),
        ("fd00::1", Scope.PRIVATE),
        ("100.64.0.1", Scope.SHARED),
        ("100.128.0.0", Scope.GLOBAL),
        ("169.254.1.1", Scope.LINK_LOCAL),
        ("fe80::1%eth0", Scope.LINK_LOCAL),
        ("127.0.0.2", Scope.LOOPBACK),
        ("::ffff:127.0.0.1", Scope.LOOPBACK),
        ("::1", Scope.LOOPBACK),
        ("0.0.0.0", Scope.UNSPECIFIED),
        ("224.0.0.1", Scope.MULTICAST),
        ("255.255.255.255", Scope.MULTICAST),
        ("240.0.0.1", Scope.RESERVED),
    ],
)
def test_every_special_range_has_its_scope(text: str, scope: Scope) -> None:
    assert scope_of(ip_address(text)) is scope


@pytest.mark.parametrize("text", ["203.0.113.7:50123", "[2001:db8::7]:50123", "0.0.0.0:0"])
def test_the_written_form_reads_back(text: str) -> None:
    assert str(TransportAddress.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["203.0.113.7", "203.0.113.7:", "203.0.113.7:99999", "2001:db8::7:1", "[203.0.113.7]:1", "host:1", "1.2.3.4:x"],
)
def test_what_is_no_transport_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        TransportAddress.parse(text)


def test_an_address_compares_hashes_and_does_not_change() -> None:
    one = TransportAddress("10.0.0.1", 80)

    assert one == TransportAddress.parse("10.0.0.1:80")
    assert one != "10.0.0.1:80"
    assert len({one, TransportAddress("10.0.0.1", 80)}) == 1
    assert one < TransportAddress("10.0.0.1", 81) < TransportAddress("::1", 1)
    assert one.family is Family.IPV4
    assert one.host == "10.0.0.1"
    assert repr(one) == "TransportAddress('10.0.0.1:80')"
    with pytest.raises(AttributeError):
        one.port = 81
