"""Whether large datagrams get through (RFC 5780 section 3.5)."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Observation
from rtcdiag.evidence.wire import Exchange

SizeTest = Literal["long", "long-fragmented", "padding-refused", "padding", "padding-fragmented", "unfragmented"]


class SizedBinding(Observation, frozen=True, kw_only=True, tag=True):
    """One Binding transaction whose request, or whose answer, has a size on purpose."""

    server: str
    destination: TransportAddress
    local: TransportAddress | None
    interface: str | None = None
    test: SizeTest
    """``long``: fits any link. ``long-fragmented``: the request is cut, its answer is short. ``padding-refused``: with
    PADDING and RESPONSE-PORT, which a server that knows both refuses with a short 400 (RFC 5780 section 6.1).
    ``padding``: a short request for an answer with PADDING (section 7.6). ``padding-fragmented``: both are cut.
    ``unfragmented``: may not be cut on its way (IPv4's DF)."""
    packet_bytes: int
    """The request as one IP packet, with its headers."""
    exchange: Exchange
