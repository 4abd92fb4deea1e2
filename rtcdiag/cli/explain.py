"""``rtcdiag explain``."""

from typing import Annotated

import typer

from rtcdiag.cli.commands import command_app


def explain(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="The code of a finding.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Print what a finding means and what to do about it, or all codes."""
    from rtcdiag.cli import catalogue
    from rtcdiag.cli.streams import emit

    if code is None:
        text = catalogue.all_as_json() if as_json else catalogue.all_as_text()
    else:
        text = catalogue.one_as_json(code) if as_json else catalogue.one_as_text(code)
    emit(text, utf8=as_json)
    return 0


app = command_app(explain)
