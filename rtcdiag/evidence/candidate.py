"""ICE candidates as gathered here (RFC 8445 section 5.1)."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure, Observation

CandidateType = Literal["host", "srflx", "prflx", "relay"]
Exposure = Literal["as-is", "mdns", "hidden"]


class Candidate(Observation, frozen=True, kw_only=True, tag=True):
    """One candidate that an ICE agent gathers on this computer."""

    type: CandidateType
    address: TransportAddress
    related: TransportAddress | None = None
    """The base or mapped address that the candidate stands for (raddr and rport in SDP)."""
    component: int = 1
    priority: int
    """RFC 8445 section 5.1.2; ``priority >> 24`` is the type preference."""
    foundation: str
    protocol: Literal["udp", "tcp"] = "udp"
    relay_protocol: Literal["udp", "tcp", "tls"] | None = None
    """How this computer talks to the TURN server; None but for relay candidates."""
    interface: str | None = None
    server: str | None = None
    """The URI of the server that gave it; None for host candidates."""
    gathered_by: Literal["aioice", "rtcdiag"] = "aioice"
    """``rtcdiag``: a candidate that browsers gather and aioice does not (server-reflexive over IPv6)."""
    browser_without_permission: Exposure = "as-is"
    """What a page without camera or microphone permission sees (RFC 8828 section 5.2 mode 2, mDNS host candidates)."""
    browser_with_permission: Exposure = "as-is"
    """What a page sees that may use camera or microphone (RFC 8828 section 5.2 mode 1)."""
    sdp: str
    """The candidate attribute's value."""


class Gathering(Observation, frozen=True, kw_only=True, tag=True):
    """One agent's gathering with one server; tells a server that gave nothing from one that was not asked."""

    server: str | None
    """None: host candidates only."""
    candidates: int
    redundant: int = 0
    """Server-reflexive candidates that equal a host candidate: nothing translates that address (RFC 8445 section
    5.1.3)."""
    failure: Failure | None = None
    detail: str | None = None
