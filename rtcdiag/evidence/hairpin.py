"""Hairpinning: two sockets of this computer that send to each other's mapped address (RFC 5780 section 3.4)."""

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Observation
from rtcdiag.evidence.wire import Exchange


class HairpinEnd(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two sockets."""

    local: TransportAddress | None
    before: Exchange
    """The Binding transaction that told its mapped address. The first end sends its request again beside each datagram,
    so that answers, which count as duplicates, show when the network was not losing everything."""
    after: Exchange | None = None
    """The same once more after the test: the mapping is still there, and the server still gets through to it."""
    sent_ms: tuple[float, ...] = ()
    """When it sent to the other end's mapped address."""
    received: int = 0
    """How many of the other end's datagrams arrived, recognized by their transaction id."""
    sources: tuple[TransportAddress, ...] = ()
    """From where they came."""


class Hairpin(Observation, frozen=True, kw_only=True, tag=True):
    """Both ends send to each other's mapped address at the same time, as two ICE agents behind one NAT do."""

    server: str
    """Who told the mapped addresses."""
    destination: TransportAddress
    interface: str | None = None
    ends: tuple[HairpinEnd, HairpinEnd]
