"""Fragments: the later ones go where the first one went (RFC 4787 section 11), and large packets are cut (RFC 791)."""

from collections import OrderedDict

from rtcdiag.lab.packet import Packet, checksum
from rtcdiag.lab.translation import Crossing, Side

_LIFETIME_S = 30.0
_MOST = 256
_Key = tuple[Side, bytes, bytes, int, int]


class Fragments:
    """Where first fragments went; the one of longest ago is forgotten when there are too many."""

    def __init__(self) -> None:
        self._crossings: OrderedDict[_Key, tuple[Crossing, float]] = OrderedDict()

    def remember(self, side: Side, packet: Packet, crossing: Crossing, now_s: float) -> None:
        """Remember where a first fragment goes."""
        if len(self._crossings) >= _MOST:
            self._crossings.popitem(last=False)
        self._crossings[_key(side, packet)] = crossing, now_s + _LIFETIME_S

    def recall(self, side: Side, packet: Packet, now_s: float) -> Crossing | None:
        """Return where a later fragment goes, or None where its first one was not seen before."""
        crossing, until_s = self._crossings.get(_key(side, packet), (None, 0.0))
        if crossing is None or now_s >= until_s:
            return None
        return crossing


def _key(side: Side, packet: Packet) -> _Key:
    identification = packet.fragment[0] if packet.fragment else 0
    return side, packet.source[0], packet.destination[0], packet.protocol, identification


def split(data: bytes, mtu: int) -> list[bytes]:
    """Return an IPv4 packet in pieces of at most ``mtu`` bytes, which is 68 or more (RFC 791 section 3.2)."""
    start = (data[0] & 15) * 4
    head, body = data[:start], data[start:]
    size = (mtu - start) // 8 * 8
    field = int.from_bytes(data[6:8])
    pieces = []
    for at in range(0, len(body), size):
        more = field & 0x2000 or (0x2000 if at + size < len(body) else 0)
        pieces.append(_piece(head, body[at : at + size], (field & 0x1FFF) + at // 8 | more))
    return pieces


def _piece(head: bytes, body: bytes, field: int) -> bytes:
    out = bytearray(head)
    out[2:4] = (len(head) + len(body)).to_bytes(2)
    out[6:8] = (field & 0x3FFF).to_bytes(2)
    out[10:12] = bytes(2)
    out[10:12] = checksum(out).to_bytes(2)
    return bytes(out) + body
