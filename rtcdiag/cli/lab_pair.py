"""``rtcdiag lab pair``."""

from typing import Annotated

import typer

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.laboratory import Hosts, Internet, laboratory_app, nats
from rtcdiag.cli.laboratory import run as run_lab

AND = "--and"


def pair(
    command: Annotated[
        list[str],
        typer.Argument(metavar="-- COMMAND… [--and COMMAND…]", help="What both run, or each of them."),
    ],
    *,
    a: Annotated[list[str] | None, typer.Option(metavar="SPEC", help="A NAT of the first; repeated: a layer.")] = None,
    b: Annotated[list[str] | None, typer.Option(metavar="SPEC", help="A NAT of the second; repeated: a layer.")] = None,
    shared: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="A NAT that both are behind, after their own; repeated: a layer."),
    ] = None,
    internet: Internet,
) -> int:
    """Run a command on two computers, each behind its own NATs, or both behind the same.

    RTCDIAG_LAB_SIDE tells the command which one it is on: a or b.

    What stands behind --and runs on b instead. Ends when both have, with the code of a, or that of b where a's is 0.
    """
    layers_a, layers_b = nats("--a", a), nats("--b", b)
    on_a, on_b = _split(command)
    hosts = Hosts(branches=[(layers_a, on_a), (layers_b, on_b)], shared=nats("--shared", shared))
    return run_lab(hosts, internet)


def _split(command: list[str]) -> tuple[list[str], list[str]]:
    if AND not in command:
        return command, command
    at = command.index(AND)
    on_a, on_b = command[:at], command[at + 1 :]
    if not on_a or not on_b:
        raise BadInputError(f"{AND} stands between two commands (write: -- COMMAND {AND} COMMAND)")
    return on_a, on_b


app = laboratory_app(
    pair,
    (
        "rtcdiag lab pair --a symmetric --b home-router --with coturn -- ./my-peer",
        "rtcdiag lab pair --a home-router --b home-router --shared cgnat -- ./my-peer",
        "rtcdiag lab pair --shared home-router -- ./my-peer      # both in one LAN",
    ),
)
