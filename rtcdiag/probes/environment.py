"""This computer, as far as it decides what a peer-to-peer connection can use: no packet, no command, a few ms."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from rtcdiag.address import Family, IPAddress, Scope, scope_of
from rtcdiag.evidence import Environment, Failure, Interface
from rtcdiag.net import Net
from rtcdiag.net.routes import INTERNET, default_routes, local_addresses, source_towards
from rtcdiag.net.rtnetlink import interface_towards

InterfaceRole = Literal["loopback", "ethernet", "wifi", "vpn", "container", "mobile", "other"]

_NAMES: dict[InterfaceRole, tuple[str, ...]] = {
    "loopback": (r"lo\d*$", r".*loopback"),
    "vpn": (
        r"(tun|tap|wg|utun|ppp|ipsec|zt|nordlynx|proton|warp|cscotun|gpd)[\w-]*\d",
        r"wg-",
        r".*(tailscale|wireguard|wintun|zerotier|nordlynx|cloudflarewarp|anyconnect|globalprotect|\bvpn|\btap-)",
    ),
    "container": (
        r"(docker|br-|veth|cni|virbr|vmnet|vnic|vboxnet|lxc|lxd|incusbr|podman|flannel|cali|cilium|kube)",
        r"bridge1\d\d$",
        r".*(hyper-v|vmware|virtualbox|vethernet)",
    ),
    "mobile": (r"(wwan|wwp|wwx|rmnet|ccmni|pdp_ip)", r".*(mobile broadband|cellular)"),
    "wifi": (r"(wl|wifi)\w*\d", r".*(wi-?fi|wireless|802\.11|wlan)"),
    "ethernet": (r"(eth|en|em|bond|team)[\w.]*\d", r".*(ethernet|gigabit|gbe)"),
}
"""Names of Linux, macOS and FreeBSD; on Windows an interface bears its adapter's description. The first that matches
counts: a ``vEthernet`` is no Ethernet, and a ``Wi-Fi Direct Virtual Adapter`` no virtual machine."""
_SYSFS = Path("/sys/class/net")
_ARP_HARDWARE_TYPES: dict[str, InterfaceRole] = {"772": "loopback", "65534": "vpn", "519": "mobile"}
"""ARPHRD_LOOPBACK, ARPHRD_NONE (TUN and WireGuard) and ARPHRD_RAWIP of Linux's ``if_arp.h``."""
_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_CONTAINER_FILES = (Path("/.dockerenv"), Path("/run/.containerenv"))
_CGROUP = Path("/proc/1/cgroup")
_PROCESSES = Path("/proc")
_GENERATIONS = 64
_CGROUP_HINTS = ("docker", "kubepods", "containerd", "/lxc/", "libpod", "buildkit")


def environment(net: Net) -> Environment:
    """Describe this computer: whatever the options ask for, as the system itself would choose."""
    found = tuple(interfaces())
    sources = {family: source_towards(address) for family, address in INTERNET.items()}
    ipv4, ipv6 = sources[Family.IPV4], sources[Family.IPV6]
    leaving = {family.value: name for family, source in sources.items() if (name := _leaves_by(net, family, source))}
    default = next(iter(leaving.values()), None)
    return Environment(
        os=operating_system(),
        python=sys.version.partition(" ")[0],
        interfaces=found,
        default_route=default,
        default_interfaces=leaving,
        vpn=any(interface.name == default and interface.role == "vpn" for interface in found),
        container=in_container(),
        ipv4=not isinstance(ipv4, Failure) and scope_of(ipv4) not in (Scope.LOOPBACK, Scope.LINK_LOCAL),
        ipv6=not isinstance(ipv6, Failure) and scope_of(ipv6) in (Scope.GLOBAL, Scope.PRIVATE),
        proxies=tuple(name for name in _PROXIES if os.environ.get(name)),
    )


