"""Which candidates a web page gets to see: what Chromium does, which is RFC 8828 with mDNS names on top."""

import re
from ipaddress import IPv4Address, IPv6Address

from rtcdiag.address import IPAddress
from rtcdiag.evidence.candidate import CandidateType, Exposure

_NEVER_ENUMERATED = re.compile(r"lo\d*$|.*(vmnet|vnic)", re.IGNORECASE)
"""Loopback, and the interfaces of virtual machines that Chromium leaves out by name; those of containers it takes."""


def exposure(
    kind: CandidateType, base: IPAddress | None, interface: str | None, *, on_default_route: bool
) -> tuple[Exposure, Exposure]:
    """Return what a page sees of a candidate without, and with, permission for camera or microphone.

    ``base`` is the local address behind the candidate; ``on_default_route`` tells whether the system itself would have
    chosen it, towards the internet for a host candidate, towards its server for a server-reflexive one.

    Without permission (RFC 8828 section 5.2, mode 2) a browser binds to no interface of its own choice: it shows what
    the default route gives, the host candidate as an mDNS name, and the server-reflexive one without its related
    address. With permission (mode 1) it shows every interface. A relay candidate tells nothing about this computer.
    Two things a browser knows are not known here: which IPv6 addresses are deprecated, and which are temporary (of
    several in one network it takes one).
    """
    if kind == "relay":
        return "as-is", "as-is"
    with_permission: Exposure = "as-is" if _is_enumerated(base, interface) else "hidden"
    if not on_default_route:
        return "hidden", with_permission
    if kind == "host":
        return ("mdns" if with_permission == "as-is" else "hidden"), with_permission
    return "as-is", with_permission


def _is_enumerated(base: IPAddress | None, interface: str | None) -> bool:
    if interface is not None and _NEVER_ENUMERATED.match(interface):
        return False
    match base:
        case IPv4Address():
            return not base.is_loopback
        case IPv6Address():
            return not (base.is_loopback or base.is_link_local or _has_mac(base))
        case _:
            return True


def _has_mac(ip: IPv6Address) -> bool:
    """Tell an interface identifier that was made of a MAC address (RFC 4291 appendix A)."""
    return ip.packed[11:13] == b"\xff\xfe"
