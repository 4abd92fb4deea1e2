"""An application-level gateway of the worst kind: it looks for addresses anywhere in UDP payloads.

This is what XOR-MAPPED-ADDRESS hides from (RFC 8489 section 14.2).
"""

from rtcdiag.lab.packet import UDP, Packet, checksum
from rtcdiag.lab.translation import Crossing, Side


def rewrite_payload(packet: Packet, crossing: Crossing, out: bytes) -> bytes:
    """Return ``out`` with the address that was translated replaced in its UDP payload too, and its checksum right."""
    if packet.protocol != UDP or packet.fragment or packet.version != 4:
        return out
    old, new = packet.source[0], crossing.source[0]
    if crossing.to is Side.INSIDE:
        old, new = packet.destination[0], crossing.destination[0]
    at = packet.start + 8
    head, payload = bytearray(out[:at]), out[at:].replace(old, new)
    head[packet.start + 6 : at] = bytes(2)
    datagram = head[packet.start :] + payload
    pseudo = int.from_bytes(out[12:20]) + UDP + len(datagram)
    head[packet.start + 6 : at] = (checksum(datagram, pseudo) or 0xFFFF).to_bytes(2)
    return bytes(head) + payload
