"""What two ends tell each other: the JSON inside of what a channel carries, encrypted where a server carries it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from rtcdiag.evidence.session import SessionRole

VERSION = 1
GONE = "the rendezvous says that it is gone"
"""Why a `Bye` is there that the other end did not send."""
MAX_CANDIDATES = 32
"""More of one peer's candidates are not taken: else who sends a description makes this computer scan ports."""
MAX_REPORT_BYTES = 1_000_000
"""Of a report, before compression."""


class Description(msgspec.Struct, frozen=True, kw_only=True, tag="description"):
    """One end's offer or answer (RFC 8839): how it is authenticated, and its candidates so far."""

    version: int = VERSION
    session: Annotated[str, Meta(pattern=r"^([0-9a-f]{16})?\Z")]
    """16 hexadecimal digits; the offer chooses it, the answer repeats it. Empty where another application has none."""
    role: SessionRole
    ufrag: str
    pwd: str
    candidates: tuple[str, ...] = ()
    """SDP values without ``a=``: ``candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host``."""
    complete: bool = True
    """Whether these are all (end-of-candidates, RFC 8838 section 8.2); else more follow as `NewCandidate`."""
    lite: bool = False
    """Whether the sender is an ICE-lite agent: it answers checks and sends none (RFC 8445 section 2.5)."""
    expires_at_s: float | None = None
    """UNIX seconds; None for a description of another application."""


class NewCandidate(msgspec.Struct, frozen=True, kw_only=True, tag="candidate"):
    """One more candidate of the sender, or None after the last."""

    candidate: str | None


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="report"):
    """The sender's whole report, when its session is over: JSON, compressed with zlib."""

    compressed: bytes


class Bye(msgspec.Struct, frozen=True, kw_only=True, tag="bye"):
    """The sender leaves."""

    why: str = ""


class Ping(msgspec.Struct, frozen=True, kw_only=True, tag="ping"):
    """The sender asks whether the other end is still there."""


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong"):
    """The sender is, and answers at once."""


Message = Description | NewCandidate | Report | Bye | Ping | Pong
_decoder = msgspec.json.Decoder(Message)


def encode(message: Message) -> bytes:
    """Return a message as JSON."""
    return msgspec.json.encode(message)


def decode(data: bytes) -> Message:
    """Read a message; raise ValueError for what is none."""
    try:
        message: Message = _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"not a message: {error}") from None
    return message
