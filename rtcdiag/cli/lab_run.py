"""``rtcdiag lab run``."""

from typing import Annotated

import typer

from rtcdiag.cli.laboratory import Internet, laboratory_app, nats
from rtcdiag.cli.laboratory import run as run_lab


def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND…", help="What to run, with its arguments.")],
    *,
    nat: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="A preset, or flags; repeated: one more layer, the outermost last."),
    ] = None,
    internet: Internet,
) -> int:
    """Run a command behind NATs on this computer, with no way to any network outside. Exits with the command's code.

    A SPEC is a preset (rtcdiag lab presets) or MAPPING/FILTERING and flags: "apdm/apdf port=random loss=5%". Without
    --nat the command is on the lab's internet. 125: the lab itself failed.
    """
    return run_lab([(nats("--nat", nat), command)], internet)


app = laboratory_app(run)
