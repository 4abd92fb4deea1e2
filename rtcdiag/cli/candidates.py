"""``rtcdiag candidates``."""

from typing import Annotated

import typer

from rtcdiag.cli.asking import Question, ask
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Judgement, Network, Output, Servers


def candidates(
    *,
    relay_only: Annotated[bool, typer.Option("--relay-only", help="Gather relay candidates only.")] = False,
    output: Output,
    servers: Servers,
    network: Network,
    judgement: Judgement,
) -> int:
    """List the host, server-reflexive and relayed candidates that an ICE agent gathers here, and who sees them.

    Asks the servers given by --server or --ice-servers, else a default list (see --list-contacts).
    """
    return ask(Question("candidates", output, servers, network, judgement, relay_only=relay_only))


app = command_app(candidates)
