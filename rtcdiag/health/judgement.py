"""The evidence about one target to its result: a pure function, with the shared controls beside its own evidence."""

from collections.abc import Iterable
from pathlib import PurePath
from traceback import extract_tb

import msgspec
from msgspec.structs import replace

from rtcdiag.address import Family
from rtcdiag.config import HealthTarget
from rtcdiag.demands import Depth, Thresholds
from rtcdiag.diagnosis import findings_of
from rtcdiag.evidence import Crash, Environment, Evidence, Observation, Skipped
from rtcdiag.findings import Finding, Severity, Stage, find, merged
from rtcdiag.health.figures import certificate_expires_at, credentials_expire_at, figures_of
from rtcdiag.health.limits import exceeded, in_time
from rtcdiag.health.result import HealthPath, HealthResult, HealthStatus
from rtcdiag.report import NotTested, ServerRow, raw_evidence
from rtcdiag.rules import SERVER_RULES
from rtcdiag.stages import server_rows

_GOALS: dict[Depth, tuple[Stage, ...]] = {
    "reach": ("binding", "challenge"),
    "auth": ("allocate",),
    "relay": ("data",),
    "quality": ("data",),
}
"""The stages of which one has to hold."""
_WITHOUT_FAMILY = ("family-not-here", "no-route-to-server", "local-address-unavailable")
_WORDS = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}
_ORDER: tuple[HealthStatus, ...] = ("failed", "not-tested", "warning", "ok", "skipped")
_SEVERITIES = tuple(Severity)


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try to check a target, and what it saw."""

    evidence: Evidence
    """The target's own, numbered."""
    started_at: str
    duration_ms: float
    late_ms: float = 0.0
    """How late this program was meanwhile, in sum."""
    attempts: int = 1
    failed_before: bool = False


def judge(
    target: HealthTarget,
    tried: Try,
    *,
    depth: Depth,
    thresholds: Thresholds = {},  # noqa: B006 - it is only read
    controls: tuple[Observation, ...] = (),
    keep_evidence: bool = True,
) -> HealthResult:
    """Judge one target by its own evidence and the controls of this network."""
    evidence = replace(tried.evidence, observations=(*tried.evidence.observations, *controls))
    found = tuple(item for item in findings_of(evidence, SERVER_RULES) if _concerns(item, target, depth))
    rows = [row for row in server_rows(evidence, found) if _is_asked(row, target)]
    measured = [figures_of(row, evidence) for row in rows]
    beyond = [
        item
        for row, figures in zip(rows, measured, strict=True)
        for item in exceeded(row, in_time(figures, tried.late_ms), thresholds, evidence)
    ]
    found = tuple(sorted((*found, *_beside(beyond, found)), key=lambda item: _SEVERITIES.index(item.severity)))
    scene = _Scene(target, depth, evidence, found)
    paths = tuple(_path(row, figures, scene) for row, figures in zip(rows, measured, strict=True))
    expiries = [at for row in rows if (at := certificate_expires_at(row, evidence)) is not None]
    result = _result(scene, tried, paths)
    return replace(
        result,
        certificate_expires_at=min(expiries, default=None),
        evidence=raw_evidence(evidence) if keep_evidence else (),
    )


class _Scene(msgspec.Struct, frozen=True):
    """All that a status is judged by."""

    target: HealthTarget
    depth: Depth
    evidence: Evidence
    found: tuple[Finding, ...]
    """The most severe first."""


def _concerns(finding: Finding, target: HealthTarget, depth: Depth) -> bool:
    """Whether a finding is about this target, and not about a control or what nobody asked for."""
    if depth == "reach" and finding.code.startswith("turn-credentials-"):
        return False
    return finding.subject == target.server.uri or (finding.subject is None and finding.severity is not Severity.INFO)


def _is_asked(row: ServerRow, target: HealthTarget) -> bool:
    return row.uri == target.server.uri and row.transport == target.server.transport


_RULED = {
    "certificate_days": (
        "tls-certificate-expired",
        "tls-certificate-expires-soon",
        "tls-certificate-expires-within-days",
    ),
    "credential_s": ("turn-credentials-expired", "turn-credentials-expire-soon"),
    "rtt_ms": ("turn-relay-far",),
    "jitter_ms": ("turn-relay-jitter", "turn-jitter-undetermined"),
    "loss_percent": ("turn-relay-lossy",),
}
"""Which rules judge a figure too: their words say more."""


