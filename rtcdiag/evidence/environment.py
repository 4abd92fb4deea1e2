"""This computer: interfaces and routes, as far as they decide what a peer-to-peer connection can use."""

from typing import Literal

import msgspec


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """A network interface that is up, and its addresses. No MAC address, no SSID."""

    name: str
    role: Literal["loopback", "ethernet", "wifi", "vpn", "container", "mobile", "other"]
    """A guess from the name and the operating system; only words in the report hang on it."""
    addresses: tuple[str, ...]
    """IP addresses, without prefix length."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The computer that the report is about."""

    os: str = ""
    """``Linux 6.1``: system and release, no host name."""
    python: str = ""
    interfaces: tuple[Interface, ...] = ()
    default_route: str | None = None
    """The interface that holds the address which the system chooses towards the internet."""
    vpn: bool = False
    """Whether the default route goes through an interface that looks like a VPN."""
    container: bool = False
    ipv4: bool = False
    """Whether there is a route to the IPv4 internet, and a source address for it that is not loopback."""
    ipv6: bool = False
    """The same for IPv6, with a source address of global or unique local scope."""
    clock_offset_s: float | None = None
    """This clock minus a reference, in seconds; None where none was asked."""
