"""Which external address and port a mapping gets (RFC 4787 sections 4.1 and 4.2, RFC 7422)."""

from collections.abc import Container, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from random import Random

from rtcdiag.lab.packet import Endpoint
from rtcdiag.lab.spec import NatSpec

Inside = IPv4Network | IPv6Network


def unchanged(inside: Endpoint, _taken: Container[Endpoint]) -> Endpoint:
    """Leave an endpoint as it is: a firewall's choice."""
    return inside


class Prefix:
    """Another prefix before the same host and port (the idea of RFC 6296, with checksums adjusted instead)."""

    def __init__(self, outside: bytes, length: int) -> None:
        bits = 8 * len(outside)
        self._host_mask = (1 << bits - length) - 1
        self._prefix = int.from_bytes(outside) & ~self._host_mask
        self._size = len(outside)

    def __call__(self, inside: Endpoint, _taken: Container[Endpoint]) -> Endpoint:
        """Return the endpoint under the other prefix."""
        host = int.from_bytes(inside[0]) & self._host_mask
        return (self._prefix | host).to_bytes(self._size), inside[1]


class Ports:
    """Addresses of a pool, and ports on them."""

    def __init__(self, spec: NatSpec, pool: Sequence[bytes], inside: Sequence[Inside], random: Random) -> None:
        self._spec = spec
        self._pool = pool
        self._inside = inside
        self._random = random
        low, high = spec.ports
        self._next = {address: random.randint(low, high) for address in pool}

    def __call__(self, inside: Endpoint, taken: Container[Endpoint]) -> Endpoint | None:
        """Return a free endpoint for an inside one; None when none is left."""
        host = self._number(inside[0])
        paired = self._spec.pooling == "paired"
        address = self._pool[host % len(self._pool)] if paired else self._random.choice(self._pool)
        if self._spec.port in {"preserving", "overloading"} and (address, inside[1]) not in taken:
            return address, inside[1]
        for port in self._candidates(address, host // len(self._pool)):
            if (address, port) not in taken and not (self._spec.parity and (port ^ inside[1]) & 1):
                self._next[address] = port + self._spec.port_step
                return address, port
        return None

    def _number(self, address: bytes) -> int:
        """Return the number of a host, another for each of all networks inside."""
        host = ip_address(address)
        for number, network in enumerate(self._inside):
            if host in network:
                return (int(host) - int(network.network_address)) * len(self._inside) + number
        return 0

    def _candidates(self, address: bytes, number: int) -> Iterator[int]:
        """Yield the ports to try in turn; ``number`` counts the hosts of this address."""
        low, high = self._spec.ports
        count, step = high - low + 1, 1
        if self._spec.port == "block":
            low += number % (count // self._spec.block_size) * self._spec.block_size
            count = self._spec.block_size
        start = self._random.randrange(count)
        if self._spec.port == "sequential":
            start, step = self._next[address] - low, self._spec.port_step
        for tried in range(count):
            yield low + (start + tried * step) % count
