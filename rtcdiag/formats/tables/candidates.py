"""The ICE candidates that this computer gathers, and what a browser would show of them."""

from rtcdiag.evidence.candidate import CandidateType, Exposure
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.words import Tone, ms
from rtcdiag.report import CandidateRow, Report

_EXPOSURE: dict[Exposure, tuple[str, Tone]] = {
    "as-is": ("shown", ""),
    "mdns": (".local name", "info"),
    "hidden": ("hidden", "muted"),
}
_ORDER: tuple[CandidateType, ...] = ("host", "srflx", "prflx", "relay")


def priority(value: int) -> str:
    """Return a priority as its parts, type | local | component (RFC 8445 section 5.1.2.1)."""
    return f"{value >> 24} | {value >> 8 & 0xFFFF} | {256 - (value & 0xFF)}"


def protocol(row: CandidateRow) -> str:
    """Return the candidate's transport; for a relay also how this computer talks to the server."""
    return f"{row.protocol} via {row.relay_protocol}" if row.relay_protocol else row.protocol


def counts(report: Report) -> str:
    """Return how many candidates of each type there are: ``2 host, 1 srflx``."""
    numbers = [(sum(row.type == kind for row in report.candidates), kind) for kind in _ORDER]
    return ", ".join(f"{number} {kind}" for number, kind in numbers if number) or "none"


def candidates(report: Report) -> Table | None:
    """Return all candidates with everything that a reader of an SDP would ask about them."""
    if not report.candidates:
        return None
    return Table(
        caption="ICE candidates",
        columns=(
            "Type",
            "Address",
            "Protocol",
            "Interface",
            "Browser",
            "Server",
            "Related address",
            "Priority",
            "Foundation",
            "Gathered by",
            "At",
        ),
        rows=tuple(_row(row) for row in report.candidates),
        note=(
            "Priority is type | local preference | component. Browser: what a web page sees, and what it sees with "
            "permission for camera or microphone where that is more."
        ),
    )


def _browser(row: CandidateRow) -> Cell:
    without, tone = _EXPOSURE[row.browser_without_permission]
    allowed, _ = _EXPOSURE[row.browser_with_permission]
    return Cell(without if without == allowed else f"{without} ({allowed} with camera)", tone)


def _row(row: CandidateRow) -> tuple[Cell, ...]:
    return (
        Cell(row.type),
        code(row.address),
        Cell(protocol(row)),
        Cell(row.interface or ""),
        _browser(row),
        code(row.server),
        code(row.related),
        code(priority(row.priority)),
        code(row.foundation),
        Cell(row.gathered_by),
        Cell(ms(row.t_ms)),
    )
