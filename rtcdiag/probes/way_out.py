"""The way from here to the servers, as far as the default gateway on it."""

import sys
from ipaddress import IPv4Address
from typing import NamedTuple

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, scope_of
from rtcdiag.evidence import Failure
from rtcdiag.net import Net
from rtcdiag.net.routes import INTERNET


class Way(NamedTuple):
    """Whom to ask, and from where."""

    gateway: IPAddress
    """A link-local address with its zone."""
    source: IPAddress
    interface: str

    def at(self, port: int) -> TransportAddress:
        """Return a port of the gateway."""
        return TransportAddress(self.gateway, port)

    def is_gateway(self, address: TransportAddress) -> bool:
        """Tell whether something came from the gateway, whatever its port."""
        return address.ip.packed == self.gateway.packed


def way_out(net: Net, family: Family, servers: list[IPAddress]) -> Way | str | None:
    """Return the way to the first server outside, why it is not known, or None where there is no gateway to ask.

    A public IPv4 address here needs no translation: its gateway is a provider's router, which nobody should ask.
    """
    sources = [(server, net.source_towards(server)) for server in servers]
    outside = [(server, source) for server, source in sources if not isinstance(source, Failure) and source != server]
    if not outside:
        return None
    if sys.platform != "linux":
        return "the default gateway is known on Linux only"
    ways = (_way(net, server, source) for server, source in outside)
    way = next((way for way in ways if way is not None and way.gateway == net.gateway_towards(INTERNET[family])), None)
    if way is None:
        return "the way to the servers passes no default gateway"
    return None if isinstance(way.source, IPv4Address) and scope_of(way.source) is Scope.GLOBAL else way


def _way(net: Net, server: IPAddress, source: IPAddress) -> Way | None:
    interface, gateway = net.interface_towards(server), net.gateway_towards(server)
    return Way(gateway, source, interface) if interface is not None and gateway is not None else None
