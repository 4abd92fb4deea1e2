"""Text for a terminal: the verdict first and last, in between what was asked, what was found and what to do."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from rtcdiag.findings import Finding
from rtcdiag.formats.actions import ranked
from rtcdiag.formats.messages import Line, messages
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.tables import Table, audit, candidates, nat, quality, run, servers, session
from rtcdiag.formats.tables.steps import Step, steps
from rtcdiag.formats.terminal import Paper, fold
from rtcdiag.formats.text_sections import finding_title, sections, todo
from rtcdiag.formats.tree import chain_tree
from rtcdiag.formats.words import ROLE, headline, missing, ms, redaction
from rtcdiag.report import Report, evidence_of

_Block = Sequence[RenderableType]

LINES = 24
"""Without -v, at 80 columns."""


def render(report: Report, options: RenderOptions) -> str:
    """Return the report for a terminal of ``options``."""
    paper = Paper(options)
    head = _head(paper, report)
    summary = paper.wrap(paper.text(report.verdict.summary), hanging=0, most=None if options.verbosity else 3)
    if options.verbosity:
        blocks: list[_Block] = [[*head, *summary], *_verbose(paper, report, options.verbosity), head]
    else:
        blocks = [[*head, *summary], _brief(paper, report, len(head + summary)), head]
    spaced = [line for block in blocks if block for line in (*block, Text())]
    return paper.written(spaced[:-1])


def _head(paper: Paper, report: Report) -> list[Text]:
    question, answer, tone = headline(report)
    verdict = report.verdict
    status = "" if answer == verdict.status.upper() else f"{verdict.status}, "
    line = paper.text(
        f"{question}  ",
        (answer, tone),
        f"  ({status}confidence {verdict.confidence}, {redaction(report.redaction.level)})",
    )
    return paper.wrap(line, most=1)


def _brief(paper: Paper, report: Report, above: int) -> _Block:
    room = LINES - above - len(("blank", "more", "blank", "verdict"))
    lines, left = fold(paper, sections(paper, report), room)
    more = paper.wrap(paper.text((f"More with -v: {', '.join(left)}", "muted")), most=1) if left else []
    return [*lines, *more]


def _verbose(paper: Paper, report: Report, verbosity: int) -> list[_Block]:
    actions = todo(paper, report)
    findings = [line for finding in ranked(report) for line in _finding(paper, finding)]
    tree = chain_tree(paper, report, evidence_of(report)[0])
    return [
        [*paper.section(actions, actions.rows, whole=True)],
        *([[Text("Findings", "bold"), *findings]] if findings else []),
        *([[Text("Servers, stage by stage", "bold"), *tree]] if tree else []),
        *(paper.table(table) for table in _tables(report)),
        *([_transactions(paper, report)] if verbosity > 1 else []),
    ]


def _tables(report: Report) -> list[Table]:
    evidence, _ = evidence_of(report)
    found = (
        *session.tables(evidence),
        audit.checks(report),
        audit.configuration(report),
        servers.latency_table(report),
        quality.streams(evidence),
        quality.rates(evidence),
        nat.behavior(report),
        nat.bindings(evidence),
        nat.knocks(evidence),
        nat.reach(report),
        candidates.candidates(report),
        run.not_tested(report),
        run.environment(report),
        run.options(report),
    )
    return [table for table in found if table is not None]


def _finding(paper: Paper, finding: Finding) -> list[Text]:
    details = [
        f"About {finding.subject}" if finding.subject else "",
        finding.meaning,
        *(f"[{ROLE[role]}] {text}" for role, text in finding.remedy.items()),
        f"Evidence: {', '.join(finding.evidence)}" if finding.evidence else "",
        f"Facts: {run.facts(finding.facts)}" if finding.facts else "",
    ]
    lines = paper.wrap(finding_title(paper, finding), indent=2)
    return lines + [line for detail in details if detail for line in paper.wrap(paper.text(detail), indent=6)]


def _transactions(paper: Paper, report: Report) -> list[Text]:
    evidence, unknown = evidence_of(report)
    lines = [Text("Transactions", "bold"), *paper.wrap(paper.text(("times are from the start of the run", "muted")))]
    told = zip(steps(evidence), evidence.observations, strict=True)
    for step, item in sorted(told, key=lambda pair: pair[0].t_ms):
        lines += [*_step(paper, step), *(line for message in messages(item) for line in _message(paper, message))]
    if unknown:
        lines += paper.wrap(paper.text(missing(report, unknown)))
    return lines


def _step(paper: Paper, step: Step) -> list[Text]:
    took = f", took {ms(step.duration_ms)}" if step.duration_ms else ""
    place = step.lane if step.where in ("", step.lane) else f"{step.lane} at {step.where}"
    return [
        *paper.wrap(paper.text(f"{step.id}  {ms(step.t_ms)}  {step.label}  {place}"), indent=2),
        *paper.wrap(paper.text((step.outcome, step.tone), took), indent=6),
    ]


def _message(paper: Paper, line: Line) -> list[Text]:
    at = "" if line.t_ms is None else f"{line.t_ms:.1f} ms"
    return [
        *paper.wrap(paper.text(f"{at:>10}  ", (line.text, line.tone)), indent=4, hanging=14),
        *(part for detail in line.details for part in paper.wrap(paper.text(detail), indent=18)),
    ]
