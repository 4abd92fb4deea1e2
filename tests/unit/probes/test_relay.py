"""To which relayed addresses this computer sends datagrams of its own."""

import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.probes.relay import may_be_sent_to


@pytest.mark.parametrize(
    ("relayed", "server"),
    [
        ("203.0.113.10", "203.0.113.10"),
        ("198.51.100.9", "203.0.113.10"),
        ("203.0.113.10", "192.168.1.1"),
        ("192.168.1.9", "192.168.1.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::2"),
    ],
)
def test_a_relayed_address_that_the_server_can_have_gets_datagrams(relayed: str, server: str) -> None:
    assert may_be_sent_to(TransportAddress(relayed, 50_000), TransportAddress(server, 3478))


@pytest.mark.parametrize(
    ("relayed", "server"),
    [
        ("192.168.1.1", "203.0.113.10"),
        ("127.0.0.1", "203.0.113.10"),
        ("169.254.169.254", "203.0.113.10"),
        ("224.0.0.1", "203.0.113.10"),
        ("0.0.0.0", "203.0.113.10"),
        ("203.0.113.10", "127.0.0.1"),
        ("2001:db8::1", "203.0.113.10"),
        ("203.0.113.10", "2001:db8::1"),
    ],
)
def test_a_server_does_not_get_to_name_other_hosts_as_its_relay(relayed: str, server: str) -> None:
    assert not may_be_sent_to(TransportAddress(relayed, 50_000), TransportAddress(server, 3478))
