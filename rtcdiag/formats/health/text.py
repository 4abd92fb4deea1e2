"""Text for a terminal: the verdict first and last, in between the targets, those that ail first."""

from collections.abc import Iterator
from itertools import islice

from rich.text import Text

from rtcdiag.findings import Finding, Severity
from rtcdiag.formats.health.words import ORDER, TONE, WORD, label, level, told
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.terminal import Paper, Part
from rtcdiag.formats.words import ROLE, STAGE_TONE, STAGE_WORD, STATUS_TONE, Tone, ms
from rtcdiag.health.result import HealthPath, HealthResult, HealthSummary, Round

_LINES = 24
_MOST_ACTIONS = 3


def render(found: Round, options: RenderOptions) -> Iterator[str]:
    """Yield the text for a terminal of ``options``."""
    paper = Paper(options)
    head = _head(paper, found.summary)
    summary = paper.wrap(paper.text(found.summary.verdict.summary), hanging=0, most=3)
    yield paper.written([*head, *summary, Text()])
    if options.verbosity:
        yield from _verbose(paper, found)
    else:
        yield paper.written(_brief(paper, found, _LINES - 2 * len(head) - len(summary) - 2))
    yield paper.written([Text(), *head])


def _head(paper: Paper, summary: HealthSummary) -> list[Text]:
    verdict = summary.verdict
    tone: Tone = STATUS_TONE[verdict.status]
    counts = ", ".join(f"{summary.counts[name]} {WORD[name]}" for name in ORDER if summary.counts.get(name))
    more = "".join(f"  {words}" for words in ("interrupted" if summary.interrupted else "", level(summary)) if words)
    return paper.wrap(paper.text("Servers  ", (verdict.status.upper(), tone), f"  {counts}{more}"), most=1)


def _brief(paper: Paper, found: Round, room: int) -> list[Text]:
    """Return as many targets as there is room for, and what to do about the worst."""
    todo = _todo(paper, found)
    room -= len(todo) + (1 if todo else 0)
    lines: list[Text] = []
    shown = 0
    for result in _sorted(found, room):
        row = paper.wrap(_row(paper, result), most=2)
        # One line is kept for how many more there are.
        if len(lines) + len(row) > room - 1:
            break
        lines += row
        shown += 1
    left = sum(found.summary.counts.values()) - shown
    more = [paper.text((f"{left} more with -v", "muted"))] if left else []
    return [*lines, *more, *([Text(), *todo] if todo else [])]


def _sorted(found: Round, most: int) -> Iterator[HealthResult]:
    """Yield the first of each status, those that ail first, without keeping many."""
    kept: dict[str, list[HealthResult]] = {status: [] for status in ORDER}
    for result in found.results:
        if len(kept[result.status]) < most:
            kept[result.status].append(result)
    yield from (result for status in ORDER for result in kept[status])


def _row(paper: Paper, result: HealthResult) -> Text:
    return paper.text(paper.tag(TONE[result.status], f"{WORD[result.status]:<10}"), f" {label(result)}  {told(result)}")


def _todo(paper: Paper, found: Round) -> list[Text]:
    """Return what to do, each remedy once."""
    seen: dict[str, Text] = {}
    for result in found.results:
        for finding in result.findings:
            if len(seen) < _MOST_ACTIONS and finding.severity is Severity.ERROR:
                for role, text in islice(finding.remedy.items(), 1):
                    seen.setdefault(text, paper.text((f"{ROLE[role]}: ", "info"), text))
    return [line for text in seen.values() for line in paper.wrap(text, most=2)]


def _verbose(paper: Paper, found: Round) -> Iterator[str]:
    for result in found.results:
        lines = paper.wrap(_row(paper, result))
        for path in result.paths:
            lines += _path(paper, path)
        for finding in result.findings:
            if finding.severity is not Severity.INFO:
                lines += _finding(paper, finding)
        for item in result.not_tested:
            lines += paper.wrap(paper.text(("not tested: ", "muted"), f"{item.what}: {item.why}"), indent=4)
        yield paper.written(lines)


def _path(paper: Paper, path: HealthPath) -> list[Text]:
    parts: list[Part] = [f"{path.address or 'no address'} over {path.transport}"]
    for row in path.stages:
        took = f" {ms(row.duration_ms)}" if row.duration_ms is not None else ""
        parts += [f"  {row.stage} ", (f"{STAGE_WORD[row.status]}{took}", STAGE_TONE[row.status])]
    return paper.wrap(paper.text(*parts), indent=4)


def _finding(paper: Paper, finding: Finding) -> list[Text]:
    lines = paper.wrap(paper.text(finding.title, f" [{finding.code}]"), indent=4)
    lines += paper.wrap(paper.text(finding.meaning), indent=6)
    for role, text in finding.remedy.items():
        lines += paper.wrap(paper.text((f"{ROLE[role]}: ", "info"), text), indent=6)
    return lines
