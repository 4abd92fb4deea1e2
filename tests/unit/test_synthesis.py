"""IPv4 addresses inside IPv6 ones, by the examples of RFC 6052, and the prefix that they tell."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.address import TransportAddress
from rtcdiag.synthesis import WELL_KNOWN, embedded, prefix_between, prefixes_of, stands_for, synthesized

EXAMPLES = {
    "2001:db8::/32": "2001:db8:c000:221::",
    "2001:db8:100::/40": "2001:db8:1c0:2:21::",
    "2001:db8:122::/48": "2001:db8:122:c000:2:2100::",
    "2001:db8:122:300::/56": "2001:db8:122:3c0:0:221::",
    "2001:db8:122:344::/64": "2001:db8:122:344:c0:2:2100::",
    "2001:db8:122:344::/96": "2001:db8:122:344::192.0.2.33",
    "64:ff9b::/96": "64:ff9b::192.0.2.33",
}
"""RFC 6052 section 2.4."""
HOST = IPv4Address("192.0.2.33")
LENGTHS = (32, 40, 48, 56, 64, 96)


@pytest.mark.parametrize(("prefix", "address"), EXAMPLES.items())
def test_the_examples_of_rfc_6052_hold_both_ways(prefix: str, address: str) -> None:
    network, whole = IPv6Network(prefix), IPv6Address(address)

    assert synthesized(network, HOST) == whole
    assert embedded(network, whole) == HOST
    assert prefix_between(whole, HOST) == network


@given(length=st.sampled_from(LENGTHS), bits=st.integers(0, 2**96 - 1), host=st.integers(1 << 24, 0x7EFFFFFF))
def test_what_is_put_behind_any_prefix_is_found_there(length: int, bits: int, host: int) -> None:
    prefix = IPv6Network((bits << 32, length), strict=False)
    inside = embedded(prefix, synthesized(prefix, IPv4Address(host)))
    unusable = ("0.", "127.", "169.254.")

    assert inside == IPv4Address(host) or (inside is None and str(IPv4Address(host)).startswith(unusable))


@pytest.mark.parametrize("prefix", EXAMPLES)
def test_ipv4only_arpa_tells_the_prefix(prefix: str) -> None:
    network = IPv6Network(prefix)
    answer = tuple(synthesized(network, IPv4Address(text)) for text in ("192.0.0.170", "192.0.0.171"))

    assert prefixes_of(answer) == (network,)
    assert prefixes_of(answer[1:]) == (network,)


def test_other_answers_tell_no_prefix() -> None:
    assert prefixes_of(()) == ()
    assert prefixes_of((IPv6Address("2001:db8::1"), synthesized(WELL_KNOWN, HOST))) == ()


@pytest.mark.parametrize(
    "address",
    [
        "2001:db8::192.0.2.33",
        "64:ff9b::127.0.0.1",
        "64:ff9b::0.0.0.1",
        "64:ff9b::224.0.0.1",
        "64:ff9b:0:0:1::192.0.2.33",
    ],
)
def test_no_host_of_ipv4_is_seen_where_there_is_none(address: str) -> None:
    assert embedded(WELL_KNOWN, IPv6Address(address)) is None


def test_bits_that_have_to_be_zero_rule_a_prefix_out() -> None:
    prefix = IPv6Network("2001:db8:122::/48")

    assert embedded(prefix, IPv6Address("2001:db8:122:c000:102:2100::")) is None
    assert embedded(prefix, IPv6Address("2001:db8:122:c000:2:2100::1")) is None


def test_a_transport_address_keeps_its_port_and_one_of_ipv4_stands_for_itself_only() -> None:
    assert stands_for((WELL_KNOWN,), TransportAddress("64:ff9b::c000:221", 3478)) == TransportAddress(HOST, 3478)
    assert stands_for((WELL_KNOWN,), TransportAddress(HOST, 3478)) is None
