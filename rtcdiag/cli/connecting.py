"""One end of a session as the command line runs it: the session, the own network beside it, and the report on both."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from rtcdiag.cli.signals import cancelled_by_signals
from rtcdiag.cli.streams import tell
from rtcdiag.connect import Asked, Beside, Other, Outcome, Told, connect
from rtcdiag.evidence import Evidence, Observation
from rtcdiag.net import Net
from rtcdiag.net.capture import Capture
from rtcdiag.options import RunOptions
from rtcdiag.signaling import Channel
from rtcdiag.targets import Server

if TYPE_CHECKING:
    from rtcdiag.report import Report


class Joined(NamedTuple):
    """The way to the other end."""

    channel: Channel
    other: Other | None = None
    """How to talk with it over a pair, where it is no rtcdiag."""
    tell: Callable[[str], None] | None = None
    """Shows it a line of progress."""


Open = Callable[[Net], Awaitable[Joined]]
"""Opens the signaling once the run has begun."""


class Session(NamedTuple):
    """What is asked for."""

    servers: tuple[Server, ...]
    options: RunOptions
    lasts_s: float
    hide_local: bool = False
    trickle: bool = True
    given: tuple[Observation, ...] = ()
    """What is known before anybody is asked."""
    quiet: bool = False
    redacted: bool = False
    """Whether progress tells no addresses."""
    to_page: bool = False
    """Whether the other end is a page on this computer, from which nothing has to be kept."""

    @property
    def keeps_report(self) -> bool:
        """Whether the other end must not get the report: it holds what this end hides."""
        return (self.hide_local or self.options.relay_only) and not self.to_page


class Ended(NamedTuple):
    """What came of it."""

    report: "Report"
    """This end's; the other end got it too, unless it holds what is hidden."""
    remote_report: bytes | None
    """The other end's report as it came, which is not to be trusted; empty where it keeps it to itself."""
    signal: int | None
    """What ended the run early, if something did."""


def run_session(session: Session, capture: Capture | None, open_channel: Open) -> Ended:
    """Hold a session and diagnose this end of it."""
    end = _End(session)
    outcome = asyncio.run(end.run(capture, open_channel))
    return Ended(end.made or end.report(Evidence()), outcome.remote_report if outcome else None, end.signal)


class _End:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._began, self._started_at = time.monotonic(), datetime.now(UTC)
        self._caught: list[int] = []
        self.made: Report | None = None

    @property
    def signal(self) -> int | None:
        return self._caught[0] if self._caught else None

    def report(self, evidence: Evidence) -> "Report":
        # Judgement is imported when it is needed: it would keep the first checks waiting.
        from rtcdiag.cli.running import asked, rfc3339, utc_offset_min
        from rtcdiag.diagnosis import Run, diagnose

        run = Run(
            id=str(uuid4()),
            command="connect",
            options=asked(self._session.servers, self._session.options),
            started_at=rfc3339(self._started_at),
            utc_offset_min=utc_offset_min(self._started_at),
            duration_ms=round((time.monotonic() - self._began) * 1000, 1),
            interrupted=self.signal is not None,
        )
        return diagnose(evidence, run)

    def _make(self, evidence: Evidence) -> bytes:
        from rtcdiag.report import encode

        self.made = self.report(evidence)
        return b"" if self._session.keeps_report else encode(self.made)

    def _tell(self, told: Told, show: Callable[[str], None] | None) -> None:
        if show is not None:
            show(told.words)
        if not self._session.quiet:
            tell(f"{told.words[:1].upper()}{told.words[1:]}.")

    async def run(self, capture: Capture | None, open_channel: Open) -> Outcome | None:
        session = self._session
        beside = Beside(session.servers, session.options, capture, given=session.given)
        wanted = Asked(
            servers=session.servers, hide_local=session.hide_local, trickle=session.trickle, lasts_s=session.lasts_s
        )
        joined = await open_channel(beside.net)
        work = connect(
            joined.channel, wanted, beside, self._make, lambda told: self._tell(told, joined.tell), other=joined.other
        )
        task = asyncio.create_task(work)
        with cancelled_by_signals(task) as self._caught:
            try:
                return await task
            except asyncio.CancelledError:  # before it had begun, or a second time
                return None
            finally:
                await joined.channel.close()
