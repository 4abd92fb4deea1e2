"""One HTML file: no JavaScript, no request, light and dark, the report itself embedded as JSON."""

import hashlib
import re
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rtcdiag.evidence import Evidence
from rtcdiag.findings import Finding
from rtcdiag.formats import nat_words, words
from rtcdiag.formats.actions import actions, by_role, ranked
from rtcdiag.formats.figures.latency import strips
from rtcdiag.formats.figures.layout import fit, tall, wide
from rtcdiag.formats.figures.path import path
from rtcdiag.formats.figures.waterfall import waterfall
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import clean, script_json
from rtcdiag.formats.tables import audit, candidates, nat, quality, run, servers, session
from rtcdiag.formats.tables.nat import families
from rtcdiag.report import Report, ReportError, encode, evidence_of

_SCRIPT = re.compile(r"<script\b[^<>]*\bid=[\"']?rtcdiag-(?:report|comparison|difference)\b[^<>]*>", re.IGNORECASE)
_END = re.compile(r"</script\s*>", re.IGNORECASE)
ACTIONS = 3
"""In the banner; all remedies stand with their findings."""


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the page. It depends on nothing but the report."""
    evidence, unknown = evidence_of(report)
    embedded = script_json(encode(report, indent=0)).strip()
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            unknown=unknown,
            headline=words.headline(report),
            top=by_role(actions(report)[:ACTIONS]),
            findings=_anchored(ranked(report)),
            families=families(report),
            embedded=Markup(embedded),  # noqa: S704 - script_json has escaped it
            digest=hashlib.sha256(embedded.encode()).hexdigest(),
            **_figures(report, evidence),
            **_tables(report, evidence),
        )
    )


def _anchored(findings: tuple[Finding, ...]) -> list[tuple[Finding, bool]]:
    """Return each finding and whether it is the first of its code, to which links of that code lead."""
    codes = [finding.code for finding in findings]
    return [(finding, codes.index(finding.code) == at) for at, finding in enumerate(findings)]


def _figures(report: Report, evidence: Evidence) -> dict[str, Any]:
    route = path(report)
    return {
        "path": route,
        "drawings": (wide(route), tall(route)),
        "strips": strips(report),
        "waterfall": waterfall(evidence),
    }


def _tables(report: Report, evidence: Evidence) -> dict[str, Any]:
    return {
        "session": session.tables(evidence),
        "audit": audit.checks(report),
        "configuration": audit.configuration(report),
        "matrix": servers.matrix(report),
        "capabilities": servers.capabilities(report),
        "latency_table": servers.latency_table(report),
        "streams": quality.streams(evidence),
        "rates": quality.rates(evidence),
        "behavior": nat.behavior(report),
        "bindings": nat.bindings(evidence),
        "knocks": nat.knocks(evidence),
        "reach": nat.reach(report),
        "candidates": candidates.candidates(report),
        "not_tested": run.not_tested(report),
        "transactions": run.transactions(evidence),
        "computer": run.environment(report),
        "options": run.options(report),
    }


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return what the templates are rendered with: all that they write is escaped, and cleaned."""
    environment = Environment(
        loader=PackageLoader("rtcdiag.formats"),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        words=words, nat_words=nat_words, STAGE_HELP=servers.STAGE_HELP, place=servers.place, fit=fit, facts=run.facts
    )
    return environment


def _harmless(value: Any) -> Any:
    """Clean whatever a template writes, so that no template can forget it."""
    return value if isinstance(value, Markup | int | float) else clean(str(value), limit=2000)


def extract_json(html: str) -> bytes:
    """Return the JSON that a page embeds; raise ReportError for a page that has none or is cut off."""
    start = _SCRIPT.search(html)
    if start is None:
        raise ReportError("no report is embedded in this HTML, or it is cut off before the report")
    end = _END.search(html, start.end())
    if end is None:
        raise ReportError("this HTML is cut off inside the report that it embeds")
    return html[start.end() : end.start()].strip().encode()
