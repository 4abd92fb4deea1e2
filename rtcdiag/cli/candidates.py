"""``rtcdiag candidates``."""

from typing import Annotated

import typer

from rtcdiag.cli.asking import Question, ask
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Judgement, Network, Output, Redacting, Servers


def candidates(
    *,
    relay_only: Annotated[bool, typer.Option("--relay-only", help="Gather relay candidates only.")] = False,
    output: Output,
    redacting: Redacting,
    servers: Servers,
    network: Network,
    judgement: Judgement,
) -> int:
    """List the host, server-reflexive and relayed candidates that an ICE agent gathers here, and who sees them.

    Asks the servers given by --server or --ice-servers, else a default list (see --list-contacts).
    """
    about = (output, servers, network, judgement)
    return ask(Question("candidates", *about, redacting=redacting, relay_only=relay_only))


app = command_app(candidates)
