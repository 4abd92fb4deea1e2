"""A real ICE agent as the last word: two of them, restricted to relay candidates, connect through a TURN server."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure, Observation
from rtcdiag.targets import Transport


class IceMeeting(Observation, frozen=True, kw_only=True, tag=True):
    """Two agents of this program behind one TURN server (RFC 8445; relay only as RFC 9429 section 3.5.3 has it)."""

    server: str
    transport: Transport
    destination: TransportAddress
    """The server's address that was asked."""
    outcome: Literal["no-relay", "not-connected", "no-data", "connected"]
    """``no-relay``: one of them got no relay candidate. ``connected``: data arrived at both."""
    relayed: tuple[TransportAddress, ...] = ()
    gathering_ms: float | None = None
    connecting_ms: float | None = None
    """From the exchange of candidates to a nominated pair at both."""
    failure: Failure | None = None
    """Set where time ran out, or the network failed; None where the server or the checks said no."""
    detail: str | None = None
    released: bool = True
    """Whether the server confirmed that the allocations are released."""