def _beside(beyond: list[Finding], found: tuple[Finding, ...]) -> list[Finding]:
    """Return what thresholds add: nothing where a rule says the same as severely."""
    return [item for item in beyond if not any(_says_it(rule, item) for rule in found)]


def _says_it(rule: Finding, beyond: Finding) -> bool:
    """Whether a rule's finding is about the same figure of the same address, and as severe."""
    return (
        rule.code in _RULED.get(beyond.facts["figure"], ())
        and _SEVERITIES.index(rule.severity) <= _SEVERITIES.index(beyond.severity)
        and rule.facts.get("address") in (None, beyond.facts["address"])
    )


def _path(row: ServerRow, figures: dict[str, float], scene: _Scene) -> HealthPath:
    about = [item for item in scene.found if _is_about(item, row)]
    worst = about[0] if about and about[0].severity is not Severity.INFO else None
    status, why = _status(row, worst, scene)
    return HealthPath(
        address=row.address,
        transport=row.transport,
        family=row.address.family if row.address else None,
        status=status,
        finding=worst.code if worst is not None and status in ("failed", "warning") else None,
        why=why,
        figures=figures,
        stages=row.stages,
    )


def _is_about(finding: Finding, row: ServerRow) -> bool:
    address, transport = finding.facts.get("address"), finding.facts.get("transport")
    return address in (None, str(row.address)) and transport in (None, row.transport)


def _status(row: ServerRow, worst: Finding | None, scene: _Scene) -> tuple[HealthStatus, str | None]:
    """Return how a path fares, and why where there is no answer."""
    lacking = _lacking(row, worst, scene.evidence)
    if lacking is not None:
        return "skipped", f"this computer has no {_WORDS[lacking]}"
    if any(stage.status == "failed" for stage in row.stages) or (worst and worst.severity is Severity.ERROR):
        return "failed", None
    if not _reached(row, _GOALS[scene.depth if scene.target.server.protocol == "turn" else "reach"]):
        return "not-tested", _why(scene.evidence)
    return ("ok" if worst is None else "warning"), None


def _lacking(row: ServerRow, worst: Finding | None, evidence: Evidence) -> Family | None:
    """Return the family for whose lack on this computer alone a path fails."""
    if row.address is None or not _is_missing(row.address.family, evidence.environment):
        return None
    codes = {worst.code if worst is not None else None, *(stage.finding for stage in row.stages)}
    reached = any(stage.status == "ok" for stage in row.stages if stage.stage not in ("config", "clock", "dns"))
    return None if reached or not codes.intersection(_WITHOUT_FAMILY) else row.address.family


def _is_missing(family: Family, here: Environment) -> bool:
    """Whether this computer has no way out in a family; without either, it has no network, which is no lack of IPv4."""
    return not here.ipv6 if family is Family.IPV6 else here.ipv6 and not here.ipv4


def _reached(row: ServerRow, goals: tuple[Stage, ...]) -> bool:
    return any(stage.status in ("ok", "warning") and stage.stage in goals for stage in row.stages)


def _why(evidence: Evidence) -> str:
    skipped = evidence.of(Skipped)
    crashed = evidence.of(Crash)
    if crashed:
        return f"this program failed ({crashed[0].error} at {crashed[0].where})"
    return skipped[0].why if skipped else "it was cut off before there was an answer"


def _is_skipped(finding: Finding, paths: tuple[HealthPath, ...]) -> bool:
    """Whether a finding is only that this computer lacks what the path needs."""
    skipped = {str(path.address) for path in paths if path.status == "skipped"}
    addresses = set(finding.facts.get("addresses") or [finding.facts.get("address")])
    return bool(skipped) and addresses <= skipped


