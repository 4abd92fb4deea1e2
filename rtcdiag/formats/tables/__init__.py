"""What the formats show as tables, as plain values: the same rows in a terminal, a ticket and a page."""

import msgspec

from rtcdiag.formats.words import Tone


class Cell(msgspec.Struct, frozen=True):
    """One cell. The text may be hostile: the format that writes it makes it safe."""

    text: str
    tone: Tone = ""
    code: bool = False
    """Whether it is a value of the wire, to be set in a fixed-width font."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose rows are as long as ``columns``; the first column names its row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    """One sentence below it."""


def code(value: object) -> Cell:
    """Return a value of the wire as a cell, empty for None."""
    return Cell("" if value is None else str(value), code=True)


def folded(table: Table | None, most: int) -> Table | None:
    """Return a table with at most ``most`` rows, and below it how many more there are."""
    left = 0 if table is None else len(table.rows) - most
    if table is None or left <= 0:
        return table
    note = f"{left} more {'row stands' if left == 1 else 'rows stand'} in the JSON."
    return msgspec.structs.replace(table, rows=table.rows[:most], note=" ".join(filter(None, (table.note, note))))
