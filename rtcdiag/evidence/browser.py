"""What a browser on the other end of a session says of itself, and the data channel between it and this program.

A web page said it: everything was bounded and checked for its form, and nothing of it is more than the page's word.
"""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Observation
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.evidence.quality import Spread

PairWord = Literal["frozen", "waiting", "in-progress", "failed", "succeeded"]


class BrowserPair(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate pair of the browser's statistics; it hides its own local addresses."""

    local_type: CandidateType
    local: TransportAddress | None = None
    remote_type: CandidateType
    remote: TransportAddress | None = None
    state: PairWord
    nominated: bool = False
    requests: int = 0
    answers: int = 0
    rtt_ms: float | None = None
    """The latest round trip."""
    relay_protocol: Literal["udp", "tcp", "tls"] | None = None


class BrowserSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Which pair the browser used at one moment."""

    after_ms: float
    """Since it connected, by its own clock."""
    local_type: CandidateType
    remote_type: CandidateType
    local: TransportAddress | None = None
    remote: TransportAddress | None = None
    rtt_ms: float | None = None


class ServerError(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser says of a server that gave no candidate (``icecandidateerror``)."""

    server: str
    """One of the URIs that it was given; empty for another."""
    code: int
    """A STUN error code, or 701 where the server was not reached."""


class BrowserView(Observation, frozen=True, kw_only=True, tag=True):
    """What a browser on the other end gathered and checked."""

    browser: str = ""
    """Name and version, as it says."""
    relay_only: bool = False
    """Whether it was told to use nothing but relays."""
    hidden: bool = False
    """Whether its page was not in view, so that its clocks were slow."""
    candidates: tuple[str, ...] = ()
    """As told: SDP values, those over TCP too; at most 32."""
    gathered_ms: float | None = None
    """How long it gathered, by its own clock; None where that did not end before it was connected: then it stops."""
    errors: tuple[ServerError, ...] = ()
    selected: tuple[BrowserSelection, ...] = ()
    """When it connected, about 2 s and 10 s later, and at the end."""
    pairs: tuple[BrowserPair, ...] = ()
    """At the last of these moments."""


class DataChannel(Observation, frozen=True, kw_only=True, tag=True):
    """DTLS, SCTP and two data channels over the selected pair."""

    outcome: Literal["open", "dtls-failed", "dtls-silent", "not-opened"]
    """``dtls-failed``: also where the certificate is not the one that was told. ``not-opened``: SCTP, or a channel."""
    dtls_ms: float | None = None
    """How long the handshake took."""
    open_ms: float | None = None
    """From its end until both channels were open."""
    sent: int = 0
    """Packets that this end sent to the browser, unordered and without retransmission."""
    received_there: int | None = None
    """How many of these it counted; None where it did not say."""
    round_trip_there_ms: Spread | None = None
    """Round trips as the browser measured them."""
    inward_kbps: float | None = None
    """Payload from the browser over a reliable channel, in kbit/s. Often this program is the limit, not the network."""
    outward_kbps: float | None = None
    """The same, to the browser."""
