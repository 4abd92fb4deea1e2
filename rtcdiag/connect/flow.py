"""One end of a session of two, from gathering to the end: describe, check, measure, tell each other, release."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from rtcdiag.connect.beside import Beside
from rtcdiag.connect.exchange import ANSWER_S, exchanged_over_channel, exchanged_over_pair, signaling_works
from rtcdiag.connect.line import Line
from rtcdiag.connect.measuring import measure
from rtcdiag.connect.other import Other
from rtcdiag.connect.place import place_of
from rtcdiag.connect.progress import OnProgress, Told
from rtcdiag.connect.record import Record
from rtcdiag.connect.servers import settings_for
from rtcdiag.connect.talking import LASTS_S, Talking
from rtcdiag.evidence import Observation
from rtcdiag.evidence.session import Selection
from rtcdiag.ice.session import SessionAgent
from rtcdiag.net import Net
from rtcdiag.signaling import Bye, Channel, SignalingError
from rtcdiag.targets import Server

MEASURE_S = 3.0
_LINGER_S = 1.0
"""How long a pair with another program is looked at, with which nothing can be measured."""
_ALONE_S = 1.5
"""How long nothing runs beside a session that has told all."""
_LOOK_S = 0.02
_GONE = "nothing came from it any more: it was ended, or a network was lost"
_LEFT = "its command was ended"
_LEAVE_S = 0.5
_NO_PATH = "no pair of candidates answered: there is no path between the two"
_SILENCE = "no pair of candidates answered: there is no path between the two, or the other side was gone by then"

MakeReport = Callable[[tuple[Observation, ...]], Awaitable[bytes]]
"""Makes this end's report, as JSON, from the evidence of the session; called once, when the session is over."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one end wants of a session."""

    servers: tuple[Server, ...]
    hide_local: bool = False
    trickle: bool = True
    """Tell candidates one by one, where the channel carries that."""
    lasts_s: float = LASTS_S
    measure_s: float = MEASURE_S


@dataclass(frozen=True, kw_only=True)
class Held:
    """What came of it at this end."""

    observations: tuple[Observation, ...]
    """PeerSession first; without ids."""
    report: bytes | None = None
    """What `MakeReport` made, and the other end was sent; None where the session was interrupted before."""
    remote_report: bytes | None = None
    """The other end's report, JSON as it sent it, which is not to be trusted; None where none came."""
    interrupted: bool = False


async def hold(
    channel: Channel,
    asked: Asked,
    net: Net,
    *,
    on_progress: OnProgress = lambda _told: None,
    make_report: MakeReport | None = None,
    beside: Beside | None = None,
    other: Other | None = None,
) -> Held:
    """Hold a session over a channel that is open, and release everything whatever happens.

    ``beside`` begins when the session needs the processor no more, and is waited for before packets are measured.
    ``other`` is how to talk with an end that is no rtcdiag. A cancellation ends the session; what was seen until then
    is returned all the same.
    """
    session = _Session(
        channel, asked, net, on_progress=on_progress, make_report=make_report, beside=beside, other=other
    )
    interrupted = False
    try:
        await session.run()
    except asyncio.CancelledError:
        interrupted = True
        session.record.end("interrupted")
        _carry_on()
        await session.leave()
    finally:
        await session.close()
    return Held(
        observations=session.observations(),
        report=session.report,
        remote_report=session.remote_report,
        interrupted=interrupted,
    )


