"""``rtcdiag show``."""

from typing import TYPE_CHECKING, Annotated

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Output, Redacting

if TYPE_CHECKING:
    from rtcdiag.cli.outputs import Destination
    from rtcdiag.compare import Comparison
    from rtcdiag.diff import Difference
    from rtcdiag.health import Round


def show(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A report, or what was made of two, as JSON or HTML, or - for standard input."
        ),
    ],
    *,
    output: Output,
    redacting: Redacting,
) -> int:
    """Diagnose a saved report again with today's rules, and show it in any format.

    The comparison or difference of two reports is shown as it is: the reports that it was made from are not in it.
    So are the JSON and the JSON Lines of a health check: as text, JSON or Markdown, and with --output in its
    other formats.
    """
    from rtcdiag.cli.outputs import deliver, destinations
    from rtcdiag.cli.redacting import redactor
    from rtcdiag.cli.saved import read_saved
    from rtcdiag.cli.streams import say
    from rtcdiag.diagnosis import rediagnose
    from rtcdiag.health import Round
    from rtcdiag.report import Report

    saved = read_saved(file)
    if isinstance(saved, Round):
        return _show_health(saved, output, redacting)
    files, redact = destinations(output), redactor(redacting)
    if not isinstance(saved, Report):
        return _show_result(saved, output, redacting, files)
    report, unknown = rediagnose(saved)
    if unknown and not output.quiet:
        say(f"{file}: {_unknown(unknown, report.redaction.withheld)}: this is the verdict saved in it")
    report = redact(report)
    deliver(report, output, files)
    return 0


def _show_result(
    found: "Comparison | Difference", output: Output, redacting: Redacting, files: "tuple[Destination, ...]"
) -> int:
    from rtcdiag.cli.outputs import deliver_comparison, deliver_difference, destinations_of_two
    from rtcdiag.cli.redacting import redact_result

    destinations_of_two(output)
    if found.kind == "diff":
        deliver_difference(redact_result(found, redacting), output, files)
    else:
        deliver_comparison(redact_result(found, redacting), output, files)
    return 0


def _show_health(found: "Round", output: Output, redacting: Redacting) -> int:
    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.health_options import HealthOutput
    from rtcdiag.cli.health_outputs import Outlet

    if output.format == "html" or output.format == "firewall":  # noqa: PLR1714 - mypy narrows by these alone
        raise BadInputError(f"--format {output.format}: a health check is shown as text, json or markdown")
    if redacting.redact != "none":
        raise BadInputError(
            "--redact: a health check is redacted when it is made (write rtcdiag health CONFIG --redact)"
        )
    asked = HealthOutput(
        as_json=output.as_json,
        format=output.format,
        output=output.output,
        quiet=output.quiet,
        verbose=output.verbose,
    )
    outlet = Outlet(asked, None)
    outlet.tell(found, ())
    outlet.write(found)
    return 0


def _unknown(unknown: int, withheld: int) -> str:
    pieces = f"{unknown} piece{'s' if unknown > 1 else ''} of its evidence"
    if withheld:
        return f"{pieces} left out when it was redacted"
    return f"{pieces} of a later version"


app = command_app(show)
