"""NAT-PMP: the request for the external address, and its answer (RFC 6886 section 3.2)."""

import struct
from ipaddress import IPv4Address

from rtcdiag.portmap.answer import PortmapAnswer

EXTERNAL_ADDRESS_REQUEST = b"\0\0"
"""Version 0, opcode 0. It changes nothing in the router."""
_RESPONSE = 128


def decode(data: bytes) -> PortmapAnswer | None:
    """Return the answer to ``EXTERNAL_ADDRESS_REQUEST``, None for anything else.

    A refusal may end before the address; one that bears version 2 is of a server that knows PCP only.
    """
    if len(data) < 8 or data[1] & _RESPONSE == 0:
        return None
    version, opcode = data[0], data[1] & 0x7F
    if version == 2:
        return PortmapAnswer(version=2, result=data[3]) if data[3] else None
    result, epoch_s = struct.unpack_from("!HI", data, 2)
    if version or opcode or (result == 0 and len(data) < 12):
        return None
    external = IPv4Address(data[8:12]) if result == 0 else None
    return PortmapAnswer(version=0, result=result, epoch_s=epoch_s, external=external)
