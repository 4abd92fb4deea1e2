"""``rtcdiag show``."""

from typing import Annotated

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Output


def show(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A report as JSON or HTML, or - for standard input.")],
    *,
    output: Output,
) -> int:
    """Diagnose a saved report again with today's rules, and show it in any format."""
    from rtcdiag.cli.outputs import deliver, destinations
    from rtcdiag.cli.saved import read_report
    from rtcdiag.cli.streams import say
    from rtcdiag.diagnosis import rediagnose

    files = destinations(output)
    report, unknown = rediagnose(read_report(file))
    if unknown and not output.quiet:
        say(f"{file}: {unknown} pieces of its evidence are of a later version; this is the verdict saved in it")
    deliver(report, output, files)
    return 0


app = command_app(show)
