"""JUnit XML: a suite for each target and address, a case for each stage; what was not reached is skipped."""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from rtcdiag.formats.health.words import label
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import clean
from rtcdiag.health.result import HealthPath, HealthResult, Round
from rtcdiag.report import StageRow

_Case = tuple[str, float, str, str, str]
"""Name, seconds, ``failure`` or ``skipped`` or nothing, type, and message."""


def render(found: Round, options: RenderOptions) -> Iterator[str]:  # noqa: ARG001 - every format has this signature
    """Yield the document."""
    seconds = found.summary.duration_ms / 1000
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="rtcdiag health" time="{seconds:.3f}">\n'
    for result in found.results:
        yield _suite(result)
    yield "</testsuites>\n"


def _suite(result: HealthResult) -> str:
    cases = [case for path in result.paths for case in _cases(result, path)]
    if not any(case[2] == "failure" for case in cases) and result.status in ("failed", "not-tested", "skipped"):
        kind = "failure" if result.status == "failed" else "skipped"
        cases.append(("target", result.duration_ms / 1000, kind, result.finding or result.status, result.summary))
    if not cases:
        cases = [("target", result.duration_ms / 1000, "", "", "")]
    failures, skipped = (sum(case[2] == kind for case in cases) for kind in ("failure", "skipped"))
    head = {
        "name": label(result),
        "tests": str(len(cases)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
        "time": f"{result.duration_ms / 1000:.3f}",
        "timestamp": result.started_at,
    }
    attributes = " ".join(f"{name}={_quoted(value)}" for name, value in head.items())
    body = "".join(_case(label(result), case) for case in cases)
    return f"  <testsuite {attributes}>\n{_properties(result)}{body}  </testsuite>\n"


def _properties(result: HealthResult) -> str:
    found = {
        "status": result.status,
        "redaction": result.redaction.level,
        "depth": result.depth,
        "critical": str(result.critical).lower(),
        "attempts": str(result.attempts),
        "flaky": str(result.flaky).lower(),
        "addresses": ", ".join(str(path.address) for path in result.paths if path.address),
    }
    lines = "".join(f"      <property name={_quoted(name)} value={_quoted(value)}/>\n" for name, value in found.items())
    return f"    <properties>\n{lines}    </properties>\n"


def _cases(result: HealthResult, path: HealthPath) -> Iterator[_Case]:
    where = f"{path.address or 'name'} {path.transport}"
    said = {finding.code: f"{finding.title}\n{finding.meaning}" for finding in result.findings}
    for row in path.stages:
        yield _stage(where, row, path, said)
    shown = {row.finding for row in path.stages if row.status == "failed"}
    if path.status == "failed" and path.finding not in shown:
        # A threshold, or what is about no stage: nothing that failed is to pass in silence.
        yield f"{where} verdict", 0.0, "failure", path.finding or "failed", said.get(path.finding or "", result.summary)


def _stage(where: str, row: StageRow, path: HealthPath, said: dict[str, str]) -> _Case:
    name, seconds = f"{where} {row.stage}", (row.duration_ms or 0.0) / 1000
    if row.status == "failed" and path.status != "skipped":
        return name, seconds, "failure", row.finding or "failed", said.get(row.finding or "", "failed")
    if row.status in ("not-tested", "failed"):
        return name, seconds, "skipped", "", path.why or "not reached"
    return name, seconds, "", "", ""


def _case(suite: str, case: _Case) -> str:
    name, seconds, kind, code, message = case
    head = f'    <testcase classname={_quoted(suite)} name={_quoted(name)} time="{seconds:.3f}"'
    first, _, rest = message.partition("\n")
    if kind == "failure":
        inner = f"<failure type={_quoted(code)} message={_quoted(first)}>{escape(clean(rest))}</failure>"
    elif kind == "skipped":
        inner = f"<skipped message={_quoted(first)}/>"
    else:
        return f"{head}/>\n"
    return f"{head}>{inner}</testcase>\n"


def _quoted(text: str) -> str:
    return quoteattr(clean(text, limit=2000))
