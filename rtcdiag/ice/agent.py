"""One ICE agent that gathers.

aioice's ``Connection`` swallows why a server gave nothing, always waits for the slowest up to 5 s, cannot be told which
local addresses to use, and leaves what is under way behind when it is cancelled. So this module overrides its one
gathering step. It lets aioice make the sockets and the candidates, and drives these parts that aioice does not
document: ``Connection.get_component_candidates`` and ``_protocols``, ``ice.server_reflexive_candidate``, and
``ice.StunProtocol`` with its ``error_received``. Each has a contract test that fails the day it changes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal, NamedTuple, TypeVar, cast

import aioice
from aioice import ice, stun

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, family_of
from rtcdiag.evidence import Failure
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.ice import reading as reading  # noqa: PLC0414 - aioice reads messages through it from now on
from rtcdiag.ice.relay import EXPECTED, Relay, allocate_within, why

T = TypeVar("T")

RELEASE_S = 1.5
"""How long the server may take to confirm that an allocation is released."""


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
    base: IPAddress | None = None
    """The local address behind it, where the agent tells: for a relay, the one that talks to the TURN server."""


class Missed(NamedTuple):
    """A candidate that a server did not give, and why."""

    type: Literal["srflx", "relay"]
    local: TransportAddress | None
    """The socket that asked; None for a relay candidate, whose socket is aioice's own."""
    failure: Failure | None
    """None where the server answered, and refused."""
    detail: str


async def release(agent: aioice.Connection) -> bool:
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
            self._agent.refused.set_result(why(exc)[1])


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
            self._on_found(candidate_of(host))
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
            self._on_found(candidate_of(candidate))
        except EXPECTED as error:
            self._on_missed(Missed("srflx", base, *why(error)))

    async def _relayed(self, component: int, relay: Relay) -> None:
        try:
            candidate = await allocate_within(
                relay,
                lambda: _RelayProtocol(self),
                self._protocols.append,
                timeout_ms=self._question.timeout_ms,
                component=component,
                hide_related=self._question.relay_only,
            )
            self._on_found(candidate_of(candidate))
        except EXPECTED as error:
            self._on_missed(Missed("relay", None, *why(error)))


def candidate_of(candidate: aioice.Candidate) -> Gathered:
    """Return what is told of a candidate."""
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
