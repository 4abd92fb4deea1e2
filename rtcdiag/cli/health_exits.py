"""The exit code of a health check: that of every command, or a Nagios plug-in's."""

from rtcdiag.cli.exits import FINDINGS, INCONCLUSIVE, OK, SIGNAL
from rtcdiag.cli.options import FailOn
from rtcdiag.health import HealthSummary, Tally

NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN = range(4)


def health_exit(tally: Tally, *, fail_on: FailOn, signal: int | None) -> int:
    """Return the code of a round: the signal that ended it, a crash, failures, no answer, success, in this order."""
    met = tally.requirement().met
    if signal is not None:
        return SIGNAL + signal
    if tally.crashes:
        return INCONCLUSIVE
    if fail_on != "never" and (met == "no" or (fail_on == "warning" and tally.warnings)):
        return FINDINGS
    return INCONCLUSIVE if met == "unknown" else OK


def nagios_exit(summary: HealthSummary) -> int:
    """Return what the plug-in guidelines want: names that do not resolve and time-outs are critical, not unknown."""
    match summary.verdict.status:
        case "healthy":
            return NAGIOS_OK
        case "degraded":
            return NAGIOS_WARNING
        case "broken":
            return NAGIOS_CRITICAL
        case "inconclusive":
            return NAGIOS_UNKNOWN
