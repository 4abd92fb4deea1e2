"""The options of what is made of two reports: those about output, without the format that is about one network."""

from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from rtcdiag.cli.health_options import part_of
from rtcdiag.cli.options import OUTPUT, Output

PairFormat = Literal["text", "json", "html", "markdown"]
PAIR_FORMATS: tuple[str, ...] = get_args(PairFormat)

if TYPE_CHECKING:
    PairOutput = Output
else:
    PairOutput = part_of(Output, *Output._fields)
    PairOutput.__annotations__["format"] = Annotated[
        PairFormat | None,
        typer.Option("--format", help="What to print on standard output: text unless set.", rich_help_panel=OUTPUT),
    ]
