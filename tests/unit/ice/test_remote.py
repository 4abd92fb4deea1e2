"""Which of the other end's candidates are taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.ice.remote import read_candidate

TAKEN = [
    "candidate:1 1 udp 2130706431 192.168.1.2 5000 typ host",
    "a=candidate:1 1 UDP 2130706431 2001:db8::1 5000 typ host generation 0 ufrag abcd network-cost 999",
    "candidate:1 1 udp 1694498815 203.0.113.9 60200 typ srflx raddr 0.0.0.0 rport 9",
    "candidate:1 1 udp 16777215 100.64.0.1 60200 typ relay raddr 203.0.113.9 rport 60200",
    "candidate:1 1 udp 2130706431 4b2d9c1e-7a55-4c43-a7a7-a8b3b4d5f60f.local 5000 typ host",
]
REFUSED = {
    "loopback": "127.0.0.1 5000 typ host",
    "loopback over IPv6": "::1 5000 typ host",
    "loopback in an IPv6 address": "::ffff:127.0.0.1 5000 typ host",
    "an IPv4 address in an IPv6 one": "::ffff:192.0.2.1 5000 typ host",
    "multicast": "224.0.0.251 5353 typ host",
    "multicast over IPv6": "ff02::fb 5353 typ host",
    "broadcast": "255.255.255.255 5000 typ host",
    "nowhere": "0.0.0.0 9 typ srflx",
    "nowhere over IPv6": ":: 9 typ srflx",
    "link-local": "169.254.3.4 5000 typ host",
    "link-local over IPv6": "fe80::1 5000 typ host",
    "link-local with a zone": "fe80::1%eth0 5000 typ host",
    "metadata": "169.254.169.254 80 typ host",
    "metadata over IPv6": "fd00:ec2::254 80 typ host",
    "metadata of another cloud": "100.100.100.200 80 typ host",
    "reserved": "240.0.0.1 5000 typ host",
    "a name": "intranet.example 5000 typ host",
    "a path": "../../etc/passwd 5000 typ host",
    "port 0": "192.0.2.1 0 typ host",
    "a port too high": "192.0.2.1 65536 typ host",
    "peer-reflexive": "192.0.2.1 5000 typ prflx",
    "an unknown type": "192.0.2.1 5000 typ wormhole",
}


@pytest.mark.parametrize("sdp", TAKEN)
def test_a_usual_candidate_is_taken(sdp: str) -> None:
    assert read_candidate(sdp) is not None


@pytest.mark.parametrize("rest", REFUSED.values(), ids=list(REFUSED))
def test_an_address_that_is_never_contacted_is_refused(rest: str) -> None:
    assert read_candidate(f"candidate:1 1 udp 2130706431 {rest}") is None


@pytest.mark.parametrize(
    "sdp",
    [
        "candidate:1 1 tcp 2130706431 192.0.2.1 9 typ host tcptype active",
        "candidate:1 2 udp 2130706431 192.0.2.1 5000 typ host",
        "candidate:1 1 udp 99999999999 192.0.2.1 5000 typ host",
        "candidate:1 1 udp -1 192.0.2.1 5000 typ host",
        "candidate:1 1 udp 1 192.0.2.1 5000 typ host" + " x y" * 400,
        "candidate:",
        "",
    ],
    ids=["TCP", "another component", "a priority too high", "a negative one", "too long", "nothing in it", "nothing"],
)
def test_what_is_no_candidate_for_us_is_refused(sdp: str) -> None:
    assert read_candidate(sdp) is None


@given(st.text(max_size=200))
def test_reading_raises_nothing(text: str) -> None:
    read_candidate(text)
    read_candidate(f"candidate:1 1 udp 1 {text} typ host")
