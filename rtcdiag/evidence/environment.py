"""This computer: interfaces and routes, as far as they decide what a peer-to-peer connection can use."""

from typing import Literal

import msgspec

from rtcdiag.address import Family


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """A network interface that is up, and its addresses. No MAC address, no SSID."""

    name: str
    role: Literal["loopback", "ethernet", "wifi", "vpn", "container", "mobile", "other"]
    """A guess from the name and the operating system; only words in the report hang on it."""
    addresses: tuple[str, ...]
    """IP addresses, without prefix length."""
    default_routes: tuple[Family, ...] | None = None
    """The families in which it has a default route of its own, used or not; None where the system does not tell."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The computer that the report is about."""

    os: str = ""
    """``Linux 6.1``: system and release, no host name."""
    python: str = ""
    interfaces: tuple[Interface, ...] = ()
    default_route: str | None = None
    """The interface by which the system sends towards the internet: of IPv4 where there is a route, else of IPv6."""
    default_interfaces: dict[str, str] = {}
    """The same for each family that has a route: ``ipv4``, ``ipv6``. They may differ."""
    vpn: bool = False
    """Whether the default route goes through an interface that looks like a VPN."""
    container: bool = False
    ipv4: bool = False
    """Whether there is a route to the IPv4 internet, and a source address for it that is neither loopback nor
    link-local (RFC 3927)."""
    ipv6: bool = False
    """The same for IPv6, with a source address of global or unique local scope."""
    proxies: tuple[str, ...] = ()
    """The environment variables that name a proxy for the web (``HTTPS_PROXY``), without their values."""
    clock_offset_s: float | None = None
    """This clock minus a reference, in seconds; None where none was asked."""
