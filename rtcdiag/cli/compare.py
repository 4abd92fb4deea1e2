"""``rtcdiag compare``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import RESULT, PairRequirement, Redacting
from rtcdiag.cli.pair_options import PairOutput

if TYPE_CHECKING:
    from rtcdiag.compare import Comparison


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="The report of one person, as JSON or HTML; - reads it.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The report of the other.")],
    *,
    require: Annotated[
        list[PairRequirement] | None,
        typer.Option(help="Exit with 1 unless this is so; may be repeated.", rich_help_panel=RESULT),
    ] = None,
    output: PairOutput,
    redacting: Redacting,
) -> int:
    """Tell from the reports of two people whether they connect directly, by which path, and what would change that.

    Make the reports with rtcdiag report, each from where it matters. The reports of both ends of one rtcdiag connect
    give what happened between them.
    """
    from datetime import UTC, datetime
    from uuid import uuid4

    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.outputs import deliver_comparison, destinations_of_two
    from rtcdiag.cli.redacting import PairRedactor
    from rtcdiag.cli.running import rfc3339
    from rtcdiag.cli.saved import read_report
    from rtcdiag.compare import Asked, ComparisonError
    from rtcdiag.compare import compare as compare_reports
    from rtcdiag.diagnosis import rediagnose

    if a == b == "-":
        raise BadInputError("both reports are -: only one can be read from standard input")
    files = destinations_of_two(output)
    redact = PairRedactor(redacting)
    first, second = (rediagnose(read_report(name))[0] for name in (a, b))
    if first.id == second.id:
        raise BadInputError(f"{a} and {b}: one and the same report (compare takes those of two people)")
    first, second = redact.two(first, second)
    try:
        found = compare_reports(first, second, Asked(id=str(uuid4()), started_at=rfc3339(datetime.now(UTC))))
    except ComparisonError as error:
        raise BadInputError(f"{a} and {b}: {error}") from None
    deliver_comparison(found, output, files)
    return _exit_code(found, require or ())


def _exit_code(found: "Comparison", require: Sequence[PairRequirement]) -> int:
    from rtcdiag.cli.exits import FINDINGS, INCONCLUSIVE, OK

    met = {found.direct if item is PairRequirement.DIRECT else found.relayed for item in require}
    if "no" in met or found.verdict.status == "broken":
        return FINDINGS
    return INCONCLUSIVE if "unknown" in met or (not met and found.verdict.status == "inconclusive") else OK


app = command_app(compare)
