"""``rtcdiag show``."""

from typing import Annotated

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Output, Redacting


def show(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A report or comparison as JSON or HTML, or - for standard input.")
    ],
    *,
    output: Output,
    redacting: Redacting,
) -> int:
    """Diagnose a saved report again with today's rules, and show it in any format.

    The comparison of two reports is shown as it is: the reports that it was made from are not in it.
    """
    from rtcdiag.cli.outputs import deliver, deliver_comparison, destinations
    from rtcdiag.cli.redacting import comparison_redactor, redactor
    from rtcdiag.cli.saved import read_saved
    from rtcdiag.cli.streams import say
    from rtcdiag.diagnosis import rediagnose
    from rtcdiag.report import Report

    files, redact = destinations(output), redactor(redacting)
    saved = read_saved(file)
    if not isinstance(saved, Report):
        deliver_comparison(comparison_redactor(redacting)(saved), output, files)
        return 0
    report, unknown = rediagnose(saved)
    if unknown and not output.quiet:
        say(f"{file}: {_unknown(unknown, report.redaction.withheld)}: this is the verdict saved in it")
    report = redact(report)
    deliver(report, output, files)
    return 0


def _unknown(unknown: int, withheld: int) -> str:
    pieces = f"{unknown} piece{'s' if unknown > 1 else ''} of its evidence"
    if withheld:
        return f"{pieces} left out when it was redacted"
    return f"{pieces} of a later version"


app = command_app(show)
