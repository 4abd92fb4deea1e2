"""``rtcdiag show``."""

from typing import Annotated

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Output


def show(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A report or comparison as JSON or HTML, or - for standard input.")
    ],
    *,
    output: Output,
) -> int:
    """Diagnose a saved report again with today's rules, and show it in any format.

    The comparison of two reports is shown as it is: the reports that it was made from are not in it.
    """
    from rtcdiag.cli.outputs import deliver, deliver_comparison, destinations
    from rtcdiag.cli.saved import read_saved
    from rtcdiag.cli.streams import say
    from rtcdiag.diagnosis import rediagnose
    from rtcdiag.report import Report

    files = destinations(output)
    saved = read_saved(file)
    if not isinstance(saved, Report):
        deliver_comparison(saved, output, files)
        return 0
    report, unknown = rediagnose(saved)
    if unknown and not output.quiet:
        say(f"{file}: {unknown} pieces of its evidence are of a later version; this is the verdict saved in it")
    deliver(report, output, files)
    return 0


app = command_app(show)
