"""``rtcdiag check-turn``."""

from typing import Annotated

import typer

from rtcdiag.cli.asking import Question, ask
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.experiment_options import Lasting, Relays
from rtcdiag.cli.options import Judgement, Network, Output, Redacting, Servers


def check_turn(
    uris: Annotated[
        list[str] | None,
        typer.Argument(metavar="URI...", help="turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]."),
    ] = None,
    *,
    output: Output,
    redacting: Redacting,
    servers: Servers,
    network: Network,
    relays: Relays,
    lasting: Lasting,
    judgement: Judgement,
) -> int:
    """Relay data through TURN servers in both directions, or name the first broken link, its cause and its fix.

    The servers need a username and a password: see --username, --secret-file and --ice-servers.
    """
    about = (output, servers, network, judgement)
    question = Question("check-turn", *about, uris=uris or (), only="turn", relays=relays, lasting=lasting)
    return ask(question._replace(redacting=redacting))


app = command_app(check_turn)
