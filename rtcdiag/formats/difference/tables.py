"""What the formats show of a difference as tables."""

from rtcdiag.diff import Difference, Direction, LatencyChange, ValueChange
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.words import DIRECT, Tone, ms, when

TONE: dict[Direction, Tone] = {"better": "ok", "worse": "bad", "neither": "muted"}
CHANGE_TONE: dict[str, Tone] = {"worse": "bad", "better": "ok", "changed": "info", "same": "muted"}
_CHANGE = {"new": "new", "gone": "gone", "graver": "more severe", "milder": "less severe"}


def tables(difference: Difference) -> tuple[Table, ...]:
    """Return the tables, those that have rows."""
    found = (
        sides(difference),
        findings(difference),
        values("Verdict and network", difference.network),
        values("Servers", difference.servers),
        values("Candidates", difference.candidates),
        latency(difference),
    )
    return tuple(table for table in found if table.rows)


def sides(difference: Difference) -> Table:
    """Return which reports these are."""
    rows = tuple(
        (
            Cell(name),
            Cell(f"{side.command} of {when(side.started_at)}"),
            Cell(side.verdict.status),
            Cell(DIRECT[side.verdict.direct_p2p]),
            Cell(side.verdict.summary),
        )
        for name, side in (("A", difference.a), ("B", difference.b))
    )
    return Table(caption="The two reports", columns=("", "Report", "Status", "Direct P2P", "In short"), rows=rows)


def findings(difference: Difference) -> Table:
    """Return the findings that only one of them has."""
    rows = tuple(
        (
            Cell(_CHANGE[item.change], TONE[item.direction]),
            Cell(item.severity.value),
            Cell(item.title),
            code(item.code),
            Cell(item.why),
        )
        for item in difference.findings
    )
    return Table(caption="Findings", columns=("Change", "Severity", "Finding", "Code", "Note"), rows=rows)


def values(caption: str, changes: tuple[ValueChange, ...]) -> Table:
    """Return the values that are others now."""
    rows = tuple(
        (
            Cell(item.where),
            Cell(item.what),
            Cell(told(item, item.before)),
            Cell(told(item, item.after), TONE[item.direction]),
            Cell("" if item.direction == "neither" else item.direction),
            code(item.finding),
        )
        for item in changes
    )
    return Table(caption=caption, columns=("Where", "What", "Before", "Now", "That is", "Finding"), rows=rows)


def told(item: ValueChange, value: str) -> str:
    """Return a value in words: those of a verdict are of the JSON."""
    return value.replace("-", " ") if item.where == "verdict" else value


def latency(difference: Difference) -> Table:
    """Return the round-trip times."""
    rows = tuple(
        (
            code(item.server),
            Cell(item.transport),
            Cell(ms(item.before_ms)),
            Cell(ms(item.after_ms), TONE[item.direction] if item.beyond_noise else "muted"),
            Cell(_sureness(item)),
        )
        for item in difference.latency
    )
    note = "Changed is what samples of one line would show less than once in a hundred, from 1 ms and 10 % on."
    return Table(
        caption="Round-trip times", columns=("Server", "Over", "Before", "Now", "Changed"), rows=rows, note=note
    )


def _sureness(item: LatencyChange) -> str:
    counts = f"{item.samples[0]} and {item.samples[1]} samples"
    match item.beyond_noise:
        case None:
            return f"not known: {counts} are too few"
        case True:
            return f"yes ({counts})"
        case False:
            return f"within its noise ({counts})"
