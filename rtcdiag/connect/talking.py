"""What goes over the channel: the own description and candidates, the other end's, its report, its farewell."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from secrets import token_hex
from time import time
from typing import Any

from rtcdiag.connect.progress import OnProgress, Told
from rtcdiag.connect.record import Record
from rtcdiag.ice.agent import Gathered
from rtcdiag.ice.bases import MOST_CHANGES
from rtcdiag.ice.session import SessionAgent
from rtcdiag.signaling import Bye, Channel, Description, Message, NewCandidate, Ping, Pong, Report, SignalingError
from rtcdiag.signaling.messages import GONE

LASTS_S = 600.0
"""How long a session waits for its other end."""
_WATCH_S = 1.0


class Talking:
    """One end's side of the channel."""

    def __init__(
        self, channel: Channel, agent: SessionAgent, record: Record, tell: OnProgress, *, lasts_s: float
    ) -> None:
        """Say nothing yet."""
        self._channel, self._agent, self._record, self._tell = channel, agent, record, tell
        self._lasts_s = lasts_s
        if channel.role == "offerer":
            record.session = token_hex(8)
        self.told = asyncio.Event()
        """Set when there is nothing more to tell."""
        self.with_rtcdiag = True
        """Whether the other end is this program too, by its description."""
        self.left = asyncio.Event()
        """Set when the other end said that it leaves, over the channel or a pair, or the rendezvous says that it is."""
        self._is_gone = False
        self.remote_report: bytes | None = None
        self._untold: asyncio.Queue[Gathered | None] = asyncio.Queue()
        self.heard = asyncio.Event()
        """Set when the other end's description is here."""
        self._news = asyncio.Event()
        self._broken: SignalingError | None = None
        self._answered = False

    @property
    def is_open(self) -> bool:
        """Whether the channel still carries messages both ways."""
        return self._channel.trickles and self._broken is None and not self.left.is_set()

    @property
    def said_bye(self) -> bool:
        """Whether the other end itself said that it leaves."""
        return self.left.is_set() and not self._is_gone

    @property
    def broken(self) -> str:
        """How the channel broke, in a line for people; empty while it works."""
        return str(self._broken or "")

    @contextlib.asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """Gather, talk and listen meanwhile."""
        works = (self._gather(), self._until_broken(self._talk()), self._until_broken(self._hear()), self._watch())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _until_broken(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SignalingError as error:
            self._broken = self._broken or error
            self._news.set()

    async def _watch(self) -> None:
        told = 0
        while told < MOST_CHANGES:
            await asyncio.sleep(_WATCH_S)
            if self._agent.changes > told:
                told = self._agent.changes
                self._tell(Told("address-changed", self._changed_words()))

    def _changed_words(self) -> str:
        changed = "this computer's network address changed: gathering candidates again"
        if self._channel.trickles:
            return f"{changed}, and telling the other side"
        if self._record.told_ms is None:
            return changed
        return f"{changed}. The code that you gave has the old ones: checks from here may still show the new ones"

    # --- what is told ---

    async def _gather(self) -> None:
        await self._agent.gather(self._on_candidate)
        self._record.gathered_ms = self._agent.now_ms()
        self._untold.put_nowait(None)

    def _on_candidate(self, found: Gathered) -> None:
        self._record.take(self._agent.now_ms(), found)
        self._untold.put_nowait(found)

    async def _talk(self) -> None:
        if self._channel.role == "answerer":
            # The answer repeats the session of the offer.
            await self.heard.wait()
        first, complete = await self._first_candidates()
        await self._channel.send(self._description(first, complete=complete))
        self._record.told_ms = self._agent.now_ms()
        if complete:
            self.told.set()
        # RFC 8838 wants an ICE restart for what is found after the last one; rtcdiag takes it as it comes.
        while self._channel.trickles:
            found = await self._untold.get()
            await self._channel.send(NewCandidate(candidate=found.sdp if found is not None else None))
            if found is None:
                self.told.set()

    async def _first_candidates(self) -> tuple[list[Gathered], bool]:
        """Return what the description has: what there is, or all where no more can be told later."""
        found: list[Gathered] = []
        while not (self._record.trickle and self._untold.empty() and found):
            one = await self._untold.get()
            if one is None:
                return found, True
            found.append(one)
        return found, False

    def _description(self, first: list[Gathered], *, complete: bool) -> Description:
        return Description(
            session=self._record.session,
            role=self._channel.role,
            ufrag=self._agent.ufrag,
            pwd=self._agent.pwd,
            candidates=tuple(found.sdp for found in first),
            complete=complete,
            expires_at_s=time() + self._lasts_s,
        )

    # --- what is heard ---

    async def _hear(self) -> None:
        while True:
            message = await self._channel.receive()
            if isinstance(message, Ping):
                await self._channel.send(Pong())
            self._take(message)
            self._news.set()
            if not self._channel.trickles and self.heard.is_set():
                return

    def _take(self, message: Message) -> None:
        match message:
            case Description():
                if not self.heard.is_set():
                    self._take_description(message)
            case NewCandidate():
                self._take_candidate(message.candidate)
            case Report():
                self.remote_report = message.compressed
                self._agent.witness()
            case Bye():
                self._is_gone = self._is_gone or (message.why == GONE and not self.left.is_set())
                self.left.set()
            case Ping() | Pong():
                self._answered = self._answered or isinstance(message, Pong)
                self._agent.witness()

    def _take_description(self, told: Description) -> None:
        self.with_rtcdiag = bool(told.session) and told.expires_at_s is not None
        # Chromium goes on checking, as the lab's browsers show; an end without checks of its own has none to end.
        self._record.application = not self.with_rtcdiag and self._record.signaling != "browser"
        self._record.stops_early = self._record.application and not told.lite
        if self._channel.role == "offerer" and self.with_rtcdiag and told.session != self._record.session:
            raise SignalingError("the answer belongs to another session")
        try:
            self._agent.set_remote(told.ufrag, told.pwd, lite=told.lite)
        except ValueError:
            raise SignalingError("the other side's description has no usable ufrag and pwd") from None
        self._record.heard_ms = self._agent.now_ms()
        self._record.session = self._record.session or told.session or token_hex(8)
        for candidate in told.candidates:
            self._take_candidate(candidate)
        if told.complete:
            self._take_candidate(None)
        self.heard.set()
        self._tell(Told("heard", "the other side's description is here: checking"))

    def _take_candidate(self, candidate: str | None) -> None:
        if candidate is None:
            self._record.remote_complete_ms = self._agent.now_ms()
            self._agent.remote_complete()
        elif self._agent.add_remote(candidate):
            self._record.remote.append(candidate)

    # --- waiting ---

    async def heard_or_broken(self) -> None:
        """Wait for the other end's description; raise SignalingError where none can come."""
        while not self.heard.is_set():
            if self._broken is not None:
                raise self._broken
            if self.left.is_set():
                return
            self._news.clear()
            await self._news.wait()

    async def answers(self, within_s: float) -> bool:
        """Ask the other end over the channel whether it is there; False where no answer comes."""
        self._answered = False
        try:
            await self._channel.send(Ping())
            async with asyncio.timeout(within_s):
                while not self._answered and self.is_open:
                    self._news.clear()
                    await self._news.wait()
        except (SignalingError, TimeoutError):
            return False
        return self._answered

    async def report_or_left(self) -> None:
        """Wait for the other end's report; return where none can come any more."""
        while self.remote_report is None and self.is_open:
            self._news.clear()
            await self._news.wait()

    async def unless_left(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for something, or until the other end has left."""
        doing, leaving = asyncio.create_task(work), asyncio.create_task(self.left.wait())
        try:
            await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            doing.cancel()
            leaving.cancel()
            await asyncio.wait({doing, leaving})
        if not doing.cancelled():
            doing.result()
