"""``rtcdiag redact``."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import OUTPUT, KeyFile, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtcdiag.redact import Key
    from rtcdiag.report import Redaction


def redact(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A report as JSON or HTML, or - for standard input.")],
    *,
    level: Annotated[
        Literal["share", "strict"],
        typer.Option(
            help="share: pseudonyms for public addresses; strict: for names of servers and interfaces too.",
            show_default=True,
            rich_help_panel=OUTPUT,
        ),
    ] = "share",
    redaction_key_file: KeyFile = None,
    output: Output,
) -> int:
    """Replace what a saved report tells of whose network it is, so that it can be given to others.

    It still says the same, and rtcdiag show, compare and diff work on it. It is printed as JSON unless --format says
    otherwise.
    """
    from rtcdiag.cli.outputs import deliver, destinations
    from rtcdiag.cli.redacting import key_of
    from rtcdiag.cli.redacting import redact as redact_report
    from rtcdiag.cli.saved import read_report
    from rtcdiag.cli.streams import say

    files, key = destinations(output), key_of(redaction_key_file)
    before = read_report(file)
    found = redact_report(before, level, key)
    for line in () if output.quiet else _limits(before.redaction, found.redaction, level, key):
        say(f"{file}: {line}")
    as_json = output.format is None and not output.quiet
    deliver(found, output._replace(format="json") if as_json else output, files)
    return 0


def _limits(before: "Redaction", after: "Redaction", level: str, key: "Key") -> "Iterator[str]":
    """Yield what may surprise: what was left out, and what cannot be undone or compared any more."""
    if after.withheld:
        pieces = f"{after.withheld} piece{'s' if after.withheld > 1 else ''} of its evidence"
        yield f"{pieces} {'are' if after.withheld > 1 else 'is'} of a later version, and left out"
    if after.level != level:
        yield f"it is redacted at the level {after.level} already, which stays"
    if before.level != "none" and key.id not in (None, after.key_id):
        yield "it is redacted already, so that its pseudonyms are not of the key that was given"
    elif before.key_id is not None and after.key_id is None:
        yield "not all of its pseudonyms are of one key any more (give the same key to keep that)"


app = command_app(redact)
