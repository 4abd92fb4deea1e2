"""The parts of a lab, made in the process that calls; each raises OSError and LabError."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rtcdiag.lab import host, linux
from rtcdiag.lab.interfaces import Network, plug, tap_is_open
from rtcdiag.lab.iproute import ip
from rtcdiag.lab.plan import NAME_SERVER, OPERATORS, ROUTER, ROUTER6, Group, HostPlan
from rtcdiag.lab.wire import Port

_SETTINGS = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    # The kernel's own limits on its errors would make the second test of a port closed look like a silent one.
    "ipv4/icmp_ratelimit": "0",
    "ipv6/icmp/ratelimit": "0",
}


_NOWHERE = "nowhere"
_NOBODYS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""What the internet swallows without a word. Refused at once instead, it would break a relay: coturn gives up the
relayed address of a client whose peer has a private address."""


class Grounds(NamedTuple):
    """Where everything is built."""

    internet: Network
    wires: Network
    """Without addresses: where packet sockets hold the far ends of veth pairs."""
    tap: bool


def grounds(*, tap: bool | None) -> Grounds:
    """Make the networks that every lab has, and stay on the internet. For the first process of a PID namespace."""
    linux.own_mounts()
    with suppress(PermissionError):  # a container may forbid it, and /proc then shows more processes than there are
        linux.mount("proc", "/proc", "proc")
    wires = Network.new()
    return Grounds(Network.new(), wires, tap_is_open() if tap is None else tap)


def build_internet(grounds: Grounds, groups: Sequence[Group], addresses: Sequence[str]) -> list[Port]:
    """Give the internet its addresses and its ways to the hosts; return its end of each way, and of that to nobody."""
    names = [f"to-{''.join(host.side for host in group.hosts)}" for group in groups]
    ports = [plug(grounds.internet, name, grounds.wires, tap=grounds.tap) for name in (*names, _NOWHERE)]
    own = [ROUTER, ROUTER6, NAME_SERVER, *addresses]
    own += [address for operator in OPERATORS for family in operator for address in family]
    routes = [
        f"route add {network} dev {name}" for name, group in zip(names, groups, strict=True) for network in group.routed
    ]
    ip(
        "link set lo up",
        *(
            f"address add {address} dev lo nodad" if ":" in address else f"address add {address} dev lo"
            for address in own
        ),
        *(f"link set {name} up" for name in (*names, _NOWHERE)),
        *routes,
        *(f"route add {network} dev {_NOWHERE}" for network in _NOBODYS),
    )
    for name, value in _SETTINGS.items():
        Path("/proc/sys/net", name).write_text(value, encoding="ascii")
    return ports


def build_host(grounds: Grounds, plan: HostPlan) -> tuple[Network, Port]:
    """Make the network of a host; return it and our end of the host's interface."""
    with grounds.internet.entered():
        network = Network.new()
        port = plug(network, host.INTERFACE, grounds.wires, tap=grounds.tap)
        host.configure(plan)
    return network, port


def build_gateway(grounds: Grounds, plan: HostPlan) -> tuple[Network, tuple[Port, Port]]:
    """Make the network of a program that answers for the host's router; return it and our ends of its LAN and WAN.

    Nothing ever comes from the WAN: it is there to have the router's outer addresses.
    """
    with grounds.internet.entered():
        network = Network.new()
        ports = tuple(plug(network, name, grounds.wires, tap=grounds.tap) for name in (host.LAN, host.WAN))
        host.configure_gateway(plan)
    return network, (ports[0], ports[1])
