"""What the terminal shows without -v: the sections of each command, those that answer its question first."""

from collections.abc import Callable

from rich.text import Text

from rtcdiag.audit.outcome import AuditRow
from rtcdiag.evidence import Interface, RelayQuality, RelaySoak, RelayThroughput
from rtcdiag.findings import Finding
from rtcdiag.formats.actions import actions, ranked
from rtcdiag.formats.nat_words import axes, other_way, standing, used_interface
from rtcdiag.formats.safe import clean
from rtcdiag.formats.session_sections import session
from rtcdiag.formats.tables import audit, quality
from rtcdiag.formats.tables.candidates import counts, protocol
from rtcdiag.formats.tables.gateway import gateway_words
from rtcdiag.formats.tables.nat import families
from rtcdiag.formats.tables.servers import chain, one_of_each_first, outcome, place, short, worst_first
from rtcdiag.formats.terminal import Paper, Row, Section
from rtcdiag.formats.words import (
    DIRECT,
    PEER_SHORT,
    ROLE,
    SEVERITY_TONE,
    SIDE,
    Tone,
    missing,
)
from rtcdiag.nat import Nat
from rtcdiag.report import CandidateRow, Report, ServerRow, evidence_of
from rtcdiag.traversal import PeerKind, Reachable

_Maker = Callable[[Paper, Report], Section]


def sections(paper: Paper, report: Report) -> list[Section]:
    """Return the sections of the report's command that have something to show, in their order."""
    makers = (notes, *_FIRST.get(report.command, (behavior, servers)), found, todo, reach, changes, *_LAST)
    makers = _AUDIT if report.command == "audit-turn" else makers
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
        missing(report, unknown),
    )
    rows = tuple((paper.text((text, "warn")),) for text in said if text)
    return Section(label="Note", rows=rows, noun="detail", weight=3)


def behavior(paper: Paper, report: Report) -> Section:
    """Return what the NAT of each family is and does, the familiar name in brackets, and what the gateway says."""
    asked = families(report) or (_NEITHER if report.command == "nat-type" else ())
    rows = tuple(row for name, nat in asked for row in _behavior(paper, report, name, nat))
    return Section(label="NAT", rows=rows, noun="detail", weight=4, most=4)


_NEITHER = (("IPv4", None), ("IPv6", None))


def _behavior(paper: Paper, report: Report, name: str, nat: Nat | None) -> list[Row]:
    if nat is None:
        return [(paper.text(f"{name}  ", (_not_judged(report, name), "muted")),)]
    shown, said = axes(nat, brief=report.command != "nat-type"), gateway_words(report, name)
    shown = (*shown, ("gateway", said)) if said else shown
    width = max(len(label) for label, _ in shown)
    return [
        (
            paper.text(f"{name}  ", (standing(nat, report.environment), "info")),
            *(paper.text(f"      {label.ljust(width)}  {text}") for label, text in shown),
            *(paper.text(f"      {other_way(way, report.environment)}") for way in nat.other_ways),
        ),
    ]


def _not_judged(report: Report, name: str) -> str:
    direct = report.verdict.by_family.get(name.lower(), "not-tested")
    if direct != "not-tested":
        return f"direct connections {DIRECT[direct]}"
    why = next((item.why for item in report.not_tested if item.what == f"NAT behavior over {name}"), "")
    return f"not tested: {why}" if why else "not tested"


def servers(paper: Paper, report: Report) -> Section:
    """Return one line a server."""
    rows = tuple((_server(paper, row),) for row in one_of_each_first(worst_first(report.servers)))
    return Section(label="Servers", rows=rows, noun="server", weight=2)


def chains(paper: Paper, report: Report) -> Section:
    """Return each server with its chain of stages."""
    rows = tuple((_server(paper, row), paper.text("  " + chain(row))) for row in worst_first(report.servers))
    return Section(label="Servers", rows=rows, noun="server", weight=2, most=4)


def relays(paper: Paper, report: Report) -> Section:
    """Return how good each relay is that was measured."""
    evidence, _ = evidence_of(report)
    measured: tuple[quality.Kind, ...] = (
        *evidence.of(RelayQuality),
        *evidence.of(RelayThroughput),
        *evidence.of(RelaySoak),
    )
    told: dict[str, list[str]] = {}
    for item in measured:
        told.setdefault(f"{item.server}  {item.transport}  {item.destination}", []).extend(quality.lines(item))
    rows = tuple((paper.text(name), *(paper.text("  " + line) for line in lines)) for name, lines in told.items())
    return Section(label="Quality", rows=rows, noun="measured relay", weight=2)


def _server(paper: Paper, row: ServerRow) -> Text:
    result = outcome(row)
    at = place(row)
    return paper.text(paper.tag(result.tone, result.text.ljust(14)), f" {row.transport:4} {row.uri}  {at}")


def found(paper: Paper, report: Report) -> Section:
    """Return the findings' titles."""
    rows = tuple((finding_title(paper, item),) for item in ranked(report))
    return Section(label="Findings", rows=rows, noun="finding")


