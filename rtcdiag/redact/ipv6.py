"""Pseudonyms of public IPv6 addresses: 2001:db8::/32, and 3fff::/20 for the prefixes of a NAT64.

Kept is what conclusions rest on: equality, the neighborhood in a /64, an interface identifier (the host's part) that
two addresses share, the checksum that a prefix translation keeps (RFC 6296), and an IPv4 address inside (RFC 6052,
6to4, Teredo, IPv4-mapped), which becomes its own pseudonym. An identifier that is made of a MAC address (RFC 4291
appendix A) names a device wherever it stands, so that it gets a pseudonym of its form in local addresses too.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from rtcdiag.address import Scope, scope_of
from rtcdiag.redact.ipv4 import KEPT
from rtcdiag.redact.key import Key
from rtcdiag.synthesis import LOCAL_USE, WELL_KNOWN, embedded, synthesized

DOCUMENTATION = IPv6Network("2001:db8::/32")
"""RFC 3849."""
_TRANSLATORS = IPv6Network("3fff::/20")
"""RFC 9637."""
_HOST_BITS = (1 << 64) - 1
_COMMON = 1 << 16
"""Interface identifiers below it, such as ``::1``, are given by hand, tell nothing, and stay."""
_SUM = 65535
"""The one's complement sum of 16-bit words is the remainder by it."""
_MAC = 0xFFFE
"""What stands in the middle of an identifier that is made of a MAC address (RFC 4291 appendix A)."""
_MAC_BITS = 0x0300
"""Of its first word: whether the MAC address is universal, and whether it is of a group."""
_BASE = int(DOCUMENTATION.network_address) >> 96


def is_pseudonym(ip: IPv6Address) -> bool:
    """Tell whether an address is in a range from which pseudonyms are taken."""
    return ip in DOCUMENTATION or ip in _TRANSLATORS


def tells_mac(ip: IPv6Address) -> bool:
    """Tell whether the interface identifier has the form of one that is made of a MAC address."""
    return _is_of_mac(int(ip) & _HOST_BITS)


def _is_of_mac(host: int) -> bool:
    return host >> 24 & 0xFFFF == _MAC