def _carry_on() -> None:
    """Take a cancellation as "stop here": the caller still wants what there is."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


class _Session:
    """One end under way."""

    def __init__(
        self,
        channel: Channel,
        asked: Asked,
        net: Net,
        *,
        on_progress: OnProgress,
        make_report: MakeReport | None,
        beside: Beside | None,
        other: Other | None,
    ) -> None:
        self._channel, self._asked, self._net, self._tell = channel, asked, net, on_progress
        self._make_report, self._beside, self._other = make_report, beside, other
        trickle = channel.trickles and asked.trickle
        self.record = Record(place=partial(place_of, net), role=channel.role, signaling=channel.kind, trickle=trickle)
        self.report: bytes | None = None
        self.remote_report: bytes | None = None
        self._agent: SessionAgent | None = None
        self._line: Line | None = None
        self._released: bool | None = None
        self._offers = channel.role == "offerer"
        self.record.waits = not channel.trickles and not self._offers

    async def run(self) -> None:
        """Go through the session; a cancellation may come at any time."""
        settings = settings_for(
            self._asked.servers, self._net, self.record, self._tell, hide_local=self._asked.hide_local
        )
        agent = self._agent = SessionAgent(
            settings, controlling=self._offers, now_ms=self._net.now_ms, on_selected=self._on_selected
        )
        agent.start()
        talking = Talking(self._channel, agent, self.record, self._tell, lasts_s=self._asked.lasts_s)
        async with talking.under_way():
            beginning = asyncio.create_task(self._begin_beside(agent, talking))
            try:
                await self._outcome(agent, talking)
            finally:
                beginning.cancel()
            await self._afterwards(agent, talking)

    async def _begin_beside(self, agent: SessionAgent, talking: Talking) -> None:
        """Begin the other experiments once a pair is nominated, or where that takes long: importing them takes time."""
        if self._beside is None:
            return
        await talking.told.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ALONE_S):
                while agent.selected("all") is None:  # noqa: ASYNC110 - it is looked for every few milliseconds anyway
                    await asyncio.sleep(_LOOK_S)
        self._beside.begin()

    def _on_selected(self, selection: Selection) -> None:
        if selection.policy == "all":
            self._tell(Told("connected", f"connected: {selection.local_type} to {selection.remote_type}"))

    async def _outcome(self, agent: SessionAgent, talking: Talking) -> None:
        """Wait until it is known whether there is a path, or until the session ends by itself."""
        try:
            async with asyncio.timeout(self._asked.lasts_s):
                await talking.heard_or_broken()
                self._open_line(agent, talking)
                # Where the other end is used at length, its first pair will do: checks go on meanwhile.
                settled = agent.settled(waiting=self.record.waits, first=self._other is not None)
                await talking.unless_left(settled)
                if talking.left.is_set():
                    await agent.answers_under_way()
        except TimeoutError:
            lasted = f"{self._asked.lasts_s:g} s"
            if self.record.heard_ms is None:
                self.record.end("no-peer", f"none within {lasted}")
            self.record.end("expired", f"{lasted} were not enough")
        except SignalingError as error:
            self.record.end("signaling", str(error))
        if self.record.stop is None:
            await self._conclude(agent, talking)
        if self.record.stop == "no-path":
            self._tell(Told("no-path", self._no_path_words(agent)))
        elif self.record.stop == "peer-left":
            self._tell(Told("left", f"the other side is gone: {self.record.detail}"))

    def _open_line(self, agent: SessionAgent, talking: Talking) -> None:
        """Listen to the other end's words over a pair, of which a farewell may be the first."""
        if talking.heard.is_set() and talking.with_rtcdiag:
            self.record.watched = True
            self._line = Line(agent, self.record.session, offers=self._offers, left=talking.left)
            self._line.listen()

    async def _conclude(self, agent: SessionAgent, talking: Talking) -> None:
        """Note what came of the checks: silence of an end that is gone tells nothing of the path."""
        if agent.selected("all") is not None:
            self.record.end("done")
        elif talking.left.is_set() or not await self._is_there(agent, talking):
            if talking.broken:
                self.record.end("signaling", talking.broken)
            self.record.end("peer-left", _LEFT if talking.said_bye else _GONE)
        else:
            self.record.end("no-path" if self.record.gathered or agent.every_pair else "no-candidates")

    async def _is_there(self, agent: SessionAgent, talking: Talking) -> bool:
        """Tell whether the other end is still there; True where no way shows it (`SessionTimes.last_sign_ms`: None)."""
        if not talking.with_rtcdiag:
            return True
        if self._channel.trickles:
            return await talking.answers(ANSWER_S)
        return self.record.tried(agent, agent.now_ms())

    def _no_path_words(self, agent: SessionAgent) -> str:
        if agent.changes and not agent.every_pair:
            return "this computer lost its network address: whether there is a path cannot be told"
        return _NO_PATH if self._channel.trickles or agent.last_sign_ms is not None else _SILENCE

    async def leave(self) -> None:
        """Tell the other end at once that this one ends before its time."""
        if self._line is not None:
            self._line.leave()
        with contextlib.suppress(SignalingError, TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                await self._channel.send(Bye(why="interrupted"))

    async def _afterwards(self, agent: SessionAgent, talking: Talking) -> None:
        """Measure, and let both ends have both reports."""
        if self._beside is not None:
            self._beside.begin()
        connected = agent.selected("all") is not None
        if not talking.with_rtcdiag:
            await self._with_other(agent, talking, connected=connected)
        line = self._line if connected else None
        pumping = asyncio.create_task(line.pump()) if line is not None else None
        try:
            measured = line is not None and await self._measured(agent, line)
            over_channel = talking.is_open and (line is None or await signaling_works(talking, line))
            over_pair = line if measured and not over_channel else None
            if over_pair is None:
                await self.close()
            await self._made()
            if self.report is not None and over_pair is not None:
                self.remote_report = await exchanged_over_pair(self.report, over_pair)
            elif self.report is not None and over_channel:
                self.remote_report = await exchanged_over_channel(self.report, self._channel, talking)
        finally:
            if pumping is not None:
                pumping.cancel()
        if talking.with_rtcdiag and self.remote_report is None and (connected or self._channel.trickles):
            self._tell(Told("left", "the other side's report did not come: this is what this end saw alone"))

    async def _with_other(self, agent: SessionAgent, talking: Talking, *, connected: bool) -> None:
        if connected:
            using = self._other.use(agent, self._quiet) if self._other is not None else asyncio.sleep(_LINGER_S)
            await talking.unless_left(using)
        if self._other is not None:
            await self._other.ended()

    async def _quiet(self) -> None:
        if self._beside is not None:
            self._beside.begin()
            await self._beside.quiet()

    async def _measured(self, agent: SessionAgent, line: Line) -> bool:
        line.listen()
        await self._quiet()
        line.watch()
        self._tell(Told("measuring", f"measuring for {self._asked.measure_s:g} s"))
        stream = await measure(agent, line, offers=self._offers, seconds=self._asked.measure_s)
        if stream is not None:
            self.record.more.append(stream)
        return stream is not None

    async def _made(self) -> None:
        if self._make_report is not None and self.report is None:
            self.report = await self._make_report(self.observations())

    def observations(self) -> tuple[Observation, ...]:
        """Return what was seen until now."""
        if self._agent is None:
            return ()
        seen = self.record.observations(self._agent, released=self._released is not False)
        return (*seen, *(self._other.observations() if self._other is not None else ()))

    async def close(self) -> None:
        """Release everything, once."""
        if self._agent is not None and self._released is None:
            self.record.ended_ms = self._net.now_ms()
            self._released = await self._agent.finish()
