"""Who refused a datagram and why, from Linux's error queue (``IP_RECVERR``, ``struct sock_extended_err``)."""

import errno
import socket
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from rtcdiag.address import Family, IPAddress, TransportAddress, family_of
from rtcdiag.evidence import Failure
from rtcdiag.net.failures import errno_failure
from rtcdiag.net.resolver import FAMILIES

_HEAD = struct.Struct("=IBBBxII")
"""ee_errno, ee_origin, ee_type, ee_code, padding, ee_info, ee_data; then the socket address of the sender."""
_ORIGINS = {2: Family.IPV4, 3: Family.IPV6}
"""SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6; anything else is this computer's own word."""
_PROHIBITED = {
    # Destination network, host and communication administratively prohibited (RFC 1122, RFC 1812).
    Family.IPV4: {(3, 9), (3, 10), (3, 13)},
    # Communication administratively prohibited, source address failed policy, reject route (RFC 4443 section 3.1).
    Family.IPV6: {(1, 1), (1, 5), (1, 6)},
}


class Refusal(NamedTuple):
    """An error that a datagram met."""

    failure: Failure
    destination: TransportAddress | None = None
    """Where the datagram was to go; None where the system does not tell."""
    reporter: IPAddress | None = None
    """Who sent the ICMP message; None where it is not known, or no message came."""


def refusal_of(data: bytes, destination: TransportAddress) -> Refusal:
    """Read one entry of the error queue about a datagram to ``destination``; what is cut off tells only less."""
    if len(data) < _HEAD.size:
        return Refusal(Failure.OTHER_OS_ERROR, destination)
    number, origin, kind, code, _info, _data = _HEAD.unpack_from(data)
    family = _ORIGINS.get(origin)
    if family is None:
        return Refusal(errno_failure(number), destination)
    reporter = _sender(data[_HEAD.size :], family)
    prohibited = (kind, code) in _PROHIBITED[family]
    if not prohibited and number != errno.ECONNREFUSED:
        return Refusal(errno_failure(number), destination, reporter)
    return Refusal(_refused(reporter, destination, prohibited=prohibited), destination, reporter)


def _refused(reporter: IPAddress | None, destination: TransportAddress, *, prohibited: bool) -> Failure:
    """Tell who refused: the destination itself or its own firewall, one on the way, or the one of this computer."""
    if reporter is None:
        return Failure.ADMIN_PROHIBITED if prohibited else Failure.CONNECTION_REFUSED
    if reporter == destination.ip:
        return Failure.CONNECTION_REFUSED
    # This computer speaks of others only where its own firewall rejects, instead of drops, what is sent.
    return Failure.PERMISSION_DENIED if _is_here(reporter) else Failure.ADMIN_PROHIBITED


def _sender(sockaddr: bytes, family: Family) -> IPAddress | None:
    """Return the address in a ``sockaddr_in`` or ``sockaddr_in6``; None where the kernel gave none."""
    start, size = (4, 4) if family is Family.IPV4 else (8, 16)
    raw = sockaddr[start : start + size]
    if len(raw) < size or struct.unpack_from("=H", sockaddr)[0] != FAMILIES[family]:
        return None
    return IPv4Address(raw) if family is Family.IPV4 else IPv6Address(raw)


def _is_here(ip: IPAddress) -> bool:
    """Whether an address is one of this computer: only such a one can be bound."""
    with socket.socket(FAMILIES[family_of(ip)], socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((str(ip), 0))
        except OSError:
            return False
    return True
