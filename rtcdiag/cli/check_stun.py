"""``rtcdiag check-stun``."""

from typing import Annotated

import typer

from rtcdiag.cli.asking import Question, ask
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Judgement, Network, Output, Redacting, Servers


def check_stun(
    uris: Annotated[list[str] | None, typer.Argument(metavar="URI...", help="stun:HOST or stuns:HOST.")] = None,
    *,
    output: Output,
    redacting: Redacting,
    servers: Servers,
    network: Network,
    judgement: Judgement,
) -> int:
    """Ask STUN servers over each of their addresses, and tell whether they answer, correctly and how fast."""
    about = (output, servers, network, judgement)
    return ask(Question("check-stun", *about, redacting=redacting, uris=uris or (), only="stun"))


app = command_app(check_stun)
