"""How a command becomes an app: one function of option groups, help that is grouped as the options are."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from rtcdiag.cli.grouping import grouped
from rtcdiag.cli.streams import emit


class GroupedHelp(TyperCommand):
    """A command whose help shows its options under the heading of their group."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one section a group: the command's own options first, ``--help`` among them."""
        sections: dict[str, list[Any]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                own = "Arguments" if parameter.param_type_name == "argument" else "Options"
                sections.setdefault(getattr(parameter, "rich_help_panel", None) or own, []).append(record)
        for heading in sorted(sections, key=lambda name: (name != "Arguments", name != "Options")):
            with formatter.section(heading):
                formatter.write_dl(sections[heading])


def command_app(command: Callable[..., int]) -> typer.Typer:
    """Return the app of one command, whose docstring is its help."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )
    app.command(cls=GroupedHelp)(grouped(command))
    return app


def group_app(group: type[TyperGroup], help_text: str) -> typer.Typer:
    """Return the app of a group of commands, which shows its help where no command is given."""
    app = typer.Typer(
        cls=group,
        add_completion=False,
        rich_markup_mode=None,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )

    def show_help(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            emit(context.get_help() + "\n")

    app.callback(help=help_text)(show_help)
    return app
