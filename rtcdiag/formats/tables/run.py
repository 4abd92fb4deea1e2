"""The run: what it did not test, on which computer, with which options, and every transaction."""

from typing import Any

import msgspec

from rtcdiag.evidence import Evidence
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.tables.steps import steps
from rtcdiag.formats.words import ms, yes_no
from rtcdiag.report import Report

_SHOWN = 400
"""Transactions in one table."""


def not_tested(report: Report) -> Table | None:
    """Return what the run did not find out, and why."""
    if not report.not_tested:
        return None
    rows = tuple((Cell(item.what), Cell(item.why)) for item in report.not_tested)
    return Table(caption="Not tested, and why", columns=("What", "Why"), rows=rows)


def transactions(evidence: Evidence) -> Table | None:
    """Return every observation in the order of time, at most 400 of them."""
    ordered = sorted(steps(evidence), key=lambda step: step.t_ms)
    if not ordered:
        return None
    rows = tuple(
        (
            code(step.id),
            Cell(ms(step.t_ms)),
            Cell(step.label),
            code(step.lane),
            code(step.where),
            Cell(step.outcome, step.tone),
            Cell(ms(step.duration_ms) if step.duration_ms else ""),
        )
        for step in ordered[:_SHOWN]
    )
    left = len(ordered) - len(rows)
    return Table(
        caption="Transactions",
        columns=("Id", "At", "Step", "With", "Where", "Outcome", "Took"),
        rows=rows,
        note=f"{left} more stand in the JSON." if left else "",
    )


def environment(report: Report) -> Table:
    """Return the computer that the report is about."""
    here = report.environment
    offset = here.clock_offset_s
    told = (
        ("Operating system", here.os or "not known"),
        ("Python", here.python or "not known"),
        ("Default route", here.default_route or "none found"),
        ("Route to the IPv4 internet", yes_no(here.ipv4)),
        ("Route to the IPv6 internet", yes_no(here.ipv6)),
        ("Default route through a VPN", yes_no(here.vpn)),
        ("In a container", yes_no(here.container)),
        ("Clock offset", "not measured" if offset is None else f"{offset:g} s"),
        *((f"Interface {item.name} ({item.role})", ", ".join(item.addresses)) for item in here.interfaces),
    )
    return Table(
        caption="This computer", columns=("Fact", "Value"), rows=tuple((Cell(name), Cell(text)) for name, text in told)
    )


def options(report: Report) -> Table:
    """Return what was asked for, and how the run went."""
    told = (
        ("Command", report.command),
        ("Servers asked", ", ".join(report.options.targets) or "none"),
        *(("Option " + name, _value(value)) for name, value in report.options.flags.items()),
        *(("Threshold " + name, _value(value)) for name, value in report.options.thresholds.items()),
        ("Duration", ms(report.duration_ms)),
        ("Interrupted", yes_no(report.interrupted)),
        ("Report", report.id),
        ("Schema version", report.schema_version),
    )
    return Table(
        caption="Options", columns=("Option", "Value"), rows=tuple((Cell(name), Cell(text)) for name, text in told)
    )


def facts(values: dict[str, Any]) -> str:
    """Return a finding's facts on one line: ``error_code: 401; realm: example.org``."""
    return "; ".join(f"{name}: {_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
