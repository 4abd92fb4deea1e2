"""The exit code: a pure function of a report and of what was demanded of it."""

from collections.abc import Callable, Sequence
from typing import Literal

from rtcdiag.address import Family
from rtcdiag.cli.options import FailOn, PairRequirement, Requirement
from rtcdiag.evidence import Crash, Failure, Resolution, Target
from rtcdiag.evidence.session import Policy
from rtcdiag.findings import Severity
from rtcdiag.report import Report, ServerRow, evidence_of
from rtcdiag.session import End, end_of
from rtcdiag.targets import parse_server
from rtcdiag.verdict import relays

OK = 0
FINDINGS = 1
"""A finding at or above ``--fail-on``, or a requirement that is not met."""
USAGE = 2
"""Bad usage, configuration or input: nothing on standard output, and nobody was contacted."""
INCONCLUSIVE = 3
"""The question got no answer, or the program itself failed."""
SIGNAL = 128
"""Plus the signal's number: 130 for Ctrl-C, 143 for SIGTERM."""

Met = Literal["yes", "no", "unknown"]
"""Whether a requirement is met; what was not tested is unknown, never no."""


def exit_code(
    report: Report, *, fail_on: FailOn, require: Sequence[Requirement] = (), signal: int | None = None
) -> int:
    """Return the code of a run: the signal that ended it, a crash, findings, no answer, success, in this order."""
    met = {REQUIREMENTS[name](report) for name in require}
    if signal is not None:
        return SIGNAL + signal
    if evidence_of(report)[0].of(Crash):
        return INCONCLUSIVE
    if "no" in met or any(_counts(finding.severity, fail_on) for finding in report.findings):
        return FINDINGS
    return INCONCLUSIVE if "unknown" in met or report.verdict.status == "inconclusive" else OK


def session_exit_code(report: Report, *, require: Sequence[PairRequirement] = (), signal: int | None = None) -> int:
    """Return the code of a session of two: 1 where not even a relay works, or a requirement is unmet."""
    if signal is not None:
        return SIGNAL + signal
    evidence, _ = evidence_of(report)
    if evidence.of(Crash):
        return INCONCLUSIVE
    end = end_of(evidence)
    any_path, met = _policy(end, "all"), {_policy(end, item.value) for item in require}
    broken = end is not None and end.with_browser and any_path == "yes" and report.verdict.status == "broken"
    if "no" in met or any_path == "no" or broken:
        return FINDINGS
    undecided = "unknown" in {any_path, *met} or report.verdict.status == "inconclusive"
    return INCONCLUSIVE if undecided else OK


def _policy(end: End | None, policy: Policy) -> Met:
    """Return whether a policy of a session connected."""
    if end is None:
        return "unknown"
    outcome = next((item.outcome for item in end.session.policies if item.policy == policy), "ended-early")
    # A browser nominates one pair only: that a check was answered on another proves that pair's policy all the same.
    if end.with_browser and end.answer(policy) == "yes":
        return "unknown" if policy == "direct" and end.same_computer else "yes"
    if outcome == "no-pair-answered" and not end.witnessed:
        return "unknown"
    if policy == "all" and outcome == "no-pairs" and end.session.stop == "no-path":
        return "no"
    return _OUTCOMES.get(outcome, "unknown")


_OUTCOMES: dict[str, Met] = {"connected": "yes", "no-pair-answered": "no"}


def _counts(severity: Severity, fail_on: FailOn) -> bool:
    order = ("never", *Severity)
    return order.index(severity) <= order.index(fail_on)


def _direct(report: Report) -> Met:
    match report.verdict.direct_p2p:
        case "confirmed" | "likely":
            return "yes"
        case "depends-on-peer" | "relay-needed" | "blocked":
            return "no"
        case "inconclusive" | "not-tested":
            return "unknown"


def _relay(report: Report) -> Met:
    rows = [row for row in report.servers if row.uri.lower().startswith("turn")]
    tried = any(stage.stage == "data" and stage.status != "not-tested" for row in rows for stage in row.stages)
    if not tried and any(row.type == "relay" for row in report.candidates):
        return "yes"
    return _any_works([relays(row) for row in rows])


def _tls_443(report: Report) -> Met:
    return _any_works(
        [
            relays(row)
            for row in report.servers
            if row.uri.lower().startswith("turns") and row.transport == "tls" and _port(row) == 443
        ]
    )


def _port(row: ServerRow) -> int | None:
    """Return the server's port; a proxy's own port says nothing about it."""
    if row.via is not None:
        return parse_server(row.uri).port
    return row.address.port if row.address else None


def _ipv6(report: Report) -> Met:
    if report.nat.ipv6 is not None and report.nat.ipv6.mapped:
        return "yes"
    direct = [row for row in report.servers if row.address is not None and row.via is None]
    rows = [_works(row) for row in direct if row.address and row.address.family is Family.IPV6]
    if not rows and _have_ipv4_only(report):
        return "no"
    works = _any_works(rows)
    return "no" if works == "unknown" and not report.environment.ipv6 else works


_NO_IPV6 = (Failure.DNS_NO_ADDRESS, Failure.DNS_NOT_FOUND)


def _have_ipv4_only(report: Report) -> bool:
    """Whether no server has an IPv6 address: their names were looked up and have none, or they are IPv4 addresses."""
    evidence, _ = evidence_of(report)
    looked_up = evidence.of(Resolution, lambda item: item.family is Family.IPV6 and item.failure in _NO_IPV6)
    without = {item.host for item in looked_up}
    targets = evidence.of(Target)
    return bool(targets) and all(
        ":" not in target.host if target.ip_literal else target.host in without for target in targets
    )


REQUIREMENTS: dict[Requirement, Callable[[Report], Met]] = {
    Requirement.DIRECT: _direct,
    Requirement.RELAY: _relay,
    Requirement.TLS_443: _tls_443,
    Requirement.IPV6: _ipv6,
}


def _any_works(rows: list[Met]) -> Met:
    """One that works is enough; "no" needs every one of them to have been tried."""
    if "yes" in rows:
        return "yes"
    return "no" if rows and "unknown" not in rows else "unknown"


def _works(row: ServerRow) -> Met:
    if row.status in {"ok", "warning"}:
        return "yes"
    return "no" if row.status == "failed" else "unknown"
