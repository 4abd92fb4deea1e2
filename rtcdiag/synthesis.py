"""IPv4 addresses inside IPv6 addresses: what a NAT64 translates (RFC 6052), and how its prefix is found (RFC 7050)."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

from rtcdiag.address import Family, Scope, TransportAddress, scope_of

WELL_KNOWN = IPv6Network("64:ff9b::/96")
"""RFC 6052 section 2.1."""
LOCAL_USE = IPv6Network("64:ff9b:1::/48")
"""For prefixes that a network chooses by itself (RFC 8215)."""
CONTINUITY = "192.0.0.0/29"
"""What IPv4 on top of an IPv6 network uses inside a computer: 464XLAT, and DS-Lite (RFC 7335)."""

_LENGTHS = (96, 64, 56, 48, 40, 32)
_RESERVED = 8
"""The octet of bits 64 to 71, which stays zero (RFC 6052 section 2.2)."""
_SPECIAL = (IPv4Address("192.0.0.170"), IPv4Address("192.0.0.171"))
"""The addresses of ``ipv4only.arpa`` (RFC 7050)."""
_HOSTS = (Scope.GLOBAL, Scope.PRIVATE, Scope.SHARED)


def _places(length: int) -> list[int]:
    return [at for at in range(length // 8, 16) if at != _RESERVED][:4]


def synthesized(prefix: IPv6Network, address: IPv4Address) -> IPv6Address:
    """Return the IPv6 address that stands for an IPv4 address under a prefix of 32 to 64 or of 96 bits."""
    octets = bytearray(prefix.network_address.packed)
    for place, octet in zip(_places(prefix.prefixlen), address.packed, strict=True):
        octets[place] = octet
    return IPv6Address(bytes(octets))


def embedded(prefix: IPv6Network, address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 host that an IPv6 address stands for under a prefix; None where it stands for none."""
    if address not in prefix:
        return None
    found = _at(address, prefix.prefixlen)
    return found if found is not None and scope_of(found) in _HOSTS else None


def _at(address: IPv6Address, length: int) -> IPv4Address | None:
    """Return what stands where a prefix of this length has the IPv4 address; None where the rest is not zero."""
    octets, places = address.packed, _places(length)
    rest = [octets[_RESERVED]] if length < 96 else []
    if any(octets[places[-1] + 1 :]) or any(rest):
        return None
    return IPv4Address(bytes(octets[place] for place in places))


def prefix_between(address: IPv6Address, inside: IPv4Address) -> IPv6Network | None:
    """Return the prefix under which an IPv6 address stands for this IPv4 address; None where under no prefix."""
    length = next((bits for bits in _LENGTHS if _at(address, bits) == inside), None)
    return IPv6Network((address, length), strict=False) if length else None


def prefixes_of(addresses: tuple[IPv6Address, ...]) -> tuple[IPv6Network, ...]:
    """Return the prefixes that the IPv6 addresses of ``ipv4only.arpa`` tell (RFC 7050 section 3), without repeats."""
    found = (prefix_between(address, inside) for address in addresses for inside in _SPECIAL)
    return tuple(dict.fromkeys(prefix for prefix in found if prefix is not None))


def stands_for(prefixes: tuple[IPv6Network, ...], address: TransportAddress) -> TransportAddress | None:
    """Return the IPv4 transport address that an IPv6 one stands for under any of the prefixes."""
    if address.family is not Family.IPV6:
        return None
    inside = (embedded(prefix, IPv6Address(address.host)) for prefix in prefixes)
    found = next((ip for ip in inside if ip is not None), None)
    return TransportAddress(found, address.port) if found is not None else None
