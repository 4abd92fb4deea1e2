"""This network's filter as seen from a TURN server's relay: an address beyond it that sends what it is told to."""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure, Observation
from rtcdiag.targets import Transport

VantageOutcome = Literal[
    "ready",
    "unreachable",
    "refused",
    "no-relayed-address",
    "implausible-relayed-address",
    "no-other-server",
    "no-mapped-address",
    "peer-refused",
]


class VantagePoint(Observation, frozen=True, kw_only=True, tag=True):
    """An allocation from whose relayed address the filter was tested, or was to be."""

    server: str
    """The TURN server's URI."""
    transport: Transport
    """How this computer talks to it."""
    destination: TransportAddress
    """The server's address that was asked."""
    relayed: TransportAddress | None = None
    outcome: VantageOutcome
    """``no-other-server``: none at another IP address than the relay's could tell a test socket's mapped address;
    ``no-mapped-address``: those that were asked did not; ``peer-refused``: no permission to send to it."""
    error_code: int | None = None
    failure: Failure | None = None


class VantageOpening(Observation, frozen=True, kw_only=True, tag=True):
    """Datagrams from a test socket to a relayed address: they open the filter, and the relay sees the mapping."""

    server: str
    """The TURN server's URI."""
    relayed: TransportAddress
    """To where they were sent."""
    socket: str
    """The test socket's label."""
    local: TransportAddress | None = None
    interface: str | None = None
    sent_ms: tuple[float, ...]
    seen_ms: float | None = None
    """When the first came back as relayed data; None where none did."""
    mapped: TransportAddress | None = None
    """From where the relay saw it come."""


class KnockArrival(msgspec.Struct, frozen=True, kw_only=True):
    """One datagram of a knock that got in."""

    number: int
    """Which of those sent, from 0."""
    t_ms: float
    source: TransportAddress


class VantageKnock(Observation, frozen=True, kw_only=True, tag=True):
    """Datagrams that a relay was told to send to a test socket's mapped address, and which of them got in."""

    server: str
    """The TURN server's URI."""
    transport: Transport
    """How this computer tells the server what to send."""
    relayed: TransportAddress
    """From where they have to come."""
    socket: str
    """The test socket's label."""
    local: TransportAddress | None = None
    peer: TransportAddress
    """The mapped address that they were sent to."""
    sent_ms: tuple[float, ...]
    arrivals: tuple[KnockArrival, ...] = ()
    """Told by their content, from wherever they came; the first copy of each."""


class VantageBinding(Observation, frozen=True, kw_only=True, tag=True):
    """A Binding request that was sent from a relayed address: what the STUN server ought to answer is known."""

    server: str
    """The STUN server's URI."""
    destination: TransportAddress
    via: str
    """The TURN server's URI."""
    relayed: TransportAddress
    """Where the request came from, and so what a server that tells the truth answers."""
    sent_ms: tuple[float, ...]
    told: TransportAddress | None = None
    """The mapped address of the answer; None where none came."""
