"""PCP: ANNOUNCE, which makes no mapping, and its answer (RFC 6887 sections 7 and 14.1)."""

import struct
from ipaddress import IPv4Address, IPv6Address

from rtcdiag.portmap.answer import PortmapAnswer

_VERSION = 2
_ANNOUNCE = 0
_RESPONSE = 128
_HEADER_BYTES = 24
_MOST_BYTES = 1100
"""RFC 6887 section 7: no message is longer."""


def announce_request(client: IPv4Address | IPv6Address) -> bytes:
    """Return an ANNOUNCE request from ``client``, the address that the packet leaves with."""
    mapped = client if isinstance(client, IPv6Address) else IPv6Address(f"::ffff:{client}")
    return struct.pack("!BBHI", _VERSION, _ANNOUNCE, 0, 0) + mapped.packed


def decode(data: bytes) -> PortmapAnswer | None:
    """Return the answer to an ANNOUNCE, None for anything else.

    One that bears version 0 is of a server that knows NAT-PMP only (RFC 6887 appendix A).
    """
    if not 4 <= len(data) <= _MOST_BYTES or data[1] & _RESPONSE == 0:
        return None
    if data[0] == 0:
        result = int.from_bytes(data[2:4])
        return PortmapAnswer(version=0, result=result) if result else None
    if data[0] != _VERSION or data[1] & 0x7F != _ANNOUNCE or len(data) < _HEADER_BYTES:
        return None
    return PortmapAnswer(version=_VERSION, result=data[3], epoch_s=int.from_bytes(data[8:12]))
