"""One HTML file: no JavaScript, no request, light and dark, the report itself embedded as JSON."""

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rtcdiag.evidence import Evidence
from rtcdiag.findings import Severity
from rtcdiag.formats import nat_words, words
from rtcdiag.formats.actions import actions, by_role, ranked
from rtcdiag.formats.figures.latency import strips
from rtcdiag.formats.figures.layout import fit, tall, wide
from rtcdiag.formats.figures.path import path
from rtcdiag.formats.figures.waterfall import waterfall
from rtcdiag.formats.fitting import HERE, digest, fitted
from rtcdiag.formats.grouped import grouped, others
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import clean
from rtcdiag.formats.tables import Table, audit, candidates, firewall, folded, nat, quality, run, servers, session
from rtcdiag.formats.tables.matrix import matrix
from rtcdiag.formats.tables.nat import families
from rtcdiag.formats.tables.sockets import sockets
from rtcdiag.report import Report, encode, evidence_of

ACTIONS = 3
"""In the banner; all remedies stand with their findings."""


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - every format has this signature
    """Return the page. It depends on nothing but the report."""
    evidence, unknown = evidence_of(report)
    data = encode(report, indent=0)
    return fitted(lambda most: _page(report, evidence, unknown, most, digest(data)), data, "report")


_EVIDENCE = 12
"""Observations that a finding names in the page."""


def _page(report: Report, evidence: Evidence, unknown: int, most: int, sha256: str) -> str:
    tables = _tables(report, evidence, most)
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            unknown=unknown,
            headline=words.headline(report),
            top=by_role(actions(report)[:ACTIONS]),
            families=families(report),
            digest=sha256,
            here=HERE,
            anchors=frozenset(row[0].text for row in tables["transactions"].rows if row[0].text)
            if tables["transactions"]
            else (),
            session=tuple(folded(table, most) for table in session.tables(evidence)),
            **tables,
            **_findings(report, most),
            **_figures(report, evidence, most),
        )
    )


def _findings(report: Report, most: int) -> dict[str, Any]:
    """Return the findings in groups, and the title of the first of each code, to which links of that code lead."""
    found = ranked(report)
    groups = [(group, folded(others(group), most // 4)) for group in grouped(found)[:most]]
    pressing = [item for item in groups if item[0].finding.severity is not Severity.INFO]
    titles: dict[str, str] = {}
    for finding in found:
        titles.setdefault(finding.code, finding.title)
    return {"pressing": pressing, "remarks": [item for item in groups if item not in pressing], "titles": titles}


def _figures(report: Report, evidence: Evidence, most: int) -> dict[str, Any]:
    route = path(report)
    return {
        "path": route,
        "drawings": (wide(route), tall(route)),
        "strips": strips(report, most // 4),
        "waterfall": waterfall(evidence, min(most, 120)),
        "cards": servers.worst_first(report.servers)[: most // 4],
    }


def _tables(report: Report, evidence: Evidence, most: int) -> dict[str, Table | None]:
    tables: dict[str, Table | None] = {
        "audit": audit.checks(report),
        "configuration": audit.configuration(report),
        "matrix": matrix(report),
        "capabilities": servers.capabilities(report),
        "latency_table": servers.latency_table(report),
        "streams": quality.streams(evidence),
        "rates": quality.rates(evidence),
        "behavior": nat.behavior(report),
        "sockets": sockets(evidence),
        "bindings": nat.bindings(evidence),
        "knocks": nat.knocks(evidence),
        "to_open": firewall.to_open(report),
        "reach": nat.reach(report),
        "candidates": candidates.candidates(report),
        "not_tested": run.not_tested(report),
        "transactions": run.transactions(evidence),
        "computer": run.environment(report),
        "options": run.options(report),
    }
    return {name: folded(table, most) for name, table in tables.items()}


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
        words=words,
        nat_words=nat_words,
        STAGE_HELP=servers.STAGE_HELP,
        EVIDENCE=_EVIDENCE,
        place=servers.place,
        fit=fit,
        brief=lambda text: clean(text, limit=60),
        facts=run.facts,
    )
    return environment


def _harmless(value: Any) -> Any:
    """Clean whatever a template writes, so that no template can forget it."""
    return value if isinstance(value, Markup | int | float) else clean(str(value), limit=2000)