def _leaves_by(net: Net, family: Family, source: IPAddress | Failure) -> str | None:
    """Return the interface towards the internet of a family that has a route; loopback is none."""
    if isinstance(source, Failure) or scope_of(source) is Scope.LOOPBACK:
        return None
    return interface_towards(INTERNET[family]) or net.interface_of(source)


def interfaces() -> Iterator[Interface]:
    """Yield the interfaces that have an address, in the system's order."""
    owned: dict[str, list[str]] = {}
    for name, ip in local_addresses():
        # The zone of a link-local address is a number of this computer; the interface stands beside it anyway.
        owned.setdefault(name, []).append(str(ip).partition("%")[0])
    routed = {family: default_routes(family) for family in Family}
    known = None not in routed.values()
    for name, addresses in owned.items():
        own = tuple(family for family, names in routed.items() if names is not None and name in names)
        yield Interface(
            name=name, role=role_of(name), addresses=tuple(addresses), default_routes=own if known else None
        )


def role_of(name: str) -> InterfaceRole:
    """Guess what an interface is, from the system where that is cheap, else from its name."""
    return _role_of_system(name) or role_by_name(name)


def role_by_name(name: str) -> InterfaceRole:
    """Guess what an interface is from its name alone: ``wg0`` is a VPN, ``docker0`` belongs to containers."""
    found = (role for role, names in _NAMES.items() if re.match("|".join(names), name, re.IGNORECASE))
    return next(found, "other")


def _role_of_system(name: str) -> InterfaceRole | None:
    """Return what Linux says of an interface; None on other systems and where it says nothing that helps."""
    if sys.platform != "linux" or "/" in name or name.startswith("."):
        return None
    entry = _SYSFS / name
    if (entry / "wireless").exists() or (entry / "phy80211").exists():
        return "wifi"
    try:
        return _ARP_HARDWARE_TYPES.get((entry / "type").read_text().strip())
    except OSError:
        return None


def operating_system() -> str:
    """Return system and release, ``Linux 6.1.0``; of a kernel's release only the number, for the rest may be a name."""
    if sys.platform == "win32":
        version = sys.getwindowsversion()
        return f"Windows {version.major}.{version.minor}.{version.build}"
    if sys.platform == "darwin":
        import platform  # noqa: PLC0415 - of no use elsewhere, and slow to import

        return f"macOS {platform.mac_ver()[0]}"
    kernel = os.uname()
    number = re.match(r"\d+(\.\d+)*", kernel.release)
    # A Linux inside Windows has a NAT of its own in front, which is worth knowing.
    inside = " (WSL)" if "microsoft" in kernel.release.lower() else ""
    return f"{kernel.sysname} {number[0] if number else ''}".strip() + inside


def in_container() -> bool:
    """Tell whether this runs in a container and in its network, as far as container engines let it show.

    Who made a network namespace inside a container (``ip netns``, the lab) is in another network than the container's.
    """
    return _is_contained() and not _is_in_another_network()


def _is_in_another_network() -> bool:
    """Tell whether a process that this one descends from, and that shows it, is in another network namespace."""
    networks = {network for pid in ("self", *_ancestors()) if (network := _network_of(pid))}
    return len(networks) > 1


def _network_of(pid: str) -> Path | None:
    try:
        return (_PROCESSES / pid / "ns" / "net").readlink()
    except OSError:
        return None


def _ancestors() -> Iterator[str]:
    pid = "self"
    for _ in range(_GENERATIONS):
        try:  # proc_pid_stat(5): the parent is the second field after the name, which stands in parentheses
            pid = (_PROCESSES / pid / "stat").read_text().rpartition(")")[2].split()[1]
        except (OSError, UnicodeDecodeError, IndexError):
            return
        yield pid


def _is_contained() -> bool:
    if any(path.exists() for path in _CONTAINER_FILES) or os.environ.get("container"):  # noqa: SIM112 - systemd's name
        return True
    try:
        groups = _CGROUP.read_text()
    except (OSError, UnicodeDecodeError):
        return False
    return any(hint in groups for hint in _CGROUP_HINTS)
