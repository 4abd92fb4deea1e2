"""What the commands of ``rtcdiag lab`` share: options, checks before anything is made, and the run."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import grouped

if TYPE_CHECKING:
    from rtcdiag.lab.servers import ServerKind
    from rtcdiag.lab.spec import NatSpec

FAILED = 125
_MOST_SERVERS = 2


class ServerName(StrEnum):
    """What ``--with`` can start."""

    EMBEDDED = "embedded"
    COTURN = "coturn"


_KINDS: "dict[ServerName, ServerKind]" = {ServerName.EMBEDDED: "embedded", ServerName.COTURN: "coturn"}


@dataclass(frozen=True, kw_only=True)
class Internet:
    """The options of the lab's internet."""

    servers: Annotated[
        list[ServerName] | None,
        typer.Option("--with", help="Start a STUN and TURN server on the lab's internet; twice for two operators."),
    ] = None
    address: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="One more address that the lab's internet has; may be repeated."),
    ] = None
    internet: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Run this line of the shell on the lab's internet meanwhile.")
    ] = None
    seed: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Let the NATs' random choices be the same every time.")
    ] = None


def laboratory_app(command: Callable[..., int]) -> typer.Typer:
    """Return the app of a command whose last argument is another command with options of its own."""
    from rtcdiag.cli.commands import GroupedHelp

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"], "allow_interspersed_args": False}
    app.command(cls=GroupedHelp, context_settings=settings)(grouped(command))
    return app


def nats(option: str, texts: Sequence[str] | None) -> "tuple[NatSpec, ...]":
    """Read specifications; the error names the option."""
    from rtcdiag.lab.spec import SpecError, parse_spec

    try:
        return tuple(parse_spec(text) for text in texts or ())
    except SpecError as error:
        raise BadInputError(f"{option}: {error}") from None


def run(hosts: "Sequence[tuple[tuple[NatSpec, ...], Sequence[str]]]", internet: Internet) -> int:
    """Run commands behind NATs; return the exit code."""
    addresses = tuple(_address(text) for text in internet.address or ())
    servers = tuple(_KINDS[name] for name in internet.servers or ())
    if len(servers) > _MOST_SERVERS:
        raise BadInputError(f"--with {servers[-1]}: the lab has room for {_MOST_SERVERS} servers")
    from rtcdiag.cli.streams import say

    if sys.platform != "linux":
        say("rtcdiag: the lab needs Linux: it is made of network namespaces")
        return FAILED
    from rtcdiag.lab.world import HostSpec, LabSpec, run_lab

    made = tuple(HostSpec(layers, tuple(command)) for layers, command in hosts)
    lab = LabSpec(made, servers, addresses, internet.internet, internet.seed)
    return run_lab(lab, lambda line: say(f"rtcdiag: {line}"))


def _address(text: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise BadInputError(f"--address {text}: not an IP address (write 192.0.2.1 or 2001:db8::1)") from None
