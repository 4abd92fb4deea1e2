"""``rtcdiag report``."""

from pathlib import Path
from typing import Annotated

import typer

from rtcdiag.cli.asking import Question, ask
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.experiment_options import Experiments, Relays
from rtcdiag.cli.options import OUTPUT, Judgement, Network, Output, Redacting, Servers


def report(
    *,
    reports_dir: Annotated[
        Path, typer.Option(metavar="DIR", help="Save JSON and HTML here.", show_default=True, rich_help_panel=OUTPUT)
    ] = Path("reports"),
    output: Output,
    redacting: Redacting,
    servers: Servers,
    network: Network,
    experiments: Experiments,
    relays: Relays,
    judgement: Judgement,
) -> int:
    """Run every check side by side, say what is wrong and how to fix it, and save a report.

    Asks the servers given by --server or --ice-servers, else a default list of public STUN servers
    (see --list-contacts).
    """
    return ask(
        Question(
            "report",
            output,
            servers,
            network,
            judgement,
            redacting=redacting,
            experiments=experiments,
            relays=relays,
            reports_dir=reports_dir,
        )
    )


app = command_app(report)
