"""The program as typer sees it: a table of commands, each imported only when it runs."""

from importlib import import_module
from typing import Annotated, Any, NamedTuple, cast

import typer
from typer.core import TyperCommand, TyperGroup

from rtcdiag.cli.streams import emit
from rtcdiag.version import __version__

# Typer has its own copy of click, whose base class of usage errors is reachable only through this one.
UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])


class Entry(NamedTuple):
    """One command of the table."""

    name: str
    module: str
    """The module of ``rtcdiag.cli`` that has it as ``app``."""
    help: str
    """One line for ``rtcdiag --help``; the command's own help says more."""


COMMANDS: tuple[Entry, ...] = (
    Entry("report", "report", "Ask everything, say what is wrong, and save a report."),
    Entry("nat-type", "nat_type", "How the NAT maps and filters, and whom it can reach directly."),
    Entry("check-stun", "check_stun", "Whether STUN servers answer, and correctly."),
    Entry("check-turn", "check_turn", "Whether TURN servers really relay data, and if not, what to fix."),
    Entry("candidates", "candidates", "The candidates that an ICE agent gathers here."),
    Entry("audit-turn", "audit_turn", "Whether your own TURN server, or its configuration, is open to abuse."),
    Entry("connect", "connect", "Test with another person whether your two computers really connect."),
    Entry("compare", "compare", "From two reports: can these two reach each other directly?"),
    Entry("health", "health", "Whether all ICE servers of a configuration work: for CI and monitoring."),
    Entry("show", "show", "Diagnose a saved report again and show it in any format."),
    Entry("diff", "diff", "What changed between two reports."),
    Entry("redact", "redact", "Replace public addresses, and names, in a saved report."),
    Entry("explain", "explain", "The long text of a finding, or all codes."),
    Entry("schema", "schema", "The JSON Schema of reports."),
    Entry("serve", "serve", "Run the embedded STUN and TURN server, the rendezvous, or the exporter."),
    Entry("lab", "lab", "Put any command behind any NAT on this computer (Linux)."),
)

EPILOG = """Examples:

\b
  rtcdiag report
  rtcdiag check-turn turn:turn.example.com --username ann"""


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and imports one only to run it or to show its help."""

    entries: tuple[Entry, ...] = ()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Only the names matter: typer suggests the nearest one for a typing mistake.
        self.commands = cast("Any", {entry.name: None for entry in self.entries})

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002 - typer calls it
        """Import a command; None for a name that is none."""
        module = next((entry.module for entry in self.entries if entry.name == cmd_name), None)
        if module is None:
            return None
        return cast("TyperCommand | TyperGroup", typer.main.get_command(import_module(f"rtcdiag.cli.{module}").app))

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer calls it
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in self.entries])


class MainGroup(LazyGroup):
    """The program itself."""

    entries = COMMANDS


def _version(wanted: bool) -> None:
    if wanted:
        emit(f"rtcdiag {__version__}\n")
        raise typer.Exit


app = typer.Typer(
    cls=MainGroup,
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback()
def rtcdiag(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tell whether a direct WebRTC path is possible from here, with whom it is not, and what to fix."""
    if context.invoked_subcommand is None:
        emit(context.get_help() + "\n")
