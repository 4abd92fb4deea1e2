"""One ICE agent: the only importer of aioice.

aioice's ``Connection`` swallows why a server gave nothing, always waits for the slowest up to 5 s, cannot be told which
local addresses to use, and leaves what is under way behind when it is cancelled. So this module overrides its one
gathering step. It lets aioice make the sockets and the candidates, and drives these parts that aioice does not
document: ``Connection.get_component_candidates`` and ``_protocols``, ``ice.server_reflexive_candidate``,
``ice.relayed_candidate``, ``ice.StunProtocol`` with its ``error_received``, and ``stun.parse_message``. Each has a
contract test that fails the day it changes.
"""

import asyncio
import ssl
import struct
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal, NamedTuple, TypeVar, cast

import aioice
from aioice import ice, stun

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, family_of
from rtcdiag.evidence import Failure
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.net.failures import failure_of
from rtcdiag.net.stream import TlsSettings, verifying_context
from rtcdiag.targets import Credential, Transport

T = TypeVar("T")

RELEASE_S = 1.5
"""How long the server may take to confirm that an allocation is released."""
GRACE_S = 0.5
"""How long an Allocate that was given up may still be answered: that allocation has to be released too."""
_TURN_TRANSPORT = {Transport.UDP: "udp", Transport.TCP: "tcp", Transport.TLS: "tcp"}


_aioice_parse_message = stun.parse_message


def _parse_message(data: bytes) -> stun.Message:
    """Read a message; ValueError is how aioice takes it that this is none.

    An attribute of a wrong length makes it struct.error instead, which would end as a traceback in asyncio's log.
    """
    try:
        return _aioice_parse_message(data)
    except struct.error as error:
        raise ValueError("an attribute has the wrong length") from error


stun.parse_message = _parse_message


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A TURN server by a literal address: aioice's own name look-up has no bound."""

    address: TransportAddress
    transport: Transport
    """UDP, TCP or TLS: asked for DTLS, aioice would silently talk in the clear."""
    credential: Credential | None
    tls: TlsSettings

    def __post_init__(self) -> None:
        """Refuse what aioice cannot do."""
        if self.transport not in _TURN_TRANSPORT:
            raise ValueError(f"aioice does not speak TURN over {self.transport}")


async def _at_once() -> None:
    """Wait for nothing."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What one agent is to gather."""

    local: frozenset[IPAddress] = frozenset()
    """The local addresses that it may use for host and server-reflexive candidates; of these, aioice takes all but
    127.0.0.1, ::1 and those with a zone."""
    stun: TransportAddress | None = None
    """Whom to ask for server-reflexive candidates: IPv4, aioice gathers no others."""
    pace: Callable[[], Awaitable[None]] = _at_once
    """What to wait for before each request to it."""
    relay: Relay | None = None
    relay_only: bool = False
    """Gather nothing but the relay candidate, and hide its related address (RFC 9429 section 3.5.3)."""
    timeout_ms: float
    """How long one candidate may take; a relay candidate over TCP or TLS twice as long."""


class Gathered(NamedTuple):
    """A candidate as the agent has it."""

    type: CandidateType
    address: TransportAddress
    related: TransportAddress | None
    component: int
    priority: int
    foundation: str
    sdp: str


class Missed(NamedTuple):
    """A candidate that a server did not give, and why."""

    type: Literal["srflx", "relay"]
    local: TransportAddress | None
    """The socket that asked; None for a relay candidate, whose socket is aioice's own."""
    failure: Failure | None
    """None where the server answered, and refused."""
    detail: str


async def release(agent: "Agent") -> bool:
    """Close an agent and release its allocations; whether the servers confirmed it within `RELEASE_S`."""
    closing = asyncio.create_task(agent.close())
    done, _ = await asyncio.wait({closing}, timeout=RELEASE_S)
    if not done:
        # aioice goes on with the Refresh by itself for as long as the loop runs; its close() would wait 63 s for it.
        closing.cancel()
    return bool(done)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Return what a bounded piece of work returns; a cancellation that comes meanwhile takes effect after it."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    finally:
        await asyncio.wait({task})


class _RelayProtocol(ice.StunProtocol):
    """Tells when the TURN server refused a channel, which aioice only logs."""

    def __init__(self, agent: "Agent") -> None:
        super().__init__(agent)
        self._agent = agent

    def error_received(self, exc: Exception) -> None:
        """Take what became of a ChannelBind (aioice)."""
        if isinstance(exc, stun.TransactionFailed) and not self._agent.refused.done():
            self._agent.refused.set_result(_why(exc)[1])


