"""``rtcdiag lab run``."""

from typing import Annotated

import typer

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.laboratory import Hosts, Internet, laboratory_app, nats
from rtcdiag.cli.laboratory import run as run_lab


def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND…", help="What to run, with its arguments.")],
    *,
    nat: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="A preset, or flags; repeated: one more layer, the outermost last."),
    ] = None,
    gateway: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="Run this line of the shell on the router that the command is behind."),
    ] = None,
    internet: Internet,
) -> int:
    """Run a command behind NATs on this computer, with no way to any network outside. Exits with the command's code.

    A SPEC is a preset (rtcdiag lab presets) or MAPPING/FILTERING and flags: "apdm/apdf port=random loss=5%". Without
    --nat the command is on the lab's internet. 125: the lab itself failed.
    """
    layers = nats("--nat", nat)
    if gateway is not None and not layers:
        raise BadInputError("--gateway: there is no router in front of the command (add a --nat)")
    return run_lab(Hosts(branches=[(layers, command)], gateway=gateway), internet)


app = laboratory_app(
    run,
    (
        "rtcdiag lab run --nat symmetric -- bash",
        "rtcdiag lab run --nat home-router --nat cgnat --with embedded -- \\",
        "    sh -c 'rtcdiag nat-type --server $RTCDIAG_LAB_STUN'",
    ),
)