def _result(scene: _Scene, tried: Try, paths: tuple[HealthPath, ...]) -> HealthResult:
    target, evidence = scene.target, tried.evidence
    findings = merged(tuple(item for item in scene.found if not _is_skipped(item, paths)))
    worst = findings[0] if findings and findings[0].severity is not Severity.INFO else None
    status = _overall(paths, worst, evidence)
    owner = worst if status in ("failed", "warning") else None
    return HealthResult(
        name=target.name,
        uri=target.server.uri,
        critical=target.critical,
        depth=scene.depth,
        status=status,
        finding=owner.code if owner is not None else None,
        summary=_sentence(status, owner, paths, evidence),
        started_at=tried.started_at,
        duration_ms=tried.duration_ms,
        late_ms=tried.late_ms,
        attempts=tried.attempts,
        flaky=tried.failed_before and status in ("ok", "warning"),
        where=target.where,
        line=target.line,
        credentials_expire_at=None if target.secret else credentials_expire_at(evidence),
        paths=paths,
        findings=findings,
        not_tested=tuple(_not_tested(paths, evidence)),
    )


def _overall(paths: tuple[HealthPath, ...], worst: Finding | None, evidence: Evidence) -> HealthStatus:
    """Return the worst of the paths: a server that is half up does not work."""
    if worst is not None and worst.severity is Severity.ERROR:
        return "failed"
    found = {path.status for path in paths}
    if not paths:
        left_out = evidence.of(Skipped) and not evidence.of(Crash)
        return "skipped" if left_out else "not-tested"
    status = next(status for status in _ORDER if status in found)
    return "warning" if status == "ok" and worst is not None else status


def _sentence(status: HealthStatus, owner: Finding | None, paths: tuple[HealthPath, ...], evidence: Evidence) -> str:
    if owner is not None:
        return owner.title.rstrip(".") + "."
    if status in ("not-tested", "skipped"):
        why = next((path.why for path in paths if path.why), None) or _why(evidence)
        return f"{'Skipped' if status == 'skipped' else 'Not tested'}: {why}."
    works = sum(path.status in ("ok", "warning") for path in paths)
    return "It works." if len(paths) == 1 else f"It works at {works} of {len(paths)} addresses."


def _not_tested(paths: tuple[HealthPath, ...], evidence: Evidence) -> Iterable[NotTested]:
    for path in paths:
        if path.why is not None:
            yield NotTested(what=f"{path.address or 'its address'} over {path.transport}", why=path.why)
    for skipped in evidence.of(Skipped):
        yield NotTested(what=skipped.what, why=skipped.why)


def unchecked(target: HealthTarget, *, depth: Depth, started_at: str, why: str) -> HealthResult:
    """Return the result of a target that was never begun."""
    return HealthResult(
        name=target.name,
        uri=target.server.uri,
        critical=target.critical,
        depth=depth,
        status="not-tested",
        summary=f"Not tested: {why}.",
        started_at=started_at,
        duration_ms=0.0,
        attempts=0,
        where=target.where,
        line=target.line,
        not_tested=(NotTested(what=target.server.uri, why=why),),
    )


def crashed(target: HealthTarget, error: Exception, *, depth: Depth, started_at: str) -> HealthResult:
    """Return the result of a target that broke this program; the message is left out: it may hold secrets."""
    frames = [frame for frame in extract_tb(error.__traceback__) if "rtcdiag" in PurePath(frame.filename).parts]
    where = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    name = type(error).__name__
    result = unchecked(target, depth=depth, started_at=started_at, why=f"this program failed ({name} at {where})")
    return replace(result, findings=(find("probe-crashed", probe="health", error=name, where=where),))


def judge_service(label: str, observations: tuple[Observation, ...], started_at: str) -> HealthResult:
    """Return the result of a service that was asked for the list of servers and gave none."""
    evidence = Evidence(observations=tuple(replace(item, id=f"obs-{at}") for at, item in enumerate(observations, 1)))
    found = merged(tuple(item for item in findings_of(evidence) if item.severity is Severity.ERROR))
    return HealthResult(
        name=label,
        uri=label,
        depth="reach",
        status="failed" if found else "not-tested",
        finding=found[0].code if found else None,
        summary=found[0].title.rstrip(".") + "." if found else "Not tested: the service gave no list.",
        started_at=started_at,
        duration_ms=round(max((item.duration_ms or 0.0 for item in observations), default=0.0), 1),
        findings=found,
        evidence=raw_evidence(evidence),
    )
