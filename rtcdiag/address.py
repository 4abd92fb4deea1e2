"""Transport addresses and their scope: who can reach them.

A transport address is an IP address and a port (RFC 8489 section 4). Its scope decides most findings: a relayed
address that is private, a mapped address in the shared range, a server that is only this computer.
"""

from enum import StrEnum
from functools import lru_cache, total_ordering
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

IPAddress = IPv4Address | IPv6Address


class Family(StrEnum):
    """An address family."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Scope(StrEnum):
    """From where an address can be reached (RFC 6890 and the registries that it founded)."""

    GLOBAL = "global"
    """The public internet, and the documentation and benchmarking ranges: redacted reports and labs use them."""
    PRIVATE = "private"
    """RFC 1918 and unique local addresses (RFC 4193)."""
    SHARED = "shared"
    """100.64.0.0/10, between a carrier-grade NAT and its customers (RFC 6598)."""
    LINK_LOCAL = "link-local"
    LOOPBACK = "loopback"
    UNSPECIFIED = "unspecified"
    MULTICAST = "multicast"
    """Multicast and the IPv4 limited broadcast address."""
    RESERVED = "reserved"
    """Ranges in which no host has an address."""


_SCOPES: tuple[tuple[Scope, tuple[str, ...]], ...] = (
    (Scope.UNSPECIFIED, ("0.0.0.0/8", "::/128")),
    (Scope.LOOPBACK, ("127.0.0.0/8", "::1/128")),
    (Scope.LINK_LOCAL, ("169.254.0.0/16", "fe80::/10")),
    (Scope.SHARED, ("100.64.0.0/10",)),
    (Scope.PRIVATE, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "192.0.0.0/24", "fc00::/7", "fec0::/10")),
    (Scope.MULTICAST, ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8")),
    (Scope.RESERVED, ("240.0.0.0/4", "100::/64")),
)
_NETWORKS: tuple[tuple[Scope, IPv4Network | IPv6Network], ...] = tuple(
    (scope, ip_network(text)) for scope, texts in _SCOPES for text in texts
)


@lru_cache(maxsize=4096)
def scope_of(ip: IPAddress) -> Scope:
    """Return the scope of an IP address; an IPv4-mapped IPv6 address has the scope of the IPv4 address in it."""
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return scope_of(ip.ipv4_mapped)
    for scope, network in _NETWORKS:
        if ip.version == network.version and ip in network:
            return scope
    return Scope.GLOBAL


def family_of(ip: IPAddress) -> Family:
    """Return the family of an IP address."""
    return Family.IPV4 if ip.version == 4 else Family.IPV6


_read = lru_cache(maxsize=1024)(ip_address)
"""Every datagram comes with its source as text, and few sources send many."""


@total_ordering
class TransportAddress:
    """An IP address and a port; written ``203.0.113.7:50123`` or ``[2001:db8::7]:50123`` in JSON and in text."""

    __slots__ = ("_hash", "_text", "ip", "port")

    ip: IPAddress
    port: int
    _text: str
    _hash: int

    def __init__(self, ip: IPAddress | str, port: int) -> None:
        """Take an address or its text; raise ValueError for text that is no IP address or a port outside 0..65535."""
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port} is not between 0 and 65535")
        object.__setattr__(self, "ip", _read(ip) if isinstance(ip, str) else ip)
        object.__setattr__(self, "port", port)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot become {value!r}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the written form; raise ValueError where it is not one."""
        host, colon, port = text.rpartition(":")
        if not colon or not (port.isascii() and port.isdigit()) or len(port) > 5:
            raise ValueError(f"{text!r} is not IP:PORT")
        bracketed = host.startswith("[") and host.endswith("]")
        address = cls(host[1:-1] if bracketed else host, int(port))
        if bracketed != (address.family is Family.IPV6):
            raise ValueError(f"{text!r} is not IP:PORT; an IPv6 address stands in brackets")
        return address

    @property
    def family(self) -> Family:
        """The address family."""
        return family_of(self.ip)

    @property
    def scope(self) -> Scope:
        """From where the address can be reached."""
        return scope_of(self.ip)

    @property
    def host(self) -> str:
        """The IP address as text, without brackets."""
        return str(self.ip)

    def __str__(self) -> str:
        # Rules compare addresses by their text, again and again.
        if not hasattr(self, "_text"):
            text = f"{self.ip}:{self.port}" if self.ip.version == 4 else f"[{self.ip}]:{self.port}"
            object.__setattr__(self, "_text", text)
        return self._text

    def __repr__(self) -> str:
        return f"TransportAddress({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TransportAddress):
            return NotImplemented
        return self.ip == other.ip and self.port == other.port

    def __lt__(self, other: "TransportAddress") -> bool:
        return (self.ip.version, int(self.ip), self.port) < (other.ip.version, int(other.ip), other.port)

    def __hash__(self) -> int:
        # The same address is looked up again and again.
        if not hasattr(self, "_hash"):
            object.__setattr__(self, "_hash", hash((self.ip.packed, self.port)))
        return self._hash
