"""What the rendezvous gives at most: of rooms, bytes, requests and connections, to one address and in all."""

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """A token bucket: so many at once, and so many a second after that."""

    burst: float
    per_s: float


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one rendezvous. Times in seconds."""

    room_s: float = 600.0
    """A room ends so long after it was made, whatever goes on in it."""
    away_s: float = 3.0
    """Who has no stream open for so long is away, for the moment: the other person is told."""
    quiet_s: float = 40.0
    """Who has none for so long has left: longer than a broken way is tried again (`OUTAGE_S`)."""
    messages: int = 256
    """Of one person in one room."""
    bytes: int = 1 << 20
    """The same."""
    rooms: int = 10_000
    bytes_in_all: int = 256 << 20
    connections: int = 25_000
    connections_per_address: int = 256
    rooms_per_address: Rate = Rate(60, 0.5)
    rooms_in_all: Rate = Rate(1000, 300)
    requests_per_address: Rate = Rate(600, 60)
    wrong_rooms_per_address: Rate = Rate(30, 0.5)
    """Guesses."""
    addresses: int = 100_000
    """How many addresses are remembered; of more, those are forgotten that used least of what they may."""
    request_s: float = 10.0
    """A request must be whole by then, and the first of a connection begin."""
    unread_s: float = 30.0
    """Who does not read for so long loses the connection."""
    idle_s: float = 75.0
    """A connection without a request ends."""
    header_bytes: int = 16_384
