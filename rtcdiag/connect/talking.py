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
from rtcdiag.ice.session import SessionAgent
from rtcdiag.signaling import Bye, Channel, Description, Message, NewCandidate, Report, SignalingError

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
        self.remote_report: bytes | None = None
        self._untold: asyncio.Queue[Gathered | None] = asyncio.Queue()
        self.heard = asyncio.Event()
        """Set when the other end's description is here."""
        self._news = asyncio.Event()
        self._broken: SignalingError | None = None

    @property
    def is_open(self) -> bool:
        """Whether the channel still carries messages both ways."""
        return self._channel.trickles and self._broken is None and not self.left.is_set()

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
        while not self._agent.address_changed:  # noqa: ASYNC110 - the system tells nobody
            await asyncio.sleep(_WATCH_S)
        self._tell(Told("address-changed", "this computer's network address changed: the other side has the old one"))

    # --- what is told ---

    async def _gather(self) -> None:
        await self._agent.gather(self._on_candidate)
        self._record.gathered_ms = self._agent.now_ms()
        self._untold.put_nowait(None)

    def _on_candidate(self, found: Gathered) -> None:
        self._record.gathered.append((self._agent.now_ms(), found))
        self._untold.put_nowait(found)

    async def _talk(self) -> None:
        if self._channel.role == "answerer":
            # The answer repeats the session of the offer.
            await self.heard.wait()
        first, complete = await self._first_candidates()
        await self._channel.send(self._description(first, complete=complete))
        self._record.told_ms = self._agent.now_ms()
        while not complete:
            found = await self._untold.get()
            complete = found is None
            await self._channel.send(NewCandidate(candidate=found.sdp if found is not None else None))
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
            self._take(await self._channel.receive())
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
            case Bye():
                self.left.set()

    def _take_description(self, told: Description) -> None:
        self.with_rtcdiag = bool(told.session) and told.expires_at_s is not None
        if self._channel.role == "offerer" and self.with_rtcdiag and told.session != self._record.session:
            raise SignalingError("the answer belongs to another session")
        try:
            self._agent.set_remote(told.ufrag, told.pwd)
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