class Agent(aioice.Connection):
    """An agent that gathers within bounds of ours, from chosen addresses, and tells what it missed."""

    def __init__(
        self,
        question: Question,
        on_found: Callable[[Gathered], None],
        on_missed: Callable[[Missed], None],
        *,
        controlling: bool = True,
    ) -> None:
        """Prepare an agent; `gather_candidates` and, with a remote agent's candidates, `connect` do the work."""
        policy = aioice.TransportPolicy.RELAY if question.relay_only else aioice.TransportPolicy.ALL
        # Without servers, aioice's own step gathers the host candidates only, at once.
        super().__init__(ice_controlling=controlling, transport_policy=policy)
        self.refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why the TURN server refused a channel to a peer, once it has."""
        self._question = question
        self._on_found = on_found
        self._on_missed = on_missed

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's signature
    ) -> list[aioice.Candidate]:
        """Gather as aioice does, but see above (aioice)."""
        del timeout
        asked = self._question
        chosen = [address for address in addresses if ip_address(address) in asked.local]
        # aioice owns up to its sockets only when it has made them all: no cancellation may come between.
        hosts = await to_the_end(super().get_component_candidates(component, chosen))
        for host in hosts:
            self._on_found(_gathered(host))
        async with asyncio.TaskGroup() as group:
            for protocol in list(self._protocols) if asked.stun else ():
                if family_of(ip_address(protocol.local_candidate.host)) is Family.IPV4:
                    group.create_task(self._reflexive(protocol, asked.stun))
            if asked.relay is not None:
                group.create_task(self._relayed(component, asked.relay))
        return hosts

    async def _reflexive(self, protocol: ice.StunProtocol, server: TransportAddress | None) -> None:
        assert server is not None
        base = TransportAddress(protocol.local_candidate.host, protocol.local_candidate.port)
        await self._question.pace()
        try:
            async with asyncio.timeout(self._question.timeout_ms / 1000):
                candidate, _ = await ice.server_reflexive_candidate(protocol, (server.host, server.port))
            self._on_found(_gathered(candidate))
        except _EXPECTED as error:
            self._on_missed(Missed("srflx", base, *_why(error)))

    async def _relayed(self, component: int, relay: Relay) -> None:
        allocating: asyncio.Task[tuple[aioice.Candidate, ice.StunProtocol]] | None = None
        try:
            allocating = asyncio.create_task(self._allocate(component, relay))
            allocating.add_done_callback(self._adopt)
            patience = 1 if relay.transport is Transport.UDP else 2
            async with asyncio.timeout(patience * self._question.timeout_ms / 1000):
                candidate, _ = await asyncio.shield(allocating)
            self._on_found(_gathered(candidate))
        except _EXPECTED as error:
            self._on_missed(Missed("relay", None, *_why(error)))
        finally:
            if allocating is not None and not allocating.done():
                await asyncio.wait({allocating}, timeout=GRACE_S)
                allocating.cancel()
                await asyncio.wait({allocating})

    async def _allocate(self, component: int, relay: Relay) -> tuple[aioice.Candidate, ice.StunProtocol]:
        secure = relay.transport is Transport.TLS
        context = _naming_context(relay.tls) if secure else None
        credential = relay.credential
        return await ice.relayed_candidate(
            component=component,
            hide_related_address=self._question.relay_only,
            protocol_factory=lambda: _RelayProtocol(self),
            turn_server=(relay.address.host, relay.address.port),
            turn_username=credential.username if credential else None,
            turn_password=credential.password if credential else None,
            # It goes to asyncio as it is, which takes a context as well as a bool.
            turn_ssl=cast("bool", context),
            turn_transport=_TURN_TRANSPORT[relay.transport],
        )

    def _adopt(self, allocating: asyncio.Task[tuple[aioice.Candidate, ice.StunProtocol]]) -> None:
        """Take an allocation over, however late it came, so that closing the agent releases it."""
        if not allocating.cancelled() and allocating.exception() is None:
            self._protocols.append(allocating.result()[1])


class _NamingContext(ssl.SSLContext):
    """Asks for a name and verifies it, although the connection is made to a literal address.

    The session is the verifying context's, which is read once for all connections.
    """

    settings: TlsSettings

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Put the name in place of the address that asyncio was told to connect to (ssl)."""
        named = {**kwargs, "server_hostname": self.settings.server_name}
        return verifying_context(self.settings.ca_file).wrap_bio(*args, **named)


def _naming_context(settings: TlsSettings) -> ssl.SSLContext:
    context = _NamingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.settings = settings
    return context


_EXPECTED = (OSError, stun.TransactionError, KeyError, ValueError)
"""What a network and a server can make aioice raise."""


def _why(error: Exception) -> tuple[Failure | None, str]:
    """Return a failure where there is one, and words that hold nothing a server sent."""
    match error:
        case stun.TransactionFailed():
            return None, f"the server refused with error {error.response.error_code}"
        case stun.TransactionTimeout() | TimeoutError():
            return Failure.TIMEOUT, "no answer"
        case ssl.SSLCertVerificationError():
            return failure_of(error), error.verify_message
        # aioice raises ConnectionError itself for an Allocate response without one of its attributes.
        case OSError() if type(error) is not ConnectionError:
            return failure_of(error), failure_of(error).value
        case _:
            return None, "the answer lacks what it has to have"


def _gathered(candidate: aioice.Candidate) -> Gathered:
    return Gathered(
        type=cast("CandidateType", candidate.type),
        address=TransportAddress(candidate.host, candidate.port),
        related=_related(candidate),
        component=candidate.component,
        priority=candidate.priority,
        foundation=candidate.foundation,
        sdp=f"candidate:{candidate.to_sdp()}",
    )


def _related(candidate: aioice.Candidate) -> TransportAddress | None:
    if candidate.related_address is None or candidate.related_port is None:
        return None
    related = TransportAddress(candidate.related_address, candidate.related_port)
    # 0.0.0.0:9 is how SDP says that the address is hidden (RFC 8839 section 5.1).
    return None if related.scope is Scope.UNSPECIFIED else related
