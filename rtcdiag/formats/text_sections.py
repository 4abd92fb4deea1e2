"""What the terminal shows without -v: the sections of each command, those that answer its question first."""

from collections.abc import Callable

from rich.text import Text

from rtcdiag.findings import Finding
from rtcdiag.formats.actions import actions, ranked
from rtcdiag.formats.safe import clean
from rtcdiag.formats.tables.candidates import counts, protocol
from rtcdiag.formats.tables.gateway import gateway_words
from rtcdiag.formats.tables.nat import families
from rtcdiag.formats.tables.servers import chain, outcome, short, worst_first
from rtcdiag.formats.terminal import Paper, Part, Row, Section
from rtcdiag.formats.words import (
    DIRECT,
    PEER_SHORT,
    ROLE,
    SEVERITY_TONE,
    SIDE,
    Tone,
    count,
    familiar,
)
from rtcdiag.nat import Nat
from rtcdiag.report import CandidateRow, Report, ServerRow, evidence_of
from rtcdiag.traversal import Reachable

_Maker = Callable[[Paper, Report], Section]


def sections(paper: Paper, report: Report) -> list[Section]:
    """Return the sections of the report's command that have something to show, in their order."""
    makers = (notes, *_FIRST.get(report.command, (behavior, servers)), found, todo, reach, changes, *_LAST)
    shown = dict.fromkeys(makers)
    if chains in shown:
        shown.pop(servers, None)
    if candidates in shown:
        shown.pop(gathered, None)
    made = (maker(paper, report) for maker in shown)
    return [section for section in made if section.rows]


def notes(paper: Paper, report: Report) -> Section:
    """Return what a reader has to know before reading on."""
    _, unknown = evidence_of(report)
    said = (
        "the run was interrupted: this is what it saw until then" if report.interrupted else "",
        f"addresses are pseudonyms (redaction: {report.redaction.level})" if report.redaction.level != "none" else "",
        f"{count(unknown, 'piece')} of evidence come from a newer version and are not understood" if unknown else "",
    )
    rows = tuple((paper.text((text, "warn")),) for text in said if text)
    return Section(label="Note", rows=rows, noun="detail", weight=3)


def behavior(paper: Paper, report: Report) -> Section:
    """Return mapping and filtering of each family, the familiar name in brackets, and what the gateway says."""
    rows = tuple(row for name, nat in families(report) for row in _behavior(paper, report, name, nat))
    return Section(label="NAT", rows=rows, noun="detail", weight=4)


def _behavior(paper: Paper, report: Report, name: str, nat: Nat | None) -> list[Row]:
    if nat is None:
        direct = report.verdict.by_family.get(name.lower(), "not-tested")
        known = "not tested" if direct == "not-tested" else f"direct connections {DIRECT[direct]}"
        return [(paper.text(f"{name}  ", (known, "muted")),)]
    name_known = familiar(nat)
    mapping = f"{name}  mapping {_undetermined(nat, 'mapping')}"
    filtering = f"      filtering {_undetermined(nat, 'filtering')}"
    brackets: list[Part] = [(f" ({name_known})", "info")] if name_known else []
    said = gateway_words(report, name)
    return [
        (paper.text(mapping), paper.text(filtering, *brackets)),
        *([(paper.text(f"      {said}"),)] if said else []),
    ]


def _undetermined(nat: Nat, field: str) -> str:
    value: str = getattr(nat, field)
    reason = nat.undetermined.get(field)
    return f"{value}: {reason}" if value == "undetermined" and reason else value


def servers(paper: Paper, report: Report) -> Section:
    """Return one line a server."""
    rows = tuple((_server(paper, row),) for row in worst_first(report.servers))
    return Section(label="Servers", rows=rows, noun="server", weight=2)


def chains(paper: Paper, report: Report) -> Section:
    """Return each server with its chain of stages."""
    rows = tuple((_server(paper, row), paper.text("  " + chain(row))) for row in worst_first(report.servers))
    return Section(label="Servers", rows=rows, noun="server", weight=2, most=4)


def _server(paper: Paper, row: ServerRow) -> Text:
    result = outcome(row)
    place = str(row.address) if row.address else "no address"
    return paper.text(paper.tag(result.tone, result.text.ljust(14)), f" {row.transport:4} {row.uri}  {place}")


