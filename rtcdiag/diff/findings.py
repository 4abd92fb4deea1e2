"""Findings that are new, gone, or of another severity."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

import msgspec

from rtcdiag.diff.pair import Pair
from rtcdiag.diff.value import Direction
from rtcdiag.findings import Finding, Severity
from rtcdiag.report import Report

_SEVERITIES = tuple(Severity)


class FindingChange(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that only one of the reports has, or that matters more or less now."""

    change: Literal["new", "gone", "graver", "milder"]
    direction: Direction
    code: str
    severity: Severity
    """In B; of one that is gone, in A."""
    subject: str | None = None
    title: str
    why: str = ""
    """Why it is neither better nor worse."""


_Key = tuple[str, ...]


def finding_changes(pair: Pair) -> tuple[FindingChange, ...]:
    """Return them: what is worse first, and the graver first."""
    before, after = _by_key(pair.before, pair), _by_key(pair.after, pair)
    found = [*_only(after, before, pair, new=True), *_only(before, after, pair, new=False)]
    for key in before.keys() & after.keys():
        found += _graver(before[key][0], after[key][0])
    order = ("worse", "better", "neither")
    return tuple(
        sorted(found, key=lambda item: (order.index(item.direction), _SEVERITIES.index(item.severity), item.code))
    )


def _by_key(report: Report, pair: Pair) -> dict[_Key, list[Finding]]:
    found: dict[_Key, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(_key(finding, pair), []).append(finding)
    return found


def _key(finding: Finding, pair: Pair) -> _Key:
    """Return what makes two findings the same: code and server, of faults transport and family, but no address."""
    subject = finding.subject or ""
    names = () if finding.severity is Severity.INFO else ("transport", "family")
    facts = tuple(str(finding.facts.get(name, "")) for name in names)
    return (finding.code, subject, *facts) if pair.same_server(subject) else (finding.code, *facts)


def _only(
    here: dict[_Key, list[Finding]], there: dict[_Key, list[Finding]], pair: Pair, *, new: bool
) -> Iterator[FindingChange]:
    """Yield what is here more often than there."""
    more = Counter({key: len(items) for key, items in here.items()}) - Counter(
        {key: len(items) for key, items in there.items()}
    )
    for key, number in more.items():
        for finding in here[key][-number:]:
            why = _why_not(finding, pair, new=new)
            worse: Direction = "worse" if new else "better"
            yield FindingChange(
                change="new" if new else "gone",
                direction="neither" if why else worse,
                code=finding.code,
                severity=finding.severity,
                subject=finding.subject,
                title=finding.title,
                why=why,
            )


def _why_not(finding: Finding, pair: Pair, *, new: bool) -> str:
    """Return why a finding of one report says nothing against the other."""
    other, name = (pair.before, "A") if new else (pair.after, "B")
    if finding.severity is Severity.INFO:
        return "a fact, no fault"
    subject = finding.subject or ""
    if subject and pair.same_server(subject) and not pair.asked(other, subject) and other.options.targets:
        return f"{name} did not ask this server"
    if not pair.same_question:
        return f"{name} may not have tested this"
    return ""


def _graver(before: Finding, after: Finding) -> Iterator[FindingChange]:
    if before.severity is after.severity:
        return
    graver = _SEVERITIES.index(after.severity) < _SEVERITIES.index(before.severity)
    yield FindingChange(
        change="graver" if graver else "milder",
        direction="worse" if graver else "better",
        code=after.code,
        severity=after.severity,
        subject=after.subject,
        title=after.title,
    )
