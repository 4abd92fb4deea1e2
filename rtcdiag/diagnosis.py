"""From evidence to a report: run every rule, name the first broken stage of each server, draw the verdict."""

from collections.abc import Iterator

import msgspec

from rtcdiag.address import Family
from rtcdiag.audit.checks import checks
from rtcdiag.audit.outcome import AuditRow
from rtcdiag.evidence import Candidate, Evidence, Skipped, TurnConfig
from rtcdiag.findings import STAGES, Finding, Severity, merged, silenced
from rtcdiag.nat import NO_NAT, OPT_IN, classify
from rtcdiag.report import (
    CandidateRow,
    Nats,
    NotTested,
    Options,
    Redaction,
    Report,
    ServerRow,
    Verdict,
    evidence_of,
    raw_evidence,
)
from rtcdiag.rules import RULES, Rule
from rtcdiag.session import end_of
from rtcdiag.session_verdict import session_verdict
from rtcdiag.stages import server_rows
from rtcdiag.verdict import NAT_COMMANDS, Known, verdict_of


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What the report says of the run itself."""

    id: str
    command: str
    options: Options = Options()
    started_at: str
    """UTC, RFC 3339 with milliseconds."""
    utc_offset_min: int | None = None
    """Of local time, in minutes."""
    duration_ms: float
    interrupted: bool = False
    redaction: Redaction = Redaction()


def diagnose(evidence: Evidence, run: Run) -> Report:
    """Return the report on a run: a pure function of what it saw."""
    found = findings_of(evidence)
    findings = merged(found)
    nats = _nats(evidence) if run.command in NAT_COMMANDS else Nats()
    servers = server_rows(evidence, found)
    candidates = tuple(_candidate(item) for item in evidence.of(Candidate))
    audit = tuple(check.row for check in checks(evidence))
    known = Known(
        nats=nats,
        servers=servers,
        findings=findings,
        candidates=len(candidates),
        audit=audit,
        linted=bool(evidence.of(TurnConfig)),
    )
    return Report(
        id=run.id,
        command=run.command,
        options=run.options,
        started_at=run.started_at,
        utc_offset_min=run.utc_offset_min,
        duration_ms=run.duration_ms,
        interrupted=run.interrupted,
        redaction=run.redaction,
        environment=evidence.environment,
        verdict=_verdict(run.command, evidence, known),
        nat=nats,
        reach=known.reach,
        candidates=candidates,
        servers=servers,
        findings=findings,
        audit=audit,
        not_tested=tuple(dict.fromkeys((*_not_tested(evidence, nats, servers), *map(_undetermined, _unknown(audit))))),
        evidence=raw_evidence(evidence),
    )


def _verdict(command: str, evidence: Evidence, known: Known) -> Verdict:
    if command == "connect":
        return session_verdict(end_of(evidence), known.findings)
    return verdict_of(command, known)


def rediagnose(report: Report) -> tuple[Report, int]:
    """Diagnose a saved report with today's rules; the number is of evidence that this version does not know.

    Where there is some, the saved report is returned as it was: a conclusion from half of the evidence would be wrong.
    """
    evidence, unknown = evidence_of(report)
    if unknown:
        return report, unknown
    run = Run(**{name: getattr(report, name) for name in Run.__struct_fields__})
    return msgspec.structs.replace(diagnose(evidence, run), tool=report.tool, evidence=report.evidence), 0


def _nats(evidence: Evidence) -> Nats:
    return Nats(ipv4=classify(evidence, Family.IPV4), ipv6=classify(evidence, Family.IPV6))


_SEVERITIES = tuple(Severity)


def findings_of(evidence: Evidence, rules: tuple[Rule, ...] = RULES) -> tuple[Finding, ...]:
    """Return what rules find, without mere consequences, the most severe and the earliest stage first."""
    found = dict.fromkeys(_Whole(finding) for rule in rules for finding in rule(evidence))
    findings = silenced(tuple(whole.finding for whole in found))
    return tuple(sorted(findings, key=_rank))


class _Whole:
    """A finding that hashes by its content, although its facts are a dict."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        self._key = msgspec.json.encode(finding, enc_hook=str)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Whole) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _rank(finding: Finding) -> tuple[int, bool, int]:
    """Sort by severity, then what is about the network as a whole, then by the stage in the chain."""
    stage = STAGES.index(finding.stage) if finding.stage else 0
    return _SEVERITIES.index(finding.severity), finding.subject is not None, stage


def _candidate(item: Candidate) -> CandidateRow:
    return CandidateRow(**{name: getattr(item, name) for name in CandidateRow.__struct_fields__})


_NAT_QUESTIONS = {
    "mapping": "mapping behavior",
    "filtering": "filtering behavior",
    "hairpinning": "hairpinning",
    "lifetime_s": "mapping lifetime",
    "fragments_outbound": "fragments on their way out",
    "fragments_inbound": "fragments on their way in",
    "cgnat": "carrier-grade NAT",
    "layers": "number of NATs in a row",
}
"""What a user asks of a NAT. The other fields that have no value have none because there is nothing to ask."""
_EXPERIMENTS = {"fragments_outbound": "fragments", "fragments_inbound": "fragments"}
"""Where one experiment answers two questions."""


def _not_tested(evidence: Evidence, nats: Nats, servers: tuple[ServerRow, ...]) -> Iterator[NotTested]:
    # Without a way over IPv4 itself, what a NAT64 showed is the answer.
    across = nats.ipv4 is not None and nats.ipv4.nat64
    for skipped in evidence.of(Skipped, lambda item: not (across and item.what == "NAT behavior over IPv4")):
        yield NotTested(what=skipped.what, why=skipped.why)
    for name, nat in (("IPv4", nats.ipv4), ("IPv6", nats.ipv6)):
        undetermined = nat.undetermined if nat is not None else {}
        for field, what in _NAT_QUESTIONS.items():
            why = undetermined.get(field, NO_NAT)
            if why.startswith(OPT_IN):
                yield NotTested(what=_EXPERIMENTS.get(field, what), why=f"opt-in: {why.removeprefix(OPT_IN)}")
            elif why != NO_NAT:
                yield NotTested(what=f"{name} {what}", why=why)
    for server in servers:
        yield from _cut_chain(server)


def _unknown(audit: tuple[AuditRow, ...]) -> tuple[AuditRow, ...]:
    return tuple(row for row in audit if row.verdict == "undetermined")


def _undetermined(row: AuditRow) -> NotTested:
    return NotTested(what=f"{row.server}: {row.check}", why=row.answer)


def _cut_chain(server: ServerRow) -> Iterator[NotTested]:
    """Name the stages behind the first broken one, as one entry."""
    missing = [row.stage for row in server.stages if row.status == "not-tested"]
    broken = next((row.stage for row in server.stages if row.status == "failed"), None)
    if missing and broken is not None:
        where = f"{server.uri} at {server.address}" if server.address else server.uri
        where = f"{server.uri} via {server.via}" if server.via else where
        yield NotTested(what=f"{where}: {', '.join(missing)}", why=f"the chain broke at {broken}")
