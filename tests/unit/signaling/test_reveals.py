"""A person sees what a code tells before it is copied."""

import pytest

from rtcdiag.redact.text import addresses_in
from rtcdiag.signaling.reveals import revealed

HOST = "candidate:1 1 udp 2130706431 192.168.1.4 50123 typ host"
ULA = "candidate:1 1 udp 2130706431 fd00::4 50123 typ host"
TUNNEL = "candidate:2 1 udp 2130706175 10.8.0.2 50124 typ host"
GLOBAL6 = "candidate:3 1 udp 2130705919 2001:db8:1::4 50125 typ host"
MDNS = "candidate:4 1 udp 2130705663 0e2e0c4c-d1a7-4d3f-a4a7-0c4a1f9b6f8e.local 50126 typ host"
SRFLX = "candidate:5 1 udp 1694498815 203.0.113.7 50123 typ srflx raddr 192.168.1.4 rport 50123"
HIDDEN = "candidate:5 1 udp 1694498815 203.0.113.7 50123 typ srflx raddr 0.0.0.0 rport 9"
RELAY = "candidate:7 1 udp 16777215 198.51.100.9 49152 typ relay raddr 203.0.113.7 rport 50130"
LONE = "candidate:7 1 udp 16777215 198.51.100.9 49152 typ relay raddr 0.0.0.0 rport 9"


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        ([], "no address"),
        ([HOST], "1 local address"),
        ([HOST, ULA], "2 local addresses"),
        ([HOST, TUNNEL], "1 local address, VPN address 10.8.0.2"),
        ([HOST, SRFLX], "public address 203.0.113.7, 1 local address"),
        ([SRFLX], "public address 203.0.113.7, 1 local address"),
        ([HIDDEN], "public address 203.0.113.7"),
        ([GLOBAL6, HIDDEN], "public addresses 2001:db8:1::4 and 203.0.113.7"),
        ([MDNS], "1 random name of a local address"),
        ([LONE], "TURN relay 198.51.100.9"),
        ([RELAY], "public address 203.0.113.7, TURN relay 198.51.100.9"),
    ],
)
def test_what_candidates_tell_is_said_in_words(candidates: list[str], words: str) -> None:
    assert revealed(candidates, vpn={"tun0", "10.8.0.2"}) == words
    assert not list(addresses_in(revealed(candidates, vpn={"tun0", "10.8.0.2"}, counted=True)))


def test_many_addresses_are_counted() -> None:
    many = [GLOBAL6.replace("::4", f"::{number}") for number in range(4)]
    assert revealed(many) == "4 public addresses"
