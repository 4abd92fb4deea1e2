"""``rtcdiag diff``."""

from typing import Annotated

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Redacting
from rtcdiag.cli.pair_options import PairOutput


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The earlier report, as JSON or HTML; - reads it.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The later one.")],
    *,
    output: PairOutput,
    redacting: Redacting,
) -> int:
    """Tell what changed between two reports of the same network or servers: findings, verdict, NAT, servers, times.

    Exits with 1 where it is worse. Round-trip times count only beyond what they vary by themselves.
    """
    from datetime import UTC, datetime
    from uuid import uuid4

    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.exits import FINDINGS, OK
    from rtcdiag.cli.outputs import deliver_difference, destinations_of_two
    from rtcdiag.cli.redacting import PairRedactor
    from rtcdiag.cli.running import rfc3339
    from rtcdiag.cli.saved import read_report
    from rtcdiag.diagnosis import rediagnose
    from rtcdiag.diff import Asked
    from rtcdiag.diff import diff as difference_of

    if a == b == "-":
        raise BadInputError("both reports are -: only one can be read from standard input")
    files, redact = destinations_of_two(output), PairRedactor(redacting)
    before, after = redact.two(*(rediagnose(read_report(name))[0] for name in (a, b)))
    found = difference_of(before, after, Asked(id=str(uuid4()), started_at=rfc3339(datetime.now(UTC))))
    deliver_difference(found, output, files)
    return FINDINGS if found.change == "worse" else OK


app = command_app(diff)
