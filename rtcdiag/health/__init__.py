"""Health checks: what was seen of one target to its result, and all results to one verdict. Pure; `fleet` does it."""

from rtcdiag.health.judgement import Try, crashed, judge, judge_service, unchecked
from rtcdiag.health.result import HealthPath, HealthResult, HealthStatus, HealthSummary, Met, Requirement, Round
from rtcdiag.health.summary import Required, Tally

__all__ = [
    "HealthPath",
    "HealthResult",
    "HealthStatus",
    "HealthSummary",
    "Met",
    "Required",
    "Requirement",
    "Round",
    "Tally",
    "Try",
    "crashed",
    "judge",
    "judge_service",
    "unchecked",
]
