"""What the formats show of a comparison as tables."""

from rtcdiag.compare import REACHED, Comparison, FamilyResult
from rtcdiag.formats.comparison.session import tables as session_tables
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.words import DIRECT, REACH_TONE, SIDE, when
from rtcdiag.traversal import Reachable

FAMILY = {"ipv4": "IPv4", "ipv6": "IPv6"}
_WORD: dict[Reachable, str] = {"yes": "yes", "no": "no", "unknown": "not known"}


def tables(comparison: Comparison) -> tuple[Table, ...]:
    """Return the tables, those that have rows."""
    happened = session_tables(comparison.session, comparison) if comparison.session is not None else ()
    found = (*happened, sides(comparison), families(comparison), relays(comparison), changes(comparison))
    return tuple(table for table in found if table.rows)


def sides(comparison: Comparison) -> Table:
    """Return who is compared."""
    rows = tuple(
        (
            Cell(name),
            Cell(f"{side.command} of {when(side.started_at)}"),
            *(Cell(side.nat.get(family, "not tested")) for family in FAMILY),
        )
        for name, side in (("A", comparison.a), ("B", comparison.b))
    )
    return Table(caption="The two sides", columns=("side", "report", *FAMILY.values()), rows=rows)


def families(comparison: Comparison) -> Table:
    """Return what each address family achieves."""
    rows = tuple((Cell(FAMILY[name]), *_result(found)) for name, found in comparison.families.items())
    caption = "Paths" if comparison.session is None else "Predicted paths"
    return Table(caption=caption, columns=("over", "direct", "through a relay", "how", "why"), rows=rows)


def _result(found: FamilyResult) -> tuple[Cell, ...]:
    return (
        _answer(found.direct),
        _answer(found.relayed),
        Cell(f"A at {REACHED[found.path.a]}, B at {REACHED[found.path.b]}" if found.path else ""),
        Cell(f"{found.why}, unless {found.unless}" if found.unless else found.why),
    )


def _answer(answer: Reachable) -> Cell:
    return Cell(_WORD[answer], REACH_TONE[answer])


def relays(comparison: Comparison) -> Table:
    """Return the TURN servers of both."""
    rows = tuple(
        (
            code(relay.uri),
            Cell(name),
            Cell(relay.transport),
            Cell(FAMILY[relay.family.value]),
            _answer(relay.usable),
            Cell(relay.why),
        )
        for name, side in (("A", comparison.a), ("B", comparison.b))
        for relay in side.relays
    )
    return Table(caption="Relays", columns=("server", "of", "asked over", "relays", "works", "why not"), rows=rows)


def changes(comparison: Comparison) -> Table:
    """Return what would flip the answer."""
    rows = tuple(
        (Cell(SIDE[change.side]), Cell(change.change), Cell(DIRECT[change.then]))
        for change in comparison.verdict.would_change_if
    )
    return Table(caption="One of these changes would do", columns=("where", "change", "then direct P2P is"), rows=rows)
