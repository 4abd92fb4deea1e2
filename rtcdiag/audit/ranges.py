"""Ranges of peers as coturn has them, and those that a relay should not send to."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

import msgspec

from rtcdiag.address import IPAddress


class Range(msgspec.Struct, frozen=True):
    """All addresses from one to another, of one family."""

    first: IPAddress
    last: IPAddress

    def has(self, ip: IPAddress) -> bool:
        """Tell whether an address is in it."""
        return ip.version == self.first.version and int(self.first) <= int(ip) <= int(self.last)

    @property
    def is_boundless(self) -> bool:
        """Whether coturn takes it for more than it says: an unspecified address stands for "no limit" in its lists.

        Only of IPv4 nothing is lost by it where it comes first, for no address is below it.
        """
        return self.last.is_unspecified or (self.first.is_unspecified and self.first.version == 6)

    def __str__(self) -> str:
        return f"{self.first}-{self.last}" if self.first != self.last else str(self.first)


_RECOMMENDED = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::1/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "100::/64",
    "2001::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
)
"""eturnal's list, and what leads to the same hosts by another name: this host, mapped and tunneled addresses.

The unspecified IPv6 address is left out: coturn refuses it by itself from 4.5.2 on, and takes it for "no limit" here.
"""


def parse_range(text: str) -> Range:
    """Read ``FIRST-LAST`` or one address; raise ValueError for anything else, a network with a slash included."""
    first, dash, last = text.partition("-")
    low = ip_address(first.strip())
    high = ip_address(last.strip()) if dash else low
    if low.version != high.version or int(low) > int(high):
        raise ValueError(f"{text!r} is no range")
    return Range(low, high)


def network_range(text: str) -> Range:
    """Return a network in the form that coturn reads; raise ValueError for what is none."""
    network = ip_network(text.strip(), strict=False)
    return Range(network[0], network[-1])


RECOMMENDED: tuple[Range, ...] = tuple(map(network_range, _RECOMMENDED))


def uncovered(wanted: Range, ranges: Iterable[Range]) -> bool:
    """Tell whether any address of a range is in none of the others."""
    at, end = int(wanted.first), int(wanted.last)
    same = sorted((int(x.first), int(x.last)) for x in ranges if x.first.version == wanted.first.version)
    for first, last in same:
        if first > at:
            break
        at = max(at, last + 1)
    return at <= end


def missing(denied: tuple[Range, ...]) -> tuple[Range, ...]:
    """Return the recommended ranges that are not wholly denied."""
    return tuple(wanted for wanted in RECOMMENDED if uncovered(wanted, denied))
