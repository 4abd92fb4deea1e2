"""Findings of one code together: forty servers that refuse are told of once, with a list of them."""

import msgspec

from rtcdiag.findings import Finding
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.tables.run import facts


class Group(msgspec.Struct, frozen=True):
    """The worst finding of a code, and the others."""

    finding: Finding
    others: tuple[Finding, ...]


def grouped(findings: tuple[Finding, ...]) -> tuple[Group, ...]:
    """Return the findings in their order, those alike with the first of them."""
    alike: dict[str, list[Finding]] = {}
    for finding in findings:
        alike.setdefault(finding.code, []).append(finding)
    return tuple(Group(first, tuple(others)) for first, *others in alike.values())


def others(group: Group) -> Table:
    """Return what tells the others of a group from the first."""
    return Table(
        caption=f"{group.finding.code}: the others",
        columns=("What", "About", "Facts", "Evidence"),
        rows=tuple(
            (Cell(item.title), code(item.subject), code(facts(item.facts)), code(", ".join(item.evidence)))
            for item in group.others
        ),
    )
