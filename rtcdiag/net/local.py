"""Where a socket stands on this computer: its address, and the interface that its packets leave by."""

import contextlib
import socket
import sys
from ipaddress import IPv6Address
from pathlib import Path
from typing import NamedTuple

from rtcdiag.address import IPAddress

# Not in Python's socket module everywhere: linux/if.h by way of asm-generic/socket.h, and netinet/in.h of macOS.
_SO_BINDTODEVICE = 25
_SYSFS, _IFF_UP = Path("/sys/class/net"), 0x1
_IP_BOUND_IF, _IPV6_BOUND_IF = 25, 125


class Local(NamedTuple):
    """What the user asked for; nothing leaves the choice to the system."""

    address: IPAddress | None = None
    interface: str | None = None
    """An address alone does not choose the interface: the route to the destination does."""

    def place(self, sock: socket.socket, port: int = 0) -> None:
        """Bind a new socket; raise OSError where the address or the port cannot be had."""
        if self.interface is not None:
            _pin(sock, self.interface)
        if self.address is not None or port:
            sock.bind(_socket_address(self.address, port))


ANYWHERE = Local()


def _socket_address(address: IPAddress | None, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return what ``bind`` takes; of a link-local address, the interface has to be told as a number."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        zone = address.scope_id
        index = int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)
        return str(IPv6Address(address.packed)), port, 0, index
    return str(address) if address else "", port


def can_bind(address: IPAddress) -> bool:
    """Tell whether a socket can be bound to an address; nothing is sent."""
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        try:
            Local(address).place(sock)
        except OSError:
            return False
    return True


def is_down(interface: str) -> bool:
    """Tell whether Linux says that an interface was not brought up; False where nobody tells."""
    if sys.platform != "linux":
        return False
    try:
        return not int((_SYSFS / interface / "flags").read_text(encoding="ascii"), 16) & _IFF_UP
    except (OSError, ValueError):
        return False


def pinning(interface: str | None) -> list[tuple[int, int, bytes]]:
    """Return the socket options by which others' sockets leave by an interface, where the system has one (Linux)."""
    if interface is None or sys.platform != "linux":
        return []
    return [(socket.SOL_SOCKET, _SO_BINDTODEVICE, interface.encode() + b"\0")]


def _pin(sock: socket.socket, interface: str) -> None:
    # Where the system does not let us, the address that is bound too still says what was meant.
    with contextlib.suppress(PermissionError):
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, interface.encode() + b"\0")
        elif sys.platform == "darwin":
            index = socket.if_nametoindex(interface)
            if sock.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_BOUND_IF, index)
            else:
                sock.setsockopt(socket.IPPROTO_IP, _IP_BOUND_IF, index)
