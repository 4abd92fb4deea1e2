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

# Documentation addresses (RFC 5737, RFC 3849) stand for "the internet" in a route look-up: nobody has them.
INTERNET: dict[Family, IPAddress] = {
    Family.IPV4: IPv4Address("192.0.2.1"),
    Family.IPV6: IPv6Address("2001:db8::1"),
}


def source_towards(destination: IPAddress, local: Local = ANYWHERE) -> IPAddress | Failure:
    """Return the local address that packets to ``destination`` would carry, or why there is none."""
    with socket.socket(FAMILIES[family_of(destination)], socket.SOCK_DGRAM) as sock:
        try:
            local.place(sock)
            sock.connect((str(destination), 9))
        except OSError as error:
            return failure_of(error)
        return ip_address(str(sock.getsockname()[0]))


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
