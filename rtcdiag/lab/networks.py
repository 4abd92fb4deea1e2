"""Which addresses belong to a few networks."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network


class Networks:
    """Networks of either family, in numbers: every packet asks."""

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._prefixes: dict[int, list[tuple[int, int]]] = {4: [], 16: []}
        for network in networks:
            shift = network.max_prefixlen - network.prefixlen
            prefix = int(network.network_address) >> shift
            self._prefixes[network.max_prefixlen // 8].append((shift, prefix))

    def has(self, address: bytes) -> bool:
        """Return whether a packed address, of either family, is in one of them."""
        number = int.from_bytes(address)
        return any(number >> shift == prefix for shift, prefix in self._prefixes.get(len(address), ()))
