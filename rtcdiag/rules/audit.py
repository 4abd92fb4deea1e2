"""What an audit of one's own TURN server found."""

from collections.abc import Iterator

from rtcdiag.audit.checks import checks, software_of
from rtcdiag.audit.flaws import flaws_of
from rtcdiag.audit.outcome import views
from rtcdiag.evidence import Evidence
from rtcdiag.findings import Finding, Severity, find


def failed_checks(evidence: Evidence) -> Iterator[Finding]:
    """Name every check that a server failed."""
    for check in checks(evidence):
        if check.row.finding is not None:
            severity = Severity.INFO if check.is_milder else None
            yield find(check.row.finding, *check.evidence, subject=check.row.server, severity=severity, **check.facts)


def known_flaws(evidence: Evidence) -> Iterator[Finding]:
    """Compare the version that a server announces with the known flaws."""
    for view in views(evidence):
        item, software = software_of(view)
        flaws = [f"{flaw.id} (fixed in {flaw.fixed}): {flaw.what}" for flaw in flaws_of(software)]
        if item is not None and flaws:
            yield find("turn-audit-known-flaws", item.id, subject=view.scope.server, software=software, flaws=flaws)