def found_beside(paper: Paper, report: Report) -> Section:
    """Return the titles of findings that stand in no table of an audit."""
    rest = [item for item in ranked(report) if not item.code.startswith(("turn-audit-", "turn-config-"))]
    rows = tuple((finding_title(paper, item),) for item in rest if item.severity != "info")
    return Section(label="Findings", rows=rows, noun="finding")


def audited(paper: Paper, report: Report) -> Section:
    """Return one line a check, failures first."""
    several = len({row.server for row in report.audit}) > 1
    rows = tuple((_check(paper, report, row, several=several),) for row in audit.worst_first(report))
    return Section(label="Audit", rows=rows, noun="check", most=1, weight=6)


def _check(paper: Paper, report: Report, row: AuditRow, *, several: bool) -> Text:
    word, tone = audit.verdict_of(row, report)
    server = f"  {row.server}" if several else ""
    return paper.text(paper.tag(tone, word.ljust(9)), f" {audit.CHECK[row.check]:20} {row.answer}{server}")


def configuration(paper: Paper, report: Report) -> Section:
    """Return what is wrong with a configuration file, and what to write."""
    rows = tuple((_setting(paper, item),) for item in audit.changes(report))
    return Section(label="Config", rows=rows, noun="setting", most=2, weight=4)


def _setting(paper: Paper, item: Finding) -> Text:
    title = item.title.removeprefix(f"{item.subject}: ")
    said = item.facts.get("change", "")
    return paper.text(paper.tag(SEVERITY_TONE[item.severity], item.severity), f"  {title}. {said}")


def finding_title(paper: Paper, item: Finding) -> Text:
    """Return a finding's severity, title and code."""
    return paper.text(paper.tag(SEVERITY_TONE[item.severity], item.severity), f"  {item.title}  [{item.code}]")


def todo(paper: Paper, report: Report) -> Section:
    """Return what to do, and who has to do it; what stands with the lines of a configuration is not said again."""
    wanted = [item for item in actions(report) if not item.code.startswith("turn-config-")]
    rows = tuple(
        (paper.text(f"{number} ", (f"[{ROLE[item.role]}]", "info"), f" {item.text}"),)
        for number, item in enumerate(wanted, 1)
    )
    return Section(label="Do this", rows=rows, noun="action")


def reach(paper: Paper, report: Report) -> Section:
    """Return with whom a direct connection is possible, one line an answer; nothing where that was not asked.

    What the summary has just said is not said again: there, it is only why something is not known.
    """
    if report.verdict.direct_p2p == "not-tested":
        return Section(label="Direct with", rows=(), noun="detail")
    told = _REACH[2:] if _is_summed_up(report) else _REACH
    rows = tuple(_reach(paper, report, answer, words, tone) for answer, words, tone in told)
    return Section(label="Direct with", rows=tuple(row for row in rows if row), noun="detail", weight=3)


_REACH: tuple[tuple[Reachable, str, Tone], ...] = (
    ("yes", "yes", "ok"),
    ("no", "needs a relay", "warn"),
    ("unknown", "not known", "muted"),
)


_EVERYONE: dict[tuple[PeerKind, ...], str] = {
    (): "every kind of peer",
    ("udp-blocked",): "every kind of peer that has UDP",
}
"""By the kinds that are left out."""


def _is_summed_up(report: Report) -> bool:
    return report.command == "nat-type" and report.verdict.direct_p2p == "depends-on-peer"


def _reach(paper: Paper, report: Report, answer: Reachable, words: str, tone: Tone) -> Row:
    peers = [PEER_SHORT[row.peer] for row in report.reach if row.direct == answer]
    others = tuple(row.peer for row in report.reach if row.direct != answer)
    named = _EVERYONE.get(others) or ", ".join(peers)
    whys = dict.fromkeys(row.why for row in report.reach if row.direct == answer == "unknown")
    why = f": {next(iter(whys))}" if len(whys) == 1 else ""
    return (paper.text(paper.tag(tone, words), f"  {named}{why}"),) if peers else ()


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
    name = used_interface(report)
    others = ", ".join(f"{item.name} ({item.role})" for item in here.interfaces if _is_beside(item, name))
    used = next((f"{item.name} ({item.role})" for item in here.interfaces if item.name == name), None)
    text = f"{used or name or 'none found'}{f'; also there: {others}' if others else ''}"
    rows = ((paper.text(text),),) if here.os or here.interfaces else ()
    return Section(label="Route", rows=rows, noun="detail")


def _is_beside(item: Interface, used: str | None) -> bool:
    return item.name != used and item.role != "loopback"


def untested(paper: Paper, report: Report) -> Section:
    """Return what was not tested, on one line."""
    text = "; ".join(f"{item.what} ({item.why})" for item in report.not_tested)
    return Section(label="Not tested", rows=((paper.text(text),),) if text else (), noun="detail")


_FIRST: dict[str, tuple[_Maker, ...]] = {
    "nat-type": (behavior, reach),
    "check-stun": (servers,),
    "check-turn": (chains, relays),
    "candidates": (candidates,),
    "connect": (session, found, todo, behavior),
}
"""What answers the command's question; any other command shows the NAT and the servers first."""
_AUDIT: tuple[_Maker, ...] = (notes, audited, configuration, found_beside, todo)
_LAST: tuple[_Maker, ...] = (servers, gathered, route, untested)
