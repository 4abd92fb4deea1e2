"""The run itself and the computer it ran on: crashes, the deadline, the clock, VPN and container."""

from collections.abc import Iterator

from rtcdiag.evidence import Crash, Evidence, Failure
from rtcdiag.findings import Finding, find

_SKEW_S = 30.0


def crashed(evidence: Evidence) -> Iterator[Finding]:
    """Say which experiments this program itself spoiled."""
    for item in evidence.of(Crash):
        yield find("probe-crashed", item.id, probe=item.probe, error=item.error, where=item.where)


def deadline(evidence: Evidence) -> Iterator[Finding]:
    """Count what the deadline cut off."""
    cut = [
        item.id
        for item in evidence.observations
        if Failure.DEADLINE
        in (getattr(item, "failure", None), getattr(getattr(item, "exchange", None), "failure", None))
    ]
    if cut:
        yield find("deadline-reached", *cut[:20], count=len(cut))


def clock(evidence: Evidence) -> Iterator[Finding]:
    """Compare this computer's clock with the reference, where one was asked."""
    offset_s = evidence.environment.clock_offset_s
    if offset_s is not None and abs(offset_s) > _SKEW_S:
        way = "ahead" if offset_s > 0 else "behind"
        yield find("clock-wrong", offset_s=round(min(abs(offset_s), 1e10)), way=way)


def surroundings(evidence: Evidence) -> Iterator[Finding]:
    """Name what stands between this computer's programs and its network."""
    if evidence.environment.vpn:
        yield find("vpn-carries-traffic", interface=evidence.environment.default_route or "unknown")
    if evidence.environment.container:
        yield find("inside-container")
