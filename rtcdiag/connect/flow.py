"""One end of a session of two, from gathering to the end: describe, trickle, check, nominate, release."""

import asyncio
from dataclasses import dataclass
from secrets import token_hex
from time import time

from rtcdiag.connect.progress import OnProgress, Told
from rtcdiag.connect.record import Record
from rtcdiag.connect.servers import settings_for
from rtcdiag.evidence import Observation
from rtcdiag.evidence.session import Selection
from rtcdiag.ice.agent import Gathered
from rtcdiag.ice.session import SessionAgent
from rtcdiag.net import Net
from rtcdiag.signaling import Bye, Channel, Description, Message, NewCandidate, Report, SignalingError
from rtcdiag.targets import Server

LASTS_S = 600.0
"""How long a session waits for its other end."""
GATHER_S = 5.0
"""How long gathering may hold up a description that has to have all candidates."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one end wants of a session."""

    servers: tuple[Server, ...]
    hide_local: bool = False
    trickle: bool = True
    """Tell candidates one by one, where the channel carries that."""
    lasts_s: float = LASTS_S


@dataclass(frozen=True, kw_only=True)
class Held:
    """What came of it at this end."""

    observations: tuple[Observation, ...]
    """PeerSession first; without ids."""
    remote_report: bytes | None = None
    """The other end's report as it sent it, compressed; None where none came."""
    interrupted: bool = False


async def hold(channel: Channel, asked: Asked, net: Net, on_progress: OnProgress = lambda _told: None) -> Held:
    """Hold a session over a channel that is open, and release everything whatever happens.

    A cancellation ends the session; what was seen until then is returned all the same.
    """
    session = _Session(channel, asked, net, on_progress)
    interrupted = False
    try:
        await session.run()
    except asyncio.CancelledError:
        interrupted = True
        session.record.end("interrupted")
        _carry_on()
    finally:
        released = await session.close()
    observations = session.record.observations(session.agent, released=released) if session.agent else ()
    return Held(observations=observations, remote_report=session.remote_report, interrupted=interrupted)


def _carry_on() -> None:
    """Take a cancellation as "stop here": the caller still wants what there is."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


class _Session:
    """One end under way."""

    def __init__(self, channel: Channel, asked: Asked, net: Net, on_progress: OnProgress) -> None:
        self.channel, self.asked, self.net, self.tell = channel, asked, net, on_progress
        trickle = channel.trickles and asked.trickle
        self.record = Record(role=channel.role, signaling=channel.kind, trickle=trickle)
        if channel.role == "offerer":
            self.record.session = token_hex(8)
        self.agent: SessionAgent | None = None
        self.remote_report: bytes | None = None
        self._untold: asyncio.Queue[Gathered | None] = asyncio.Queue()
        self._heard = asyncio.Event()
        self._left = asyncio.Event()

    async def run(self) -> None:
        """Go through the session; a cancellation may come at any time."""
        settings = await settings_for(self.asked.servers, self.net, self.record.more, hide_local=self.asked.hide_local)
        self.agent = SessionAgent(
            settings,
            controlling=self.channel.role == "offerer",
            now_ms=self.net.now_ms,
            on_selected=self._on_selected,
        )
        self.agent.start()
        try:
            async with asyncio.timeout(self.asked.lasts_s), asyncio.TaskGroup() as group:
                group.create_task(self._gather(self.agent))
                talking = group.create_task(self._talk(self.agent))
                hearing = group.create_task(self._hear(self.agent))
                await self._heard.wait()
                await self._outcome(self.agent)
                talking.cancel()
                hearing.cancel()
        except TimeoutError:
            self.record.end("expired" if self.record.heard_ms is not None else "no-peer")
        except ExceptionGroup as group_error:
            error = group_error.exceptions[0]
            if not isinstance(error, SignalingError):
                raise
            self.record.end("signaling", str(error))

    async def _gather(self, agent: SessionAgent) -> None:
        await agent.gather(self._on_candidate)
        self.record.gathered_ms = self.net.now_ms()
        self._untold.put_nowait(None)

    def _on_candidate(self, found: Gathered) -> None:
        self.record.gathered.append((self.net.now_ms(), found))
        self._untold.put_nowait(found)

    def _on_selected(self, selection: Selection) -> None:
        if selection.policy == "all":
            self.tell(Told("connected", f"connected: {selection.local_type} to {selection.remote_type}"))

    # --- what is told ---

    async def _talk(self, agent: SessionAgent) -> None:
        if self.channel.role == "answerer":
            # The answer repeats the session of the offer.
            await self._heard.wait()
        first, complete = await self._first_candidates()
        await self.channel.send(
            Description(
                session=self.record.session,
                role=self.channel.role,
                ufrag=agent.ufrag,
                pwd=agent.pwd,
                candidates=tuple(found.sdp for found in first),
                complete=complete,
                expires_at_s=time() + self.asked.lasts_s,
            )
        )
        self.record.told_ms = self.net.now_ms()
        self.tell(Told("told", "the own description is told"))
        while not complete:
            found = await self._untold.get()
            complete = found is None
            await self.channel.send(NewCandidate(candidate=found.sdp if found is not None else None))

    async def _first_candidates(self) -> tuple[list[Gathered], bool]:
        """Return what the description has: what there is, or all where no more can be told later."""
        found: list[Gathered] = []
        while not (self.record.trickle and self._untold.empty() and found):
            one = await self._untold.get()
            if one is None:
                return found, True
            found.append(one)
        return found, False

    # --- what is heard ---

    async def _hear(self, agent: SessionAgent) -> None:
        while True:
            self._take(await self.channel.receive(), agent)
            if not self.channel.trickles and self._heard.is_set():
                return

    def _take(self, message: Message, agent: SessionAgent) -> None:
        match message:
            case Description():
                self._take_description(message, agent)
            case NewCandidate():
                self._take_candidate(message.candidate, agent)
            case Report():
                self.remote_report = message.compressed
            case Bye():
                self._left.set()

    def _take_description(self, told: Description, agent: SessionAgent) -> None:
        if self._heard.is_set():
            return
        try:
            agent.set_remote(told.ufrag, told.pwd)
        except ValueError:
            raise SignalingError("the other end's description has no usable ufrag and pwd") from None
        self.record.heard_ms = self.net.now_ms()
        self.record.session = self.record.session or told.session
        for candidate in told.candidates:
            self._take_candidate(candidate, agent)
        if told.complete:
            self._take_candidate(None, agent)
        self._heard.set()
        self.tell(Told("heard", "the other side is there, checking"))

    def _take_candidate(self, candidate: str | None, agent: SessionAgent) -> None:
        if candidate is None:
            self.record.remote_complete_ms = self.net.now_ms()
            agent.remote_complete()
        elif agent.add_remote(candidate):
            self.record.remote.append(candidate)

    # --- what comes of it ---

    async def _outcome(self, agent: SessionAgent) -> None:
        patient = not self.channel.trickles and self.channel.role == "answerer"
        await agent.settled(lambda: patient)
        if agent.selected("all") is None:
            self.record.end("no-path" if agent.pairs() else "no-candidates")
            self.tell(Told("no-path", "no candidate pair answered"))
        else:
            self.record.end("done")

    async def close(self) -> bool:
        """Release everything; whether the servers confirmed it."""
        return await self.agent.finish() if self.agent is not None else True
