"""What the rendezvous and its clients agree on: paths, sizes, words for what goes wrong, and framing.

    POST   /v1/rooms                             makes a room; who makes it has its first seat
    POST   /v1/rooms/ROOM/messages?first=N       messages N, N+1, … of the sender; none at all only takes a seat
    GET    /v1/rooms/ROOM/events                 the other's messages as Server-Sent Events; Last-Event-ID resumes
    DELETE /v1/rooms/ROOM                        leaves
    GET    /v1/socket                            all of it over one WebSocket, which begins with a `Hello`

Each request bears a token (``Authorization: Bearer``) that the client drew: the first two tokens have the seats. So a
request that is repeated because its answer was lost does no harm.
"""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

VERSION = 1
MAX_MESSAGE_BYTES = 16_384
"""Of one sealed message; longer ones are sent in pieces."""
MAX_BATCH_BYTES = 65_536
"""Of the body of one POST."""
MAX_BATCH = 64
"""Messages in one POST."""
HEARTBEAT_S = 15.0
"""A comment is sent so often where nothing else is: proxies end silent connections."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")

Refusal = Literal[
    "bad-request",
    "full",
    "gone",
    "nothing-here",
    "other-origin",
    "out-of-order",
    "rate",
    "server-full",
    "slow",
    "too-large",
    "too-many",
    "unknown-room",
    "version",
]
STATUS: dict[Refusal, int] = {
    "bad-request": 400,
    "other-origin": 403,
    "too-many": 403,
    "unknown-room": 404,
    "nothing-here": 404,
    "version": 404,
    "slow": 408,
    "full": 409,
    "out-of-order": 409,
    "gone": 410,
    "too-large": 413,
    "rate": 429,
    "server-full": 503,
}
PASSING: frozenset[str] = frozenset({"rate", "server-full", "slow"})
"""What may be otherwise a little later."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every answer that refuses."""

    error: str
    """A `Refusal`, or one of a later version."""
    message: str = ""
    """For people who look at the answer; a client has its own words."""
    versions: tuple[int, ...] = (VERSION,)
    """Which versions of this protocol the server speaks."""
    retry_after_s: float | None = None


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A room was made, or a seat taken; also the first answer over a WebSocket."""

    room: str
    received: int = 0
    """How many messages of this sender the room has."""
    expires_in_s: float = 0.0
    seat: int = 0
    """0 for who made the room, 1 for who joined."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing said over a WebSocket."""

    token: str
    room: str | None = None
    """None makes one."""
    after: int = 0
    """The number of the last message that was received here."""
    version: int = VERSION


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the rendezvous itself says, over a WebSocket or as an event named ``notice``; only one field is set."""

    peer: Literal["joined", "left"] | None = None
    away: bool | None = None
    """Whether the other person has no connection to the rendezvous, for some seconds now; said where that changes."""
    end: Literal["expired", "left", "replaced", "stopping"] | None = None
    """Why no more will come."""
    received: int | None = None
    """How many messages of this sender the room has."""


def frame(number: int, data: bytes) -> bytes:
    """Return a message for a WebSocket: its number in four bytes, big end first, then the message."""
    return number.to_bytes(4, "big") + data


def unframe(data: bytes) -> tuple[int, bytes]:
    """Return the number and the message; raise ValueError for less than four bytes."""
    if len(data) < 4:
        raise ValueError("a message of fewer than four bytes")
    return int.from_bytes(data[:4], "big"), data[4:]


def join(messages: Iterable[bytes]) -> bytes:
    """Return the body of a POST: each message after its length in four bytes, big end first."""
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


def split(body: bytes) -> list[bytes]:
    """Return the messages of a body; raise ValueError where the lengths do not fit."""
    messages: list[bytes] = []
    while body:
        length = int.from_bytes(body[:4], "big")
        if len(body) < 4 + length or len(messages) == MAX_BATCH:
            raise ValueError("the lengths in the body do not fit it")
        messages.append(body[4 : 4 + length])
        body = body[4 + length :]
    return messages
