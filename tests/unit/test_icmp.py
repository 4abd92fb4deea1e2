"""Who refused a datagram, out of entries of Linux's error queue as the kernel lays them out."""

import errno
import socket
import struct
from ipaddress import ip_address

import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.net.icmp import Refusal, refusal_of

V4, V6 = TransportAddress.parse("203.0.113.10:3478"), TransportAddress.parse("[2001:db8::10]:3478")
ROUTER4, ROUTER6 = "192.0.2.250", "2001:db8:ffff::250"
LOCAL, ICMP, ICMP6 = 1, 2, 3


def entry(number: int, origin: int, kind: int, code: int, sender: str = "") -> bytes:
    """Return a `struct sock_extended_err` and the socket address behind it."""
    head = struct.pack("=IBBBxII", number, origin, kind, code, 0, 0)
    if not sender:
        return head + bytes(16)
    ip = ip_address(sender)
    if ip.version == 4:
        return head + struct.pack("=H2x", socket.AF_INET) + ip.packed + bytes(8)
    return head + struct.pack("=H6x", socket.AF_INET6) + ip.packed + bytes(4)


@pytest.mark.parametrize(
    ("data", "destination", "failure", "reporter"),
    [
        (entry(errno.ECONNREFUSED, ICMP, 3, 3, "203.0.113.10"), V4, Failure.CONNECTION_REFUSED, "203.0.113.10"),
        (entry(errno.ECONNREFUSED, ICMP, 3, 3, ROUTER4), V4, Failure.ADMIN_PROHIBITED, ROUTER4),
        (entry(errno.EHOSTUNREACH, ICMP, 3, 13, ROUTER4), V4, Failure.ADMIN_PROHIBITED, ROUTER4),
        (entry(errno.EHOSTUNREACH, ICMP, 3, 13, "203.0.113.10"), V4, Failure.CONNECTION_REFUSED, "203.0.113.10"),
        (entry(errno.EHOSTUNREACH, ICMP, 3, 1, ROUTER4), V4, Failure.HOST_UNREACHABLE, ROUTER4),
        (entry(errno.ECONNREFUSED, ICMP6, 1, 4, "2001:db8::10"), V6, Failure.CONNECTION_REFUSED, "2001:db8::10"),
        (entry(errno.EACCES, ICMP6, 1, 1, ROUTER6), V6, Failure.ADMIN_PROHIBITED, ROUTER6),
        (entry(errno.EACCES, ICMP6, 1, 1, "::1"), V6, Failure.PERMISSION_DENIED, "::1"),
        (entry(errno.ECONNREFUSED, ICMP, 3, 3, "127.0.0.1"), V4, Failure.PERMISSION_DENIED, "127.0.0.1"),
        (entry(errno.EHOSTUNREACH, ICMP, 3, 1, "127.0.0.1"), V4, Failure.HOST_UNREACHABLE, "127.0.0.1"),
        (entry(errno.EMSGSIZE, LOCAL, 0, 0), V4, Failure.MESSAGE_TOO_LONG, None),
        (entry(errno.EACCES, ICMP6, 1, 1), V6, Failure.ADMIN_PROHIBITED, None),
        (entry(errno.ECONNREFUSED, ICMP, 3, 3, ROUTER4)[:18], V4, Failure.CONNECTION_REFUSED, None),
        (b"short", V4, Failure.OTHER_OS_ERROR, None),
    ],
)
def test_an_icmp_message_is_the_word_of_its_sender(
    data: bytes, destination: TransportAddress, failure: Failure, reporter: str | None
) -> None:
    assert refusal_of(data, destination) == Refusal(failure, destination, ip_address(reporter) if reporter else None)
