"""Every option that several commands share, written once: a group is a named tuple, and a command takes groups."""

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

import typer

FormatName = Literal["text", "json", "html", "markdown", "firewall"]
LevelName = Literal["none", "share", "strict"]
FailOn = Literal["error", "warning", "info", "never"]
Carrier = Literal["sse", "websocket"]
OfferAs = Literal["json", "sdp"]


class Requirement(StrEnum):
    """What ``--require`` can demand."""

    DIRECT = "direct"
    RELAY = "relay"
    TLS_443 = "tls-443"
    IPV6 = "ipv6"


class PairRequirement(StrEnum):
    """What ``--require`` can demand of a pair."""

    DIRECT = "direct"
    RELAY = "relay"


OUTPUT = "Output"
SERVERS = "Servers and credentials"
NETWORK = "Network"
RESULT = "Exit code"


class Output(NamedTuple):
    """What to write, and where."""

    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.", rich_help_panel=OUTPUT)] = False
    format: Annotated[
        FormatName | None,
        typer.Option(
            "--format",
            help="What to print on standard output: text unless set; firewall: what to open.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="[FORMAT=]FILE",
            help="Also write a file, in the format of its suffix; may be repeated.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print the verdict in one line and no progress.", rich_help_panel=OUTPUT),
    ] = False
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            help="Show each server stage by stage, and tables; -vv: every message, decoded.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = 0


KeyFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="The key of the pseudonyms: reports with one key can be compared by address.",
        rich_help_panel=OUTPUT,
    ),
]


class Redacting(NamedTuple):
    """What a report is not to tell."""

    redact: Annotated[
        LevelName,
        typer.Option(
            help="share: pseudonyms for public addresses; strict: for names of servers and interfaces too.",
            show_default=True,
            rich_help_panel=OUTPUT,
        ),
    ] = "none"
    redaction_key_file: KeyFile = None


class Servers(NamedTuple):
    """Whom to ask, and with which credentials."""

    server: Annotated[
        list[str] | None,
        typer.Option(
            "--server", "-s", metavar="URI", help="Ask this server; may be repeated.", rich_help_panel=SERVERS
        ),
    ] = None
    ice_servers: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|URL|-",
            help="Ask the servers of an ICE server list in JSON, also of a service (https://).",
            rich_help_panel=SERVERS,
        ),
    ] = None
    ice_servers_token_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|-", help="The bearer token for the service of --ice-servers.", rich_help_panel=SERVERS
        ),
    ] = None
    username: Annotated[
        str | None,
        typer.Option(
            envvar="RTCDIAG_USERNAME",
            show_envvar=True,
            metavar="NAME",
            help="The user name for TURN; its password is in --password-file, RTCDIAG_PASSWORD or prompted for.",
            rich_help_panel=SERVERS,
        ),
    ] = None
    password_file: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Read the password from here.", rich_help_panel=SERVERS),
    ] = None
    secret_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|-",
            help="Make a time-limited password from the shared secret in here (coturn's use-auth-secret).",
            rich_help_panel=SERVERS,
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Trust these PEM certificates too.", rich_help_panel=SERVERS),
    ] = None
    sni: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The name that TLS asks for and verifies.", rich_help_panel=SERVERS),
    ] = None
    no_input: Annotated[bool, typer.Option("--no-input", help="Never prompt.", rich_help_panel=SERVERS)] = False


class Network(NamedTuple):
    """How to ask, and within which bounds."""

    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Wait so long for one answer.", rich_help_panel=NETWORK),
    ] = 2.0
    deadline: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="End the whole run by then: 30 unless set, and as much later as experiments take that were asked for.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    ipv4: Annotated[bool, typer.Option("-4", "--ipv4", help="IPv4 only.", rich_help_panel=NETWORK)] = False
    ipv6: Annotated[bool, typer.Option("-6", "--ipv6", help="IPv6 only.", rich_help_panel=NETWORK)] = False
    interface: Annotated[
        str | None, typer.Option(metavar="NAME", help="Use this interface's addresses.", rich_help_panel=NETWORK)
    ] = None
    bind: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Use this local address.", rich_help_panel=NETWORK)
    ] = None
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", help="The local port of the first UDP socket.", show_default=False, rich_help_panel=NETWORK
        ),
    ] = 0
    proxy: Annotated[
        str | None,
        typer.Option(
            metavar="URL|none",
            help="Also try TURN over TCP and TLS through this HTTP proxy, instead of the environment's.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    no_control: Annotated[
        bool, typer.Option("--no-control", help="Do not contact the control hosts.", rich_help_panel=NETWORK)
    ] = False
    no_gateway: Annotated[
        bool, typer.Option("--no-gateway", help="Do not ask the router about itself.", rich_help_panel=NETWORK)
    ] = False
    pcap: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write what was sent and received, for Wireshark; only you can read the file.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    list_contacts: Annotated[
        bool,
        typer.Option(
            "--list-contacts",
            help="Print whom this command would contact, and contact no one.",
            rich_help_panel=NETWORK,
        ),
    ] = False


class Judgement(NamedTuple):
    """What counts as a failure."""

    fail_on: Annotated[
        FailOn,
        typer.Option(help="Exit with 1 from this severity on.", show_default=True, rich_help_panel=RESULT),
    ] = "error"
    require: Annotated[
        list[Requirement] | None,
        typer.Option(help="Exit with 1 where this does not work; may be repeated.", rich_help_panel=RESULT),
    ] = None
