"""``rtcdiag lab presets``."""

from typing import Annotated

import typer

from rtcdiag.cli.commands import command_app


def presets(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> int:
    """List the NATs that have a name, with the SPEC of each."""
    from rtcdiag.cli.streams import emit
    from rtcdiag.lab.spec import presets as all_presets

    found = all_presets()
    if as_json:
        import json

        rows = [{"name": name, "spec": one.spec, "about": one.about} for name, one in found.items()]
        emit(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", utf8=True)
        return 0
    emit("".join(f"{name}\n  {one.about}\n  {one.spec}\n" for name, one in found.items()))
    return 0


app = command_app(presets)
