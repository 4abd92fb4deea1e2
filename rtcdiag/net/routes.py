"""Which local address and interface the system uses towards an address; no packet is sent to find out."""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

from rtcdiag.address import Family, IPAddress, family_of
from rtcdiag.evidence import Failure
from rtcdiag.net.failures import failure_of
from rtcdiag.net.local import ANYWHERE, Local
from rtcdiag.net.resolver import FAMILIES
from rtcdiag.net.rtnetlink import routes

# Documentation addresses (RFC 5737, RFC 3849) stand for "the internet" in a route look-up: nobody has them.
INTERNET: dict[Family, IPAddress] = {
    Family.IPV4: IPv4Address("192.0.2.1"),
    Family.IPV6: IPv6Address("2001:db8::1"),
}


def source_towards(destination: IPAddress, local: Local = ANYWHERE) -> IPAddress | Failure:
    """Return the local address that packets to ``destination`` would carry, or why there is none.

    A socket that is pinned to an interface needs a route there: without one, Linux looks for any host on that link. A
    link-local address leads nowhere else.
    """
    if local.interface is not None and not _leads_to(destination, local.interface):
        return Failure.NETWORK_UNREACHABLE
    if local.address is not None and local.address.is_link_local and not destination.is_link_local:
        return Failure.NETWORK_UNREACHABLE
    with socket.socket(FAMILIES[family_of(destination)], socket.SOCK_DGRAM) as sock:
        try:
            local.place(sock)
            sock.connect((str(destination), 9))
        except OSError as error:
            return failure_of(error)
        return ip_address(str(sock.getsockname()[0]))


def _leads_to(destination: IPAddress, interface: str) -> bool:
    """Tell whether an interface has a route to an address, where the system tells of its routes."""
    known = routes(FAMILIES[family_of(destination)])
    return known is None or any(name == interface and destination in network for network, name in known)


def default_routes(family: Family) -> frozenset[str] | None:
    """Return the interfaces that have a default route, in whatever table; None where the system does not tell.

    VPNs cover the default route by two halves of the internet instead of replacing it.
    """
    known = routes(FAMILIES[family])
    if known is None:
        return None
    return frozenset(name for network, name in known if network.prefixlen <= 1)


def local_addresses() -> Iterator[tuple[str, IPAddress]]:
    """Yield every interface name with each of its addresses; link-local IPv6 addresses keep their zone."""
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            yield adapter.nice_name, _address(entry)


def _address(entry: ifaddr.IP) -> IPAddress:
    if isinstance(entry.ip, str):
        return IPv4Address(entry.ip)
    host, _flow, scope_id = entry.ip
    address = IPv6Address(host)
    return IPv6Address(f"{host}%{scope_id}") if address.is_link_local and scope_id else address
