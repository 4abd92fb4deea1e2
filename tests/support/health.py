"""Health checks made of evidence: a target, what was seen of it, and whole runs of results."""

from collections.abc import Iterator, Sequence
from typing import Any

from rtcdiag.config import HealthTarget
from rtcdiag.demands import Depth, Thresholds
from rtcdiag.evidence import Environment, Evidence, Observation
from rtcdiag.health import HealthResult, HealthSummary, Required, Round, Tally, Try, judge
from rtcdiag.report import Options
from rtcdiag.targets import Credential, parse_server
from support.evidence import Turn, run

STARTED = "2026-11-22T16:00:00.000Z"
TURN = Turn()


def health_target(uri: str = TURN.uri, **more: Any) -> HealthTarget:
    """Return a target whose credentials are known."""
    server = parse_server(uri, credential=Credential("ann", "hunter2"))
    fields: dict[str, Any] = {"name": uri, "server": server, "where": "$[0].urls", "line": 7}
    return HealthTarget(**fields | more)


def result(
    evidence: Evidence,
    target: HealthTarget | None = None,
    *,
    depth: Depth = "relay",
    thresholds: Thresholds | None = None,
    controls: tuple[Observation, ...] = (),
    attempts: int = 1,
    late_ms: float = 0.0,
) -> HealthResult:
    """Judge evidence about a target."""
    tried = Try(
        evidence=evidence,
        started_at=STARTED,
        duration_ms=120.0,
        attempts=attempts,
        failed_before=attempts > 1,
        late_ms=late_ms,
    )
    found = target or health_target()
    return judge(found, tried, depth=depth, thresholds=thresholds or {}, controls=controls)


def healthy(**more: Any) -> HealthResult:
    """Return a target that works."""
    return result(run(*TURN.up_to("end")), health_target(**more))


class Kept:
    """Results in memory, as a spool has them on disk."""

    def __init__(self, results: Sequence[HealthResult]) -> None:
        self._results = results

    def __iter__(self) -> Iterator[HealthResult]:
        return iter(self._results)


def round_of(*results: HealthResult, required: Required = "all", **more: Any) -> Round:
    """Return a whole run."""
    tally = Tally(required)
    for item in results:
        tally.add(item)
    fields: dict[str, Any] = {
        "id": "00000000-0000-4000-8000-000000000000",
        "options": Options(thresholds={"allocate_ms": {"warning": 300.0, "critical": None}}),
        "started_at": STARTED,
        "duration_ms": 412.5,
        "environment": Environment(ipv4=True),
        "verdict": tally.verdict(),
        "requirement": tally.requirement(),
        "counts": tally.counts,
        "warnings": tally.warnings,
        "failures": tally.failures,
    }
    return Round(HealthSummary(**fields | more), Kept(results))
