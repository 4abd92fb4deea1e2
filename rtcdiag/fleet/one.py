"""One try to check one target, and its result."""

import time
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from rtcdiag.config import HealthTarget
from rtcdiag.demands import Depth
from rtcdiag.fleet.controls import Controls
from rtcdiag.fleet.settings import Settings, Surroundings
from rtcdiag.health import HealthResult, Try, judge
from rtcdiag.net import Net
from rtcdiag.probes.job import Job
from rtcdiag.run import gather
from rtcdiag.stun.credentials import mint
from rtcdiag.targets import Server

MINTED_S = 3600


async def check(
    target: HealthTarget, settings: Settings, here: Surroundings, controls: Controls | None = None
) -> HealthResult:
    """Check a target once and judge it; a cancellation gives back what it holds, and the result so far is returned."""
    return judged(target, await observe(target, settings, here), settings, controls or Controls())


async def observe(target: HealthTarget, settings: Settings, here: Surroundings, *, left_s: float | None = None) -> Try:
    """Check a target once, at most so long."""
    depth = settings.depth_of(target)
    options = settings.options
    if depth == "quality":
        longer_ms = options.deadline_ms + settings.quality_s * 1000
        options = replace(options, quality_s=settings.quality_s, deadline_ms=longer_ms)
    if left_s is not None:
        options = replace(options, deadline_ms=max(1.0, min(options.deadline_ms, left_s * 1000)))
    began_s, started_at = time.monotonic(), now()
    job, net = _job(_minted(target), depth), Net(options, resolver=here.resolver)
    with here.lateness.meter() as meter:
        evidence = await gather((job,), options, net=net, here=here.here)
    return Try(
        evidence=evidence,
        started_at=started_at,
        duration_ms=round((time.monotonic() - began_s) * 1000, 1),
        late_ms=round(meter.late_ms, 1),
    )


def judged(target: HealthTarget, tried: Try, settings: Settings, controls: Controls) -> HealthResult:
    """Judge a try by what it saw, and by what is known of the network by now."""
    return judge(
        target,
        tried,
        depth=settings.depth_of(target),
        thresholds=settings.thresholds_of(target),
        controls=controls.beside(tried.evidence),
        keep_evidence=settings.keep_evidence,
    )


def _job(server: Server, depth: Depth) -> Job:
    return Job(probe=f"{server.protocol}-server", servers=(server,), samples=1, depth=depth, brief=depth != "quality")


def _minted(target: HealthTarget) -> Server:
    """Return the server with credentials that are good for this check."""
    server, secret = target.server, target.secret
    if secret is None or server.protocol != "turn":
        return server
    return msgspec.structs.replace(server, credential=mint(secret.value, secret.name, int(time.time()) + MINTED_S))


def now() -> str:
    """Return the time in UTC with milliseconds, as reports write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
