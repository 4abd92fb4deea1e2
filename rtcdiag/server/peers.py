"""To whom the relay never sends: the addresses with which TURN servers are abused."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

from rtcdiag.address import IPAddress, Scope, scope_of

_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = IPv6Network("::/96")


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address to which a translator or tunnel would carry a packet for this IPv6 address."""
    if ip in _NAT64 or ip in _COMPATIBLE:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def is_refused_peer(ip: IPAddress, *, allow_loopback: bool) -> bool:
    """True for a peer that is not a host of the public internet."""
    scope = scope_of(ip)
    if isinstance(ip, IPv6Address) and scope is not Scope.LOOPBACK:
        if ip.ipv4_mapped is not None or ip in _LOCAL_NAT64:
            return True
        inner = _embedded(ip)
        if inner is not None and scope_of(inner) is not Scope.GLOBAL:
            return True
    if scope is Scope.LOOPBACK:
        # ::ffff:127.0.0.1 has this scope as well, but no IPv6 relay can be meant by it.
        return not allow_loopback or (isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None)
    return scope is not Scope.GLOBAL
