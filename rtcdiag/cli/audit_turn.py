"""``rtcdiag audit-turn``."""

from typing import Annotated

import typer

from rtcdiag.cli.auditing import Audit, audit
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import Judgement, Network, Output, Redacting, Servers


def audit_turn(
    uris: Annotated[
        list[str] | None,
        typer.Argument(metavar="URI...", help="turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]."),
    ] = None,
    *,
    i_own_this_server: Annotated[
        bool,
        typer.Option("--i-own-this-server", help="You run the server, or its operator asked you to audit it."),
    ] = False,
    config: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Judge this turnserver.conf of coturn; without a URI nobody is asked."),
    ] = None,
    coturn_version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="The coturn that the file is for, such as 4.6.1: defaults differ."),
    ] = None,
    output: Output,
    redacting: Redacting,
    servers: Servers,
    network: Network,
    judgement: Judgement,
) -> int:
    """Tell whether your own TURN server is open to abuse, and which line of its configuration to change.

    The server is asked one question a second from a small fixed list. Nothing is ever sent to a peer: whether the
    server would let it be reached is the finding. With --secret-file an expired credential is tried, too.
    """
    about = (output, redacting, servers, network, judgement)
    return audit(Audit(i_own_this_server, config, coturn_version, *about, uris or ()))


app = command_app(audit_turn)
