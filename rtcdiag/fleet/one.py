"""One try to check one target, and its result."""

import time
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from rtcdiag.address import Family
from rtcdiag.config import HealthTarget
from rtcdiag.contacts import NAT64_NAME
from rtcdiag.demands import Depth
from rtcdiag.evidence import Evidence, Failure, Resolution
from rtcdiag.fleet.controls import Controls
from rtcdiag.fleet.settings import Settings, Surroundings
from rtcdiag.health import HealthResult, Try, judge
from rtcdiag.net import Net
from rtcdiag.options import RunOptions
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
        evidence = await _beside_a_known_name(await gather((job,), options, net=net, here=here.here), options, here)
    return Try(
        evidence=evidence,
        started_at=started_at,
        duration_ms=round((time.monotonic() - began_s) * 1000, 1),
        late_ms=round(meter.late_ms, 1),
    )


async def _beside_a_known_name(evidence: Evidence, options: RunOptions, here: Surroundings) -> Evidence:
    """Look up a name that surely exists where one is said not to: a resolver may say that of every name."""
    names = evidence.of(Resolution)
    if not names or any(item.failure is not Failure.DNS_NOT_FOUND for item in names):
        return evidence
    began_s = time.monotonic()
    last = max(item.t_ms + (item.duration_ms or 0.0) for item in names)
    answer = await here.resolver.look_up(
        NAT64_NAME, Family.IPV4, max(1.0, min(options.timeout_ms, options.deadline_ms - last))
    )
    seen = Resolution(
        id=f"obs-{len(evidence.observations) + 1}",
        t_ms=last,
        duration_ms=round((time.monotonic() - began_s) * 1000, 1),
        host=NAT64_NAME,
        family=Family.IPV4,
        addresses=tuple(map(str, answer.addresses)),
        failure=answer.failure,
    )
    return replace(evidence, observations=(*evidence.observations, seen))


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
