"""An audit: every check with its answer, and what to write in a configuration file."""

from collections.abc import Iterator
from itertools import zip_longest

from rtcdiag.audit.outcome import AuditRow, CheckName
from rtcdiag.findings import Finding, Severity
from rtcdiag.formats.tables import Cell, Table
from rtcdiag.formats.words import SEVERITY_TONE, Tone
from rtcdiag.report import Report

CHECK: dict[CheckName, str] = {
    "open-relay": "open relay",
    "expired-credentials": "expired credentials",
    "lasting-credentials": "life of credentials",
    "loopback": "loopback peers",
    "this-host": '"this host" peers',
    "embedded": "embedded IPv4 peers",
    "link-local": "link-local peers",
    "private": "private peers",
    "special": "special peers",
    "own-inner": "own inner address",
    "own": "own public address",
    "channel-parity": "channels alike",
    "tcp-relay": "TCP relay",
    "software": "software banner",
    "leaked-address": "inner address told",
    "amplification": "amplification",
    "tls-versions": "old TLS versions",
    "cleartext": "TLS offered",
    "nonce": "nonce",
}
_ORDER: tuple[Tone, ...] = ("bad", "warn", "muted", "info", "ok")


def verdict_of(row: AuditRow, report: Report) -> tuple[str, Tone]:
    """Return a check's verdict in a word, and its tone: how much a failure matters is the finding's to say."""
    if row.verdict == "pass":
        return "ok", "ok"
    if row.verdict == "undetermined":
        return "not known", "muted"
    found = [item.severity for item in report.findings if (item.code, item.subject) == (row.finding, row.server)]
    severity = found[0] if found else Severity.WARNING
    return {Severity.ERROR: "FAIL", Severity.WARNING: "weak", Severity.INFO: "note"}[severity], SEVERITY_TONE[severity]


def worst_first(report: Report) -> list[AuditRow]:
    """Return the checks, failures first, else in their order."""
    return sorted(report.audit, key=lambda row: _ORDER.index(verdict_of(row, report)[1]))


def checks(report: Report) -> Table | None:
    """Return all checks of all audited servers."""
    if not report.audit:
        return None
    several = len({row.server for row in report.audit}) > 1
    rows = tuple(
        (
            Cell(CHECK[row.check]),
            *([Cell(row.server, code=True)] if several else []),
            Cell(row.asked),
            Cell(row.answer),
            Cell(*verdict_of(row, report)),
        )
        for row in report.audit
    )
    columns = ("Check", *(["Server"] if several else []), "Asked", "Answer", "Verdict")
    note = "Nothing was sent to any peer: the server's answer to the question is the finding."
    return Table(caption="Audit", columns=columns, rows=rows, note=note)


def changes(report: Report) -> tuple[Finding, ...]:
    """Return the findings about configuration files, in the order of severity."""
    return tuple(item for item in report.findings if item.code.startswith("turn-config-"))


def configuration(report: Report) -> Table | None:
    """Return what to write in which lines, one row a line."""
    rows = tuple(dict.fromkeys(row for item in changes(report) for row in _rows(item)))
    if not rows:
        return None
    return Table(caption="Configuration", columns=("Line", "Now", "Write"), rows=rows)


def _rows(item: Finding) -> Iterator[tuple[Cell, ...]]:
    numbers, current, suggested = (item.facts.get(name, []) for name in ("lines", "current", "suggested"))
    tone = SEVERITY_TONE[item.severity]
    for number, now, write in zip_longest(numbers, current, suggested):
        line = Cell("add") if number is None else Cell(str(number))
        yield line, Cell(now or "", code=True), Cell(write or "nothing: remove it", tone, code=write is not None)
