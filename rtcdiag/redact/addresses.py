"""Pseudonyms of the addresses of one report, of both families, in fields and in text."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import msgspec

from rtcdiag.address import IPAddress, Scope, scope_of
from rtcdiag.redact import ipv4, ipv6
from rtcdiag.redact.ipv4 import IPv4Pseudonyms
from rtcdiag.redact.ipv6 import IPv6Pseudonyms
from rtcdiag.redact.key import Key
from rtcdiag.redact.tags import IPNetwork
from rtcdiag.redact.text import Found, in_dashes, with_addresses


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses that a report holds, before any is replaced."""

    all: frozenset[IPAddress]
    """Those of fields and of texts."""
    named: frozenset[IPAddress]
    """Those of fields."""
    seen: frozenset[IPAddress] = frozenset()
    """As whom servers saw this computer."""
    translators: tuple[IPv6Network, ...] = ()
    """Prefixes of NAT64s."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided before."""

    addresses: dict[IPAddress, IPAddress] = {}
    networks: dict[IPNetwork, IPNetwork] = {}
    """Of /24s and /64s."""
    taken: frozenset[IPAddress] = frozenset()
    """Addresses in whose neighborhood nothing else is to be."""


class Addresses:
    """The pseudonyms of one report, given one by one."""

    def __init__(self, known: Known, key: Key, *, again: bool, given: Given | None = None) -> None:
        """Take what the report holds; ``again``: what looks like a pseudonym is one, and stays."""
        given = given or Given()
        self._again, self._fixed = again, given.addresses
        self.made: dict[IPAddress, IPAddress] = {}
        """By address, every pseudonym so far."""
        taken = given.taken | frozenset(self._fixed.values())
        taken |= frozenset(ip for ip in known.all if again and _is_pseudonym(ip))
        self._four = IPv4Pseudonyms(
            key,
            taken=frozenset(ip for ip in taken if isinstance(ip, IPv4Address)),
            networks=_numbers(given.networks, 4, bits=8),
            inner_benchmarks=not any(isinstance(ip, IPv4Address) and ipv4.is_pseudonym(ip) for ip in known.seen),
        )
        self._six = IPv6Pseudonyms(
            key,
            self._of_four,
            known=frozenset(ip for ip in known.all if isinstance(ip, IPv6Address)),
            prefixes=known.translators,
            taken=frozenset(ip for ip in taken if isinstance(ip, IPv6Address)),
            networks=_numbers(given.networks, 6, bits=64),
            keeps_mac=again,
        )
        self.learn(known)

    def learn(self, known: Known) -> None:
        """Take in what the next part holds: its addresses, and the names with one inside."""
        self._named = known.named
        # In a fixed order, as pseudonyms depend on it where they run short.
        replaced = [ip for ip in sorted(known.all, key=_order) if self.of(ip) != ip]
        self._dashed = in_dashes(replaced)

    def of(self, ip: IPAddress) -> IPAddress:
        """Return the pseudonym of an address without a zone; itself where it is neither public nor tells a MAC."""
        if ip in self._fixed:
            self.made[ip] = self._fixed[ip]
        elif self._names_device(ip) and isinstance(ip, IPv6Address):
            self.made[ip] = self._six.of_local(ip)
        elif scope_of(ip) is not Scope.GLOBAL or ip in ipv4.KEPT or (self._again and _is_pseudonym(ip)):
            return ip
        elif ip not in self.made:
            self.made[ip] = self._four.of(ip) if isinstance(ip, IPv4Address) else self._six.of(ip)
        return self.made[ip]

    def _names_device(self, ip: IPAddress) -> bool:
        """Tell whether a local address holds a MAC address; a redacted report has pseudonyms in these."""
        if not isinstance(ip, IPv6Address) or self._again:
            return False
        return scope_of(ip) in (Scope.LINK_LOCAL, Scope.PRIVATE) and ipv6.tells_mac(ip)

    def _of_four(self, ip: IPv4Address) -> IPv4Address:
        made = self.of(ip)
        return made if isinstance(made, IPv4Address) else ip

    def in_text(self, text: str) -> str:
        """Return a text with each address replaced; what may be a version only where a field has the same address."""

        def pseudonym(found: Found) -> IPAddress:
            return self.of(found.ip) if found.sure or found.ip in self._named else found.ip

        replaced = with_addresses(text, pseudonym)
        return self._dashed.sub(lambda match: self._in_dashes(match[0]), replaced) if self._dashed else replaced

    def _in_dashes(self, text: str) -> str:
        return str(self.of(ip_address(text.replace("-", ".")))).replace(".", "-")


def _order(ip: IPAddress) -> tuple[int, int]:
    return ip.version, int(ip)


def _numbers(networks: dict[IPNetwork, IPNetwork], version: int, *, bits: int) -> dict[int, int]:
    """Return networks of one family as their prefixes, without the last ``bits``."""
    return {
        int(net.network_address) >> bits: int(other.network_address) >> bits
        for net, other in networks.items()
        if net.version == version
    }


def _is_pseudonym(ip: IPAddress) -> bool:
    """Tell it also by the IPv4 address inside."""
    if isinstance(ip, IPv4Address):
        return ipv4.is_pseudonym(ip)
    return ipv6.is_pseudonym(ip) or (ip.sixtofour is not None and ipv4.is_pseudonym(ip.sixtofour))
