"""The causal chain as a tree: a server, its addresses, and under each the stages with their outcomes and times."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rich.text import Text

from rtcdiag.evidence import Evidence, IceMeeting, Observation
from rtcdiag.findings import STAGES
from rtcdiag.formats.tables.servers import broken, capability_words, outcome, place
from rtcdiag.formats.tables.steps import stage_words
from rtcdiag.formats.terminal import Paper
from rtcdiag.formats.words import STAGE_TONE, STAGE_WORD, ms
from rtcdiag.report import Report, ServerRow, StageRow
from rtcdiag.stages import stage_evidence

_BEFORE = ("config", "clock", "dns")
"""Stages that a server has once where they are the same for all its addresses."""
_NAME = max(map(len, STAGES))
_WORD = max(map(len, STAGE_WORD.values()))
_TIME = len("9999 ms")


class Branch(NamedTuple):
    """A line, and what hangs on it."""

    text: Text
    branches: tuple["Branch", ...] = ()


def chain_tree(paper: Paper, report: Report, evidence: Evidence) -> list[Text]:
    """Return the lines of the tree of every server, in the order in which they were asked; none without servers."""
    by_uri = [(uri, list(rows)) for uri, rows in groupby(report.servers, key=lambda row: row.uri)]
    trees = (_server(paper, uri, rows, evidence) for uri, rows in by_uri)
    return [line for tree in trees for line in drawn(paper, tree)]


def drawn(paper: Paper, branch: Branch, first: str = "", further: str = "") -> list[Text]:
    """Return a branch as lines with guides before them: ``first`` before its own, ``further`` before what follows."""
    own = paper.wrap(branch.text, indent=len(first), hanging=4)
    wrapped = further + ("│" if branch.branches else " ")
    lines = [_guided(paper, wrapped if at else first, line) for at, line in enumerate(own)]
    for at, item in enumerate(branch.branches):
        last = at == len(branch.branches) - 1
        lines += drawn(paper, item, further + ("└─ " if last else "├─ "), further + ("   " if last else "│  "))
    return lines


def _guided(paper: Paper, guide: str, line: Text) -> Text:
    """Put a guide in place of the blanks that a line begins with."""
    return paper.text((guide, "muted")) + line[len(guide) :]


def _server(paper: Paper, uri: str, rows: Sequence[ServerRow], evidence: Evidence) -> Branch:
    shared = _shared(rows)
    above = tuple(_stage(paper, rows[0], stage, evidence, owner=None) for stage in shared)
    paths = tuple(_path(paper, row, evidence, shared) for row in rows)
    return Branch(paper.text((uri, "info")), (*above, *paths))


def _shared(rows: Sequence[ServerRow]) -> tuple[StageRow, ...]:
    """Return the stages before the first packet to the server, where they ended alike for all its addresses."""
    first = tuple(stage for stage in rows[0].stages if stage.stage in _BEFORE)
    alike = all(stage in row.stages for row in rows for stage in first)
    return first if alike and all(stage.status == "ok" for stage in first) else ()


def _path(paper: Paper, row: ServerRow, evidence: Evidence, above: tuple[StageRow, ...]) -> Branch:
    result = outcome(row)
    via = f", sent on by {row.redirected_from}" if row.redirected_from else ""
    line = paper.text(f"{place(row)} over {row.transport.upper()}{via}  ", paper.tag(result.tone, result.text))
    owner = broken(row)
    stages = tuple(_stage(paper, row, stage, evidence, owner) for stage in row.stages if stage not in above)
    able = tuple(Branch(paper.text((words, "muted"))) for words in capability_words(row))
    return Branch(line, (*stages, *_agents(paper, row, evidence), *able))


def _agents(paper: Paper, row: ServerRow, evidence: Evidence) -> Iterator[Branch]:
    """Yield what real ICE agents say, behind all stages."""
    if row.ice is None:
        return
    path = (row.uri, row.address, row.transport)
    met = [item for item in evidence.of(IceMeeting) if (item.server, item.destination, item.transport) == path]
    stage = StageRow(stage="data", status=row.ice.status, duration_ms=row.ice.duration_ms, finding=row.ice.finding)
    yield _line(paper, "ICE agents", stage, _words(stage, met, is_owner=False))


def _stage(paper: Paper, row: ServerRow, stage: StageRow, evidence: Evidence, owner: StageRow | None) -> Branch:
    seen = stage_evidence(row, stage.stage, evidence)
    return _line(paper, stage.stage, stage, _words(stage, seen, is_owner=stage is owner))


def _line(paper: Paper, name: str, stage: StageRow, details: Iterable[str]) -> Branch:
    tone, word, took = STAGE_TONE[stage.status], STAGE_WORD[stage.status], ms(stage.duration_ms).rjust(_TIME)
    told = f"  {took}  {'; '.join(details)}".rstrip()
    return Branch(paper.text(paper.tag(tone, f"{name.ljust(_NAME)}  "), (word.ljust(_WORD), tone), told))


def _words(stage: StageRow, seen: Sequence[Observation], *, is_owner: bool) -> Iterator[str]:
    if stage.status != "not-tested" and (words := stage_words(seen)):
        yield words
    if stage.finding is not None:
        yield f"[{stage.finding}]"
    if is_owner and stage.status == "failed":
        yield "owns the verdict"
