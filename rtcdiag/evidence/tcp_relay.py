"""A relay of TCP connections (RFC 6062), which is asked for by AllocationTrial with the wish ``tcp``."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.turn import TurnStep
from rtcdiag.evidence.wire import Exchange

ConnectionStep = Literal["permission", "connect", "bind-out", "bind-in"]
"""CreatePermission for the other relay; Connect to it; ConnectionBind of the end that asked for the connection, and of
the end that was told of it by a ConnectionAttempt."""


class PeerConnection(TurnStep, frozen=True, kw_only=True, tag=True):
    """One step towards a relayed connection between two allocations of the probe (RFC 6062 sections 4.3 and 4.4)."""

    step: ConnectionStep
    peer: TransportAddress
    exchange: Exchange


class RelayedStream(TurnStep, frozen=True, kw_only=True, tag=True):
    """Bytes sent through a relayed connection, each way."""

    peer: TransportAddress
    attempt: bool
    """Whether the other allocation was told of the connection."""
    sent_bytes: int
    """So many each way."""
    out_bytes: int
    """What arrived at the end that was told of the connection."""
    back_bytes: int
    """What arrived at the end that asked for it."""
