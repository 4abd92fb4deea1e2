"""What the commands of ``rtcdiag lab`` share: options, checks before anything is made, and the run."""

import re
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.grouping import grouped

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


class Internet(NamedTuple):
    """The options of the lab's internet."""

    servers: Annotated[
        list[ServerName] | None,
        typer.Option("--with", help="Start a STUN and TURN server on the lab's internet; twice for two operators."),
    ] = None
    address: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="One more address that the lab's internet has; may be repeated."),
    ] = None
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=ADDRESS", help="A name that the lab's name server knows; may be repeated."),
    ] = None
    internet: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Run this line of the shell on the lab's internet meanwhile.")
    ] = None
    packet_log: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write what the NATs do with each packet, a line of JSON each."),
    ] = None
    seed: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Let the NATs' random choices be the same every time.")
    ] = None


def laboratory_app(command: Callable[..., int], examples: Sequence[str]) -> typer.Typer:
    """Return the app of a command whose last argument is another command with options of its own."""
    from rtcdiag.cli.commands import GroupedHelp

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"], "allow_interspersed_args": False}
    epilog = "\n".join(("Examples:", "", "\b", *(f"  {line}" for line in examples)))
    app.command(cls=GroupedHelp, context_settings=settings, epilog=epilog)(grouped(command))
    return app


def nats(option: str, texts: Sequence[str] | None) -> "tuple[NatSpec, ...]":
    """Read specifications; the error names the option."""
    from rtcdiag.lab.spec import SpecError, parse_spec

    try:
        return tuple(parse_spec(text) for text in texts or ())
    except SpecError as error:
        raise BadInputError(f"{option}: {error}") from None


class Hosts(NamedTuple):
    """What runs behind which NATs."""

    branches: "Sequence[tuple[tuple[NatSpec, ...], Sequence[str]]]"
    """The NATs of each host, and its command."""
    shared: "tuple[NatSpec, ...]" = ()
    gateway: str | None = None


def run(hosts: Hosts, internet: Internet) -> int:
    """Run commands behind NATs; return the exit code."""
    addresses = tuple(_address("--address", text) for text in internet.address or ())
    names = tuple(_name(text) for text in internet.name or ())
    servers = tuple(_KINDS[name] for name in internet.servers or ())
    if len(servers) > _MOST_SERVERS:
        raise BadInputError(f"--with {servers[-1]}: the lab has room for {_MOST_SERVERS} servers")
    from rtcdiag.cli.streams import say

    if sys.platform != "linux":
        say("rtcdiag: the lab needs Linux: it is made of network namespaces")
        return FAILED
    from rtcdiag.lab.world import HostSpec, LabSpec, run_lab

    log = _packet_log(internet.packet_log)
    lab = LabSpec(
        hosts=tuple(HostSpec(layers, tuple(command)) for layers, command in hosts.branches),
        shared=hosts.shared,
        gateway=hosts.gateway,
        servers=servers,
        addresses=addresses,
        names=names,
        internet=internet.internet,
        seed=internet.seed,
        packet_log=log,
    )
    return run_lab(lab, lambda line: say(f"rtcdiag: {line}"))


def _packet_log(name: str | None) -> int | None:
    """Open the file, empty, for whatever process of the lab has a packet to tell of; only its owner can read it."""
    if name is None:
        return None
    import os

    from rtcdiag.cli.files import check_writable

    check_writable(Path(name), what="--packet-log")
    try:
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadInputError(f"--packet-log {name}: {error.strerror}") from None


def _address(option: str, text: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise BadInputError(f"{option} {text}: not an IP address (write 192.0.2.1 or 2001:db8::1)") from None


def _name(text: str) -> tuple[str, str]:
    name, equals, address = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){0,9}", name):
        raise BadInputError(f"--name {text}: not a name and an address (write stun.example.org=203.0.113.10)")
    return name, _address("--name", address)
