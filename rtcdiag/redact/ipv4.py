"""Pseudonyms of public IPv4 addresses: each /24 becomes one of the documentation ranges, then of 198.18.0.0/15.

Equal addresses stay equal, different ones different, and neighbors in a /24 neighbors.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from rtcdiag.address import IPAddress
from rtcdiag.audit.peers import PEERS
from rtcdiag.audit.ranges import RECOMMENDED
from rtcdiag.nat import BENCHMARKING, INNER_PSEUDONYMS
from rtcdiag.redact.key import Key

DOCUMENTATION = tuple(IPv4Network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
"""RFC 5737."""
KEPT: frozenset[IPAddress] = frozenset(
    (*(peer.ip for peer in PEERS), *(ip for item in RECOMMENDED for ip in (item.first, item.last)))
)
"""What the program itself asks about or advises: it names nobody, and an audit knows it by its value."""


def _numbers(network: IPv4Network) -> list[int]:
    """Return the /24s of a network, each as its first 24 bits."""
    return [int(each.network_address) >> 8 for each in network.subnets(new_prefix=24)]


_DOCUMENTATION = [number for network in DOCUMENTATION for number in _numbers(network)]
_INNER = _numbers(INNER_PSEUDONYMS)
_RESERVE = [number for number in _numbers(BENCHMARKING)[1:] if number not in _INNER]
"""Without 198.18.0.0/24, whose first address an audit asks about."""


def is_pseudonym(ip: IPv4Address) -> bool:
    """Tell whether an address is in a range from which pseudonyms are taken."""
    return ip in BENCHMARKING or any(ip in network for network in DOCUMENTATION)


class IPv4Pseudonyms:
    """The pseudonyms of one report, given one by one."""

    def __init__(
        self,
        key: Key,
        *,
        taken: frozenset[IPv4Address],
        networks: dict[int, int],
        inner_benchmarks: bool,
    ) -> None:
        """Begin without any but ``networks``, the /24s that have one, each as its 24 bits; none of ``taken`` is given.

        ``inner_benchmarks``: whether 198.18.0.0/15 is an inner network in this report, which has a range of its own
        then, so that it still reads as one.
        """
        self._key = key
        self._used: dict[int, set[int]] = {}
        for ip in (*taken, *(kept for kept in KEPT if isinstance(kept, IPv4Address))):
            self._used.setdefault(int(ip) >> 8, set()).add(int(ip) & 255)
        self._taken = {int(ip) >> 8 for ip in taken} | set(networks.values())
        self._networks = dict(networks)
        self._orders: dict[int, list[int]] = {}
        self._given: dict[IPv4Address, IPv4Address] = {}
        self._inner_benchmarks = inner_benchmarks

    def of(self, ip: IPv4Address) -> IPv4Address:
        """Return the pseudonym of an address; raise OverflowError where none is left."""
        if ip not in self._given:
            self._given[ip] = self._next(ip)
        return self._given[ip]

    def _next(self, ip: IPv4Address) -> IPv4Address:
        network, host = int(ip) >> 8, int(ip) & 255
        inner = ip in INNER_PSEUDONYMS or (self._inner_benchmarks and ip in BENCHMARKING)
        for place in self._places(network, inner=inner):
            used = self._used.setdefault(place, set())
            free = next((octet for octet in self._octets(network, host) if octet not in used), None)
            if free is not None:
                used.add(free)
                return IPv4Address(place << 8 | free)
        raise OverflowError("more public IPv4 addresses than there are pseudonyms")

    def _places(self, network: int, *, inner: bool) -> Iterator[int]:
        """Yield the pseudonym of a /24, then those where an address goes for which it has no room."""
        pool = _INNER if inner else self._pool(network)
        if network not in self._networks:
            self._networks[network] = next((place for place in pool if place not in self._taken), pool[-1])
            self._taken.add(self._networks[network])
        yield self._networks[network]
        yield from reversed(pool)

    def _pool(self, network: int) -> list[int]:
        first = self._key.number("ipv4 reserve", str(network), len(_RESERVE))
        return [
            *self._key.shuffled(f"ipv4 network {network}", _DOCUMENTATION),
            *_RESERVE[first:],
            *_RESERVE[:first],
        ]

    def _octets(self, network: int, host: int) -> Iterator[int]:
        """Yield the last octet that the key chooses, then all others of hosts."""
        if network not in self._orders:
            self._orders[network] = self._key.shuffled(f"ipv4 hosts {network}", range(1, 255))
        order = self._orders[network]
        yield order[(host - 1) % len(order)]
        yield from order