class IPv6Pseudonyms:
    """The pseudonyms of one report, given one by one."""

    def __init__(
        self,
        key: Key,
        inner: Callable[[IPv4Address], IPv4Address],
        *,
        known: frozenset[IPv6Address],
        prefixes: tuple[IPv6Network, ...],
        taken: frozenset[IPv6Address],
        networks: dict[int, int],
        keeps_mac: bool = False,
    ) -> None:
        """Begin without any but ``networks``, the /64s that have one, each as its 64 bits.

        ``inner`` gives IPv4 pseudonyms, ``known`` are the addresses of the report, ``prefixes`` those of the NAT64s in
        it; none of the /64s of ``taken`` is given. ``keeps_mac``: local addresses have been redacted already.
        """
        self._key, self._inner = key, inner
        stay = [ip for ip in known if scope_of(ip) is not Scope.GLOBAL]
        self._hosts = {int(ip) & _HOST_BITS: int(ip) & _HOST_BITS for ip in stay if keeps_mac or not tells_mac(ip)}
        self._used_hosts = set(self._hosts)
        self._networks = dict(networks)
        self._used_networks = {int(ip) >> 64 for ip in taken}
        self._offset = self._offset_of(stay, [ip for ip in known if scope_of(ip) is Scope.GLOBAL])
        self._prefixes = {prefix: self._prefix(prefix) for prefix in prefixes}

    def _offset_of(self, stay: list[IPv6Address], change: list[IPv6Address]) -> int:
        """Return by how much checksums change: not at all where a translation kept one between what stays and not."""
        sums, own = {int(ip) % _SUM for ip in stay}, {int(ip) % _SUM for ip in change}
        if sums & own:
            return 0
        first = self._key.number("ipv6 checksum", "", _SUM)
        wanted = (offset % _SUM for offset in range(first, first + _SUM))
        return next((offset for offset in wanted if not sums & {(value + offset) % _SUM for value in own}), 0)

    def of(self, ip: IPv6Address) -> IPv6Address:
        """Return the pseudonym of an address of global scope."""
        if ip in KEPT:
            return ip
        carrying = self._carrying(ip)
        return carrying if carrying is not None else self._plain(ip)

    def of_local(self, ip: IPv6Address) -> IPv6Address:
        """Return what stands for a local address whose identifier is made of a MAC address; its network stays."""
        number = int(ip)
        return IPv6Address(number & ~_HOST_BITS | self._host(number & _HOST_BITS))

    def _carrying(self, ip: IPv6Address) -> IPv6Address | None:
        """Return the pseudonym of an address that has an IPv4 address inside; None for all others."""
        number = int(ip)
        if ip.ipv4_mapped is not None:
            return IPv6Address(0xFFFF << 32 | int(self._of_inner(ip.ipv4_mapped)))
        if ip.sixtofour is not None:
            network = number & ~(0xFFFFFFFF << 80) | int(self._of_inner(ip.sixtofour)) << 80
            return IPv6Address(network & ~_HOST_BITS | self._host(number & _HOST_BITS))
        if ip.teredo is not None:
            server, client = (int(self._of_inner(inside)) for inside in ip.teredo)
            rest = number & ~(0xFFFFFFFF << 64) & ~0xFFFFFFFF
            return IPv6Address(rest | server << 64 | client ^ 0xFFFFFFFF)
        if ip in WELL_KNOWN:
            return IPv6Address(number & ~0xFFFFFFFF | int(self._of_inner(IPv4Address(number & 0xFFFFFFFF))))
        return self._translated(ip)

    def _translated(self, ip: IPv6Address) -> IPv6Address | None:
        for prefix, pseudonym in self._prefixes.items():
            inside = embedded(prefix, ip)
            if inside is not None:
                return synthesized(pseudonym, self._of_inner(inside))
        return None

    def _of_inner(self, ip: IPv4Address) -> IPv4Address:
        return self._inner(ip) if scope_of(ip) is Scope.GLOBAL and ip not in KEPT else ip

    def _prefix(self, prefix: IPv6Network) -> IPv6Network:
        """Return what stands for the prefix of a NAT64; one that every network may use stays."""
        if prefix.subnet_of(WELL_KNOWN) or prefix.subnet_of(LOCAL_USE) or is_pseudonym(prefix.network_address):
            return prefix
        length = min(prefix.prefixlen, 64)
        chosen = self._key.number("ipv6 translator", str(prefix), 1 << length - _TRANSLATORS.prefixlen)
        number = int(_TRANSLATORS.network_address) | chosen << 128 - length
        return IPv6Network((number, prefix.prefixlen))

    def _plain(self, ip: IPv6Address) -> IPv6Address:
        return IPv6Address(self._network(int(ip) >> 64) << 64 | self._host(int(ip) & _HOST_BITS))

    def _network(self, number: int) -> int:
        """Return the pseudonym of a /64: 2001:db8, 16 bits that the key chooses, and 16 that make the checksum."""
        if number not in self._networks:
            wanted = (number + self._offset - (_BASE >> 16) - (_BASE & 0xFFFF)) % _SUM
            first = self._key.number("ipv6 network", str(number), 1 << 16)
            words = ((first + more) % (1 << 16) for more in range(1 << 16))
            places = (_BASE << 32 | word << 16 | (wanted - word) % _SUM for word in words)
            self._networks[number] = next(place for place in places if place not in self._used_networks)
            self._used_networks.add(self._networks[number])
        return self._networks[number]

    def _host(self, number: int) -> int:
        """Return the pseudonym of an interface identifier, with the same checksum: the same for the same, anywhere."""
        if number < _COMMON:
            return number
        if number not in self._hosts:
            again = 0
            while (made := self._made(number, again)) in self._used_hosts or made < _COMMON:
                again += 1
            self._hosts[number] = made
            self._used_hosts.add(made)
        return self._hosts[number]

    def _made(self, number: int, again: int) -> int:
        words = self._key.number("ipv6 host", f"{number} {again}", 1 << 48)
        if _is_of_mac(number):
            words = words & ~(0xFFFF << 8) | _MAC << 8
            words = words & ~(_MAC_BITS << 32) | number >> 16 & _MAC_BITS << 32
        return words << 16 | (number - words) % _SUM
