"""Markdown for a ticket: reads well unrendered, and renders in GitHub, GitLab and Jira."""

from rtcdiag.evidence import Evidence
from rtcdiag.findings import Finding
from rtcdiag.formats.actions import actions, ranked
from rtcdiag.formats.nat_words import axes, other_way, standing
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import code_span, markdown
from rtcdiag.formats.tables import Cell, Table, audit, candidates, firewall, nat, quality, run, servers, session
from rtcdiag.formats.tables.nat import families
from rtcdiag.formats.words import DIRECT, ROLE, SIDE, headline, missing, ms, redaction
from rtcdiag.report import Report, evidence_of


def render(report: Report, options: RenderOptions) -> str:
    """Return the report as Markdown; with ``verbosity`` 2 every transaction too."""
    evidence, unknown = evidence_of(report)
    blocks = [
        *_verdict(report),
        *_todo(report),
        *_findings(report),
        *(table_lines(table) for table in _tables(report, evidence, options.verbosity) if table is not None),
        _footer(report, unknown),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _verdict(report: Report) -> list[str]:
    question, answer, _ = headline(report)
    verdict = report.verdict
    known = [f"{family.replace('ip', 'IP')}: {DIRECT[direct]}" for family, direct in verdict.by_family.items()]
    level = redaction(report.redaction.level)
    facts = "; ".join([verdict.status, f"confidence {verdict.confidence}", *known, level])
    changes = [
        f"It would be **{DIRECT[item.then]}** with this change {SIDE[item.side]}: {markdown(item.change)}."
        for item in verdict.would_change_if
    ]
    notice = "**The run was interrupted: this is what it saw until then.**" if report.interrupted else ""
    return [
        f"## {question}: {answer}",
        markdown(verdict.summary),
        f"*{markdown(facts)}*",
        *changes,
        notice,
        *_nat(report),
    ]


def _nat(report: Report) -> list[str]:
    told = []
    for family, found in families(report):
        if found is not None:
            here = standing(found, report.environment)
            lines = [f"{label}: {text}" for label, text in axes(found)]
            ways = [other_way(way, report.environment) for way in found.other_ways]
            told.append(
                "\n".join([f"**{family}**: {markdown(here)}.", *(f"- {markdown(line)}" for line in lines + ways)])
            )
    return told


def _todo(report: Report) -> list[str]:
    lines = [
        f"{number}. **{ROLE[item.role]}**: {markdown(item.text)} {code_span(item.code)}"
        for number, item in enumerate(actions(report), 1)
    ]
    return ["### Do this", "\n".join(lines)] if lines else []


def _tables(report: Report, evidence: Evidence, verbosity: int) -> tuple[Table | None, ...]:
    return (
        *session.tables(evidence),
        audit.checks(report),
        audit.configuration(report),
        firewall.to_open(report),
        servers.chains(report),
        servers.capabilities(report),
        servers.latency_table(report),
        quality.streams(evidence),
        quality.rates(evidence),
        nat.reach(report),
        nat.behavior(report),
        nat.bindings(evidence),
        nat.knocks(evidence),
        candidates.candidates(report),
        run.not_tested(report),
        run.environment(report),
        run.transactions(evidence) if verbosity > 1 else None,
    )


def table_lines(table: Table) -> str:
    """Return one table under its heading."""
    lines = [
        f"### {markdown(table.caption)}",
        "",
        _line([markdown(name) for name in table.columns]),
        _line(["---"] * len(table.columns)),
        *(_line([_cell(cell) for cell in row]) for row in table.rows),
        *(["", markdown(table.note)] if table.note else []),
    ]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    if cell.code:
        return code_span(cell.text)
    text = markdown(cell.text)
    return f"**{text}**" if text and cell.tone in ("bad", "warn") else text


def _findings(report: Report) -> list[str]:
    found = ranked(report)
    return ["### Findings", *(_finding(finding) for finding in found)] if found else []


def _finding(finding: Finding) -> str:
    lines = [
        f"- **{finding.severity}: {markdown(finding.title)}** {code_span(finding.code)}",
        f"  {markdown(finding.meaning)}",
        *(f"  - {ROLE[role]}: {markdown(text)}" for role, text in finding.remedy.items()),
        f"  - About: {code_span(finding.subject)}" if finding.subject else "",
        f"  - Facts: {code_span(run.facts(finding.facts))}" if finding.facts else "",
    ]
    return "\n".join(line for line in lines if line)


def _footer(report: Report, unknown: int) -> str:
    tool = report.tool
    more = missing(report, unknown)
    return (
        f"{markdown(tool.name)} {code_span(tool.version)}, command {code_span(report.command)}, "
        f"{code_span(report.started_at)}, took {ms(report.duration_ms)}, report {code_span(report.id)}, "
        f"redaction {report.redaction.level}." + (f" {more}." if more else "")
    )
