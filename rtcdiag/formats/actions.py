"""What to do about the findings: the most important first, and who has to do it."""

import msgspec

from rtcdiag.findings import Finding, Role, Severity
from rtcdiag.report import Report

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)


class Action(msgspec.Struct, frozen=True):
    """One thing to do."""

    role: Role
    text: str
    code: str


def ranked(report: Report) -> tuple[Finding, ...]:
    """Return the findings, errors first; those that the verdict rests on come first among equals."""
    because = report.verdict.because
    place = {code: number for number, code in reversed(tuple(enumerate(because)))}
    return tuple(
        sorted(report.findings, key=lambda item: (_ORDER.index(item.severity), place.get(item.code, len(because))))
    )


def actions(report: Report) -> tuple[Action, ...]:
    """Return the first remedy of every finding that has one, each text once, most important first.

    Then what else can be done about errors, as who can do it best may be somebody else. What facts worth knowing
    suggest is left out where something has to be mended.
    """
    about = [finding for finding in ranked(report) if report.command != "nat-type" or _is_about_nat(finding)]
    first = [(finding, action) for finding in about for action in _actions(finding)[:1]]
    others = [(finding, action) for finding in about for action in _actions(finding)[1:]]
    found = first + [(finding, action) for finding, action in others if finding.severity is Severity.ERROR]
    pressing = any(finding.severity is not Severity.INFO for finding, _ in found)
    seen: dict[tuple[Role, str], Action] = {}
    for finding, action in found:
        if not pressing or finding.severity is not Severity.INFO:
            seen.setdefault((action.role, action.text), action)
    return tuple(seen.values())


def _is_about_nat(finding: Finding) -> bool:
    """Tell whether it matters to a question about the network: not what is merely known of one server."""
    return finding.subject is None or finding.severity is not Severity.INFO


def _actions(finding: Finding) -> tuple[Action, ...]:
    return tuple(Action(role, text, finding.code) for role, text in finding.remedy.items())


def by_role(items: tuple[Action, ...]) -> dict[Role, tuple[Action, ...]]:
    """Return actions grouped by who must act, in the order in which each role first appears."""
    roles = dict.fromkeys(item.role for item in items)
    return {role: tuple(item for item in items if item.role == role) for role in roles}
