"""One end of a session as the command line runs it: the session, the own network beside it, and the report on both."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from rtcdiag.cli.running import asked, rfc3339
from rtcdiag.cli.signals import cancelled_by_signals
from rtcdiag.cli.streams import say
from rtcdiag.connect import Asked, Held, Told, hold
from rtcdiag.connect.beside import Beside
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.evidence import Evidence, Observation
from rtcdiag.net import Net
from rtcdiag.net.capture import Capture
from rtcdiag.options import RunOptions
from rtcdiag.probes.environment import environment
from rtcdiag.report import Report
from rtcdiag.run import load, numbered, plan, targets_of
from rtcdiag.signaling import Channel
from rtcdiag.targets import Server

Open = Callable[[Net], Awaitable[Channel]]
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


class Ended(NamedTuple):
    """What came of it."""

    report: Report
    remote_report: bytes | None
    """The other end's report as it came."""
    signal: int | None
    """What ended the run early, if something did."""


def run_session(session: Session, capture: Capture | None, open_channel: Open) -> Ended:
    """Hold a session and diagnose this end of it."""
    began, started_at = time.monotonic(), datetime.now(UTC)
    seen = asyncio.run(_run(session, capture, open_channel))
    run = Run(
        id=str(uuid4()),
        command="connect",
        options=asked(session.servers, session.options),
        started_at=rfc3339(started_at),
        duration_ms=round((time.monotonic() - began) * 1000, 1),
        interrupted=seen.signal is not None,
    )
    return Ended(diagnose(seen.evidence, run), seen.held.remote_report if seen.held else None, seen.signal)


class _Seen(NamedTuple):
    evidence: Evidence
    held: Held | None
    signal: int | None


async def _run(session: Session, capture: Capture | None, open_channel: Open) -> _Seen:
    jobs = plan("connect", session.servers, session.options)
    load(jobs, session.options)
    started_at_s = time.time()
    net = Net(session.options, capture)
    beside = Beside(jobs, net)
    held, signal = None, None
    try:
        held, signal = await _hold(session, net, beside, open_channel)
    finally:
        more = await beside.end(at_once=signal is not None)
        await net.close()
    own = held.observations if held is not None else ()
    found = numbered((*session.given, *targets_of(jobs), *net.resolutions, *own, *more))
    return _Seen(Evidence(started_at_s=started_at_s, environment=environment(net), observations=found), held, signal)


async def _hold(session: Session, net: Net, beside: Beside, open_channel: Open) -> tuple[Held | None, int | None]:
    def tell(told: Told) -> None:
        if told.stage == "told":
            beside.begin()
        elif not session.quiet:
            say(f"{told.words[:1].upper()}{told.words[1:]}.")

    wanted = Asked(
        servers=session.servers, hide_local=session.hide_local, trickle=session.trickle, lasts_s=session.lasts_s
    )
    channel = await open_channel(net)
    task = asyncio.create_task(hold(channel, wanted, net, tell))
    with cancelled_by_signals(task) as caught:
        try:
            held = await task
        except asyncio.CancelledError:  # before it had begun
            held = None
        finally:
            await channel.close()
    return held, caught[0] if caught else None
