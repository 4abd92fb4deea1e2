"""A session and the network evidence that is gathered beside it: what one end's report is made of."""

from collections.abc import Callable
from dataclasses import dataclass

from rtcdiag.connect.beside import Beside
from rtcdiag.connect.flow import Asked, Held, hold
from rtcdiag.connect.other import Other
from rtcdiag.connect.progress import OnProgress
from rtcdiag.evidence import Evidence, Observation
from rtcdiag.signaling import Channel


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one end has when everything is over."""

    evidence: Evidence
    report: bytes
    """This end's report, JSON, as the other end got it."""
    remote_report: bytes | None
    """The other end's, JSON as it sent it, which is not to be trusted; None where none came."""
    interrupted: bool


async def connect(
    channel: Channel,
    asked: Asked,
    beside: Beside,
    make_report: Callable[[Evidence], bytes],
    on_progress: OnProgress = lambda _told: None,
    *,
    other: Other | None = None,
) -> Outcome:
    """Hold a session over an open channel, look at the network beside it, and exchange reports.

    ``make_report`` is called once, with all the evidence. A cancellation (Ctrl-C, SIGTERM) ends everything, releases
    it, and still returns what was seen. The channel stays open: who opened it closes it.
    """
    made: list[tuple[Evidence, bytes]] = []

    async def make(session: tuple[Observation, ...]) -> bytes:
        evidence = beside.with_session(session, await beside.wait())
        made.append((evidence, make_report(evidence)))
        return made[-1][1]

    try:
        held = await hold(
            channel, asked, beside.net, on_progress=on_progress, make_report=make, beside=beside, other=other
        )
        evidence, report = made[-1] if made else await _partial(held, beside, make_report)
    finally:
        await beside.end()
    return Outcome(evidence=evidence, report=report, remote_report=held.remote_report, interrupted=held.interrupted)


async def _partial(held: Held, beside: Beside, make_report: Callable[[Evidence], bytes]) -> tuple[Evidence, bytes]:
    evidence = beside.with_session(held.observations, await beside.end())
    return evidence, make_report(evidence)
