"""What the agent of a session may use and tell, and what one server gave it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from rtcdiag.address import IPAddress, TransportAddress
from rtcdiag.ice.agent import Gathered, Missed
from rtcdiag.ice.relay import Relay
from rtcdiag.ice.traffic import OnTraffic, unrecorded
from rtcdiag.targets import Transport

Asked = TransportAddress | Relay
"""A STUN server, or a TURN server that is to relay."""
Find = Callable[[], AsyncIterator[Asked]]
OnCandidate = Callable[[Gathered], None]


async def _at_once() -> None:
    """Wait for nothing."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the agent of a session may use and tell."""

    local: Callable[[], frozenset[IPAddress]]
    """The local addresses of its sockets, as they are now; of these, loopback and IPv6 link-local ones are not used."""
    servers: tuple[Find, ...] = ()
    """Each yields whom to ask, as soon as that is known: names take their time, and the local addresses do not wait."""
    relay_only: bool = False
    """Use nothing but relays, and hide their related addresses."""
    hide_local: bool = False
    """Tell no host candidates and no related addresses."""
    pace: Callable[[IPAddress], Awaitable[None]] = lambda _ip: _at_once()
    """What to wait for before each new request to a STUN server."""
    timeout_ms: float = 2000.0
    """How long a server may take; a relay over TCP or TLS twice as long."""
    on_traffic: OnTraffic = unrecorded
    """Told all that goes over the sockets."""
    on_server: Callable[["Answers"], None] = lambda _answers: None
    """Told when a server has given all that it will."""


@dataclass(kw_only=True)
class Answers:
    """What one server gave. Times are milliseconds of the run's clock."""

    server: TransportAddress
    transport: Transport
    began_ms: float
    candidates: int = 0
    redundant: int = 0
    """Server-reflexive candidates that equal a host candidate (RFC 8445 section 5.1.3)."""
    relays: bool = False
    """Whether it was asked for a relay."""
    told: list[TransportAddress] = field(default_factory=list)
    """Its candidates that the other end was told."""
    missed: list[Missed] = field(default_factory=list)
