"""Lines for a terminal: cleaned text with tones, wrapped and folded to its width, in ASCII where it has no more."""

import io
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import ascii_only, clean
from rtcdiag.formats.tables import Cell, Table
from rtcdiag.formats.words import ASCII_SYMBOL, SYMBOL, Tone, count

_STYLES: dict[Tone, str] = {"": "", "ok": "green", "warn": "yellow", "bad": "bold red", "info": "cyan", "muted": "dim"}
HANGING = 2
LABEL = 12
"""Columns of the labels at the left."""

_CODE = re.compile(r"  \[[a-z0-9-]+\]$")

Part = str | tuple[str, Tone]
Row = tuple[Text, ...]
"""One entry of a section: paragraphs."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A label at the left and entries beside it, that can be folded."""

    label: str
    rows: tuple[Row, ...]
    noun: str
    """What one entry is: ``server``."""
    most: int = 2
    """Lines of one paragraph."""
    weight: int = 1
    """How many entries it shows while the others show one more."""


class Paper:
    """What a terminal of these options can show."""

    def __init__(self, options: RenderOptions) -> None:
        """Take the width, at least 40 columns, whether color may be used, and whether there is more than ASCII."""
        self._options = options
        self.width = max(40, options.width)
        self._console = Console(
            file=io.StringIO(),
            width=self.width,
            force_terminal=options.color,
            color_system="standard" if options.color else None,
            no_color=not options.color,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )

    def text(self, *parts: Part) -> Text:
        """Return one line of parts, each plain or with a tone, harmless whatever it holds."""
        line = Text()
        for part in parts:
            if isinstance(part, str):
                line.append(self._shown(part))
            else:
                line.append(self._shown(part[0]), _STYLES[part[1]])
        return line

    def tag(self, tone: Tone, word: str) -> Part:
        """Return a symbol with its word: ``✓ ok``."""
        symbols = SYMBOL if self._options.unicode else ASCII_SYMBOL
        return f"{symbols[tone]} {word}", tone

    def wrap(self, text: Text, *, indent: int = 0, most: int | None = None, hanging: int = HANGING) -> list[Text]:
        """Return the text as lines that fit, ``indent`` columns in and ``hanging`` more from the second line on.

        The last of at most ``most`` lines ends in an ellipsis.
        """
        room = self.width - indent
        # Most texts are one line, which need not go through the library's search for words.
        fits = text.cell_len <= room and not set("\n\t") & set(text.plain)
        lines = [text] if fits else list(text.wrap(self._console, room))
        if len(lines) > 1:
            lines = list(text.wrap(self._console, room - hanging))
        if most is not None and len(lines) > most:
            lines = [*lines[: most - 1], self._cut(lines[most - 1], room - hanging, text.plain)]
        return [Text(" " * (indent + (hanging if at else 0))) + line for at, line in enumerate(lines)]

    def _cut(self, line: Text, room: int, whole: str) -> Text:
        """Cut a line short; the code of a finding at the end of the text stays, as it is what explains the rest."""
        code = _CODE.search(whole)
        tail = code[0] if code is not None and 2 * len(code[0]) < room else ""
        end = self._shown("…") + tail
        line.truncate(room - len(end))
        line.rstrip()
        return line + Text(end)

    def section(self, section: Section, rows: Sequence[Row], *, whole: bool = False) -> list[Text]:
        """Return some of a section's entries with its label beside the first line."""
        most = None if whole else section.most
        lines = [line for row in rows for line in self.row(row, most=most)]
        if lines:
            label = Text(section.label.ljust(LABEL)[:LABEL], "bold")
            lines[0] = label + lines[0][LABEL:]
        return lines

    def row(self, row: Row, *, most: int | None = None) -> list[Text]:
        """Return one entry as lines; what a paragraph is indented by, its further lines are too."""
        return [
            line
            for paragraph in row
            for line in self.wrap(paragraph, indent=LABEL, most=most, hanging=HANGING + _blanks(paragraph.plain))
        ]

    def table(self, table: Table) -> list[RenderableType]:
        """Return a table in columns where they fit, else as records."""
        title = Text(table.caption, "bold")
        shown = [tuple(self.text((cell.text, cell.tone)) for cell in row) for row in table.rows]
        widths = [
            max(cell_len(name), *(cell_len(row[at].plain) for row in shown)) for at, name in enumerate(table.columns)
        ]
        note = self.wrap(self.text((table.note, "muted"))) if table.note else []
        if len(widths) <= 3 or sum(widths) + 2 * len(widths) <= self.width:
            return [title, self._columns(table.columns, shown), *note]
        return [title, *self._records(table), *note]

    def _columns(self, names: tuple[str, ...], rows: list[tuple[Text, ...]]) -> RichTable:
        grid = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in names:
            grid.add_column(self._shown(name), overflow="fold")
        for row in rows:
            grid.add_row(*row)
        return grid

    def _records(self, table: Table) -> list[Text]:
        lines: list[Text] = []
        for row in table.rows:
            lines += self.wrap(self.text((row[0].text, row[0].tone or "info")), indent=2)
            lines += self.wrap(self.text(*_pairs(table.columns[1:], row[1:])), indent=4)
        return lines

    def written(self, parts: Iterable[RenderableType]) -> str:
        """Return the lines as text, without blanks at their ends, with a final newline."""
        file = io.StringIO()
        self._console.file = file
        for wrapped, block in groupby(parts, key=lambda part: isinstance(part, Text)):
            if wrapped:
                self._console.print(Text("\n").join(line for line in block if isinstance(line, Text)), soft_wrap=True)
            else:
                self._console.print(*block, sep="")
        return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"

    def _shown(self, words: str) -> str:
        words = clean(words)
        return words if self._options.unicode else ascii_only(words)


def _blanks(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _pairs(names: tuple[str, ...], row: tuple[Cell, ...]) -> list[Part]:
    parts: list[Part] = []
    for name, cell in zip(names, row, strict=True):
        if cell.text:
            parts += [("; " if parts else "") + f"{name}: ", (cell.text, cell.tone)]
    return parts


def fold(paper: Paper, sections: Sequence[Section], room: int) -> tuple[list[Text], list[str]]:
    """Return the lines of as many entries as fit into ``room`` lines, and what was left out: ``3 servers``.

    Sections take turns, so that a long one does not push out the others. What room is left then, the first paragraphs
    that were cut short get.
    """
    taken = dict.fromkeys(range(len(sections)), 0)
    turn = True
    while turn:
        turn = False
        for at, section in enumerate(sections):
            for row in section.rows[taken[at] : taken[at] + section.weight]:
                height = len(paper.row(row, most=section.most))
                if height > room:
                    break
                room, taken[at], turn = room - height, taken[at] + 1, True
    lines: list[Text] = []
    for at, item in enumerate(sections):
        shown = item.rows[: taken[at]]
        cut, whole = paper.section(item, shown), paper.section(item, shown, whole=True)
        fits = len(whole) - len(cut) <= room
        room -= (len(whole) - len(cut)) * fits
        lines += whole if fits else cut
    left: dict[str, int] = {}
    for at, item in enumerate(sections):
        left[item.noun] = left.get(item.noun, 0) + len(item.rows) - taken[at]
    return lines, [count(number, noun) for noun, number in left.items() if number]
