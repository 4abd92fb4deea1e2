"""Two ICE agents that may use a relay only: do they reach each other through one TURN server, and does data pass."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any, Literal

import aioice

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.ice.agent import Agent, Gathered, Missed, Question, release, to_the_end
from rtcdiag.ice.relay import Relay

AGAIN_S = 0.2
"""After which time data is sent again that has not arrived: a relay may lose a datagram."""


@dataclass
class Meeting:
    """How far two agents came; filled in while they go, so that a cancelled meeting tells what it saw."""

    outcome: Literal["no-relay", "not-connected", "no-data", "connected"] = "no-relay"
    relayed: list[TransportAddress] = field(default_factory=list)
    """The relayed addresses that they were given, in the order of time."""
    gathering_ms: float | None = None
    connecting_ms: float | None = None
    """From the exchange of candidates to a nominated pair at both."""
    failure: Failure | None = None
    detail: str = ""
    """Why there was no relay or no connection, in words that hold nothing a server sent."""
    released: bool = False
    """Whether the server confirmed that both allocations are released."""


async def meet(relay: Relay, meeting: Meeting, *, timeout_ms: float) -> None:
    """Let two agents connect through a relay, and release both allocations whatever happens, also when cancelled.

    Gathering takes at most twice ``timeout_ms``, connecting twice, and data once.
    """
    question = Question(relay=relay, relay_only=True, timeout_ms=timeout_ms)
    given: dict[bool, list[Gathered]] = {True: [], False: []}

    def agent(controlling: bool) -> Agent:
        def on_found(found: Gathered) -> None:
            given[controlling].append(found)
            meeting.relayed.append(found.address)

        def on_missed(missed: Missed) -> None:
            meeting.failure, meeting.detail = missed.failure, missed.detail

        return Agent(question, on_found, on_missed, controlling=controlling)

    a, b = agent(True), agent(False)
    try:
        meeting.gathering_ms = await _timed(_side_by_side(a.gather_candidates(), b.gather_candidates()))
        if given[True] and given[False]:
            await _introduce(a, given[True], b)
            await _introduce(b, given[False], a)
            await _converse(a, b, meeting, timeout_ms / 1000)
    finally:
        meeting.released = await to_the_end(_released(a, b))


async def _introduce(one: Agent, given: list[Gathered], to: Agent) -> None:
    """Give an agent what signalling would carry from the other."""
    to.remote_username, to.remote_password = one.local_username, one.local_password
    for found in given:
        await to.add_remote_candidate(aioice.Candidate.from_sdp(found.sdp.removeprefix("candidate:")))
    await to.add_remote_candidate(None)


async def _converse(a: Agent, b: Agent, meeting: Meeting, limit_s: float) -> None:
    meeting.outcome = "not-connected"
    began = _now_ms()
    connecting = asyncio.create_task(_side_by_side(a.connect(), b.connect()))
    try:
        ends: set[asyncio.Future[Any]] = {connecting, a.refused, b.refused}
        await asyncio.wait(ends, timeout=2 * limit_s, return_when=asyncio.FIRST_COMPLETED)
        if not _succeeded(connecting):
            meeting.failure, meeting.detail = _why_not(connecting, a, b)
            return
        meeting.connecting_ms = _now_ms() - began
        meeting.outcome = "no-data"
        async with asyncio.timeout(limit_s):
            await _side_by_side(_data(a, b), _data(b, a))
        meeting.outcome = "connected"
    except (TimeoutError, ExceptionGroup):
        meeting.failure, meeting.detail = Failure.TIMEOUT, "connected, but data does not arrive"
    finally:
        connecting.cancel()
        await asyncio.wait({connecting})
        _succeeded(connecting)


def _succeeded(connecting: "asyncio.Task[None]") -> bool:
    return connecting.done() and not connecting.cancelled() and connecting.exception() is None


def _why_not(connecting: "asyncio.Task[None]", a: Agent, b: Agent) -> tuple[Failure | None, str]:
    refused = next((agent.refused.result() for agent in (a, b) if agent.refused.done()), None)
    if refused is not None:
        return None, f"no channel to the other agent's relayed address: {refused}"
    if connecting.done():
        return None, "every connectivity check failed"
    return Failure.TIMEOUT, "the connectivity checks got no answer"


async def _data(sender: Agent, receiver: Agent) -> None:
    """Send until it arrives; raise ConnectionError where the connection is lost."""
    payload = token_bytes(16)
    hearing = asyncio.create_task(_heard(receiver, payload))
    try:
        while not hearing.done():
            await sender.send(payload)
            await asyncio.wait({hearing}, timeout=AGAIN_S)
        hearing.result()
    finally:
        hearing.cancel()


async def _heard(receiver: Agent, payload: bytes) -> None:
    while await receiver.recv() != payload:
        pass


async def _released(a: Agent, b: Agent) -> bool:
    return all(await asyncio.gather(release(a), release(b)))


async def _side_by_side(*work: Awaitable[None]) -> None:
    """Wait for all; the first that fails ends the others, and its exception comes in a group."""
    async with asyncio.TaskGroup() as group:
        for item in work:
            group.create_task(_awaited(item))


async def _awaited(item: Awaitable[None]) -> None:
    await item


async def _timed(work: Awaitable[None]) -> float:
    began = _now_ms()
    await work
    return _now_ms() - began


def _now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000