def found(paper: Paper, report: Report) -> Section:
    """Return the findings' titles."""
    rows = tuple((finding_title(paper, item),) for item in ranked(report))
    return Section(label="Findings", rows=rows, noun="finding")


def finding_title(paper: Paper, item: Finding) -> Text:
    """Return a finding's severity, title and code."""
    return paper.text(paper.tag(SEVERITY_TONE[item.severity], item.severity), f"  {item.title}  [{item.code}]")


def todo(paper: Paper, report: Report) -> Section:
    """Return what to do, and who has to do it."""
    rows = tuple(
        (paper.text(f"{number} ", (f"[{ROLE[item.role]}]", "info"), f" {item.text}"),)
        for number, item in enumerate(actions(report), 1)
    )
    return Section(label="Do this", rows=rows, noun="action")


def reach(paper: Paper, report: Report) -> Section:
    """Return with whom a direct connection is possible, one line an answer; nothing where that was not asked."""
    if report.verdict.direct_p2p == "not-tested":
        return Section(label="Direct with", rows=(), noun="detail")
    rows = tuple(_reach(paper, report, answer, words, tone) for answer, words, tone in _REACH)
    return Section(label="Direct with", rows=tuple(row for row in rows if row), noun="detail", weight=3)


_REACH: tuple[tuple[Reachable, str, Tone], ...] = (
    ("yes", "yes", "ok"),
    ("no", "needs a relay", "warn"),
    ("unknown", "not known", "muted"),
)


def _reach(paper: Paper, report: Report, answer: Reachable, words: str, tone: Tone) -> Row:
    peers = [PEER_SHORT[row.peer] for row in report.reach if row.direct == answer]
    named = "every kind of peer" if len(peers) == len(report.reach) else ", ".join(peers)
    return (paper.text(paper.tag(tone, words), f"  {named}"),) if peers else ()


def changes(paper: Paper, report: Report) -> Section:
    """Return what would change the verdict."""
    rows = tuple(
        (paper.text(f"{DIRECT[change.then].upper()} with this change {SIDE[change.side]}: {change.change}"),)
        for change in report.verdict.would_change_if
    )
    return Section(label="Would be", rows=rows, noun="detail")


def gathered(paper: Paper, report: Report) -> Section:
    """Return how many candidates of each type there are."""
    rows = ((paper.text(counts(report)),),) if report.candidates else ()
    return Section(label="Candidates", rows=rows, noun="detail")


def candidates(paper: Paper, report: Report) -> Section:
    """Return one line a candidate, under a line of titles."""
    if not report.candidates:
        return Section(label="Candidates", rows=(), noun="candidate")
    cells = [_TITLES, *(_candidate(row) for row in report.candidates)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(_TITLES))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    rows = ((paper.text((lines[0], "muted")), paper.text(lines[1])), *((paper.text(line),) for line in lines[2:]))
    return Section(label="Candidates", rows=rows, noun="candidate", weight=4)


_TITLES = ("type", "address", "protocol", "interface", "server")


def _candidate(row: CandidateRow) -> tuple[str, ...]:
    server = short(row.server) if row.server else ""
    return row.type, str(row.address), protocol(row), clean(row.interface or ""), clean(server)


def route(paper: Paper, report: Report) -> Section:
    """Return the interface that is used, and those that are there beside it."""
    here = report.environment
    others = ", ".join(f"{item.name} ({item.role})" for item in here.interfaces if item.name != here.default_route)
    used = next((f"{item.name} ({item.role})" for item in here.interfaces if item.name == here.default_route), None)
    text = f"{used or here.default_route or 'none found'}{f'; also there: {others}' if others else ''}"
    rows = ((paper.text(text),),) if here.os or here.interfaces else ()
    return Section(label="Route", rows=rows, noun="detail")


def untested(paper: Paper, report: Report) -> Section:
    """Return what was not tested, on one line."""
    text = "; ".join(f"{item.what} ({item.why})" for item in report.not_tested)
    return Section(label="Not tested", rows=((paper.text(text),),) if text else (), noun="detail")


_FIRST: dict[str, tuple[_Maker, ...]] = {
    "nat-type": (behavior, reach),
    "check-stun": (servers,),
    "check-turn": (chains,),
    "candidates": (candidates,),
}
"""What answers the command's question; any other command shows the NAT and the servers first."""
_LAST: tuple[_Maker, ...] = (servers, gathered, route, untested)
