"""The options for what is tried only where the user asks for it."""

from typing import Annotated, NamedTuple

import typer

EXPERIMENTS = "More experiments"
RELAYS = "How good the relays are"


class Experiments(NamedTuple):
    """What is tried only where the user asks for it: it takes long, or a firewall may mistake it for an attack."""

    hairpin: Annotated[
        bool,
        typer.Option(
            "--hairpin",
            help="Try whether the NAT lets computers behind it reach each other by their public addresses. "
            "Some company firewalls take it for an attack (LAND).",
            rich_help_panel=EXPERIMENTS,
        ),
    ] = False
    lifetime: Annotated[
        bool,
        typer.Option(
            "--lifetime",
            help="Measure how long the NAT keeps a mapping without traffic; takes three minutes.",
            rich_help_panel=EXPERIMENTS,
        ),
    ] = False
    lifetime_up_to: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="The longest silence that --lifetime tries: 185 unless set.",
            rich_help_panel=EXPERIMENTS,
        ),
    ] = None
    fragments: Annotated[
        bool,
        typer.Option(
            "--fragments",
            help="Try whether datagrams that are too long for one packet get through, in fragments.",
            rich_help_panel=EXPERIMENTS,
        ),
    ] = False


class Relays(NamedTuple):
    """What is tried with TURN servers only where the user asks for it."""

    ice: Annotated[
        bool,
        typer.Option(
            "--ice",
            help="Also let two ICE agents that may use relays only connect through each TURN server.",
            rich_help_panel=EXPERIMENTS,
        ),
    ] = False
    tcp_relay: Annotated[
        bool,
        typer.Option(
            "--tcp-relay",
            help="Also try whether TURN servers asked over TCP or TLS relay TCP connections (RFC 6062).",
            rich_help_panel=EXPERIMENTS,
        ),
    ] = False


class Lasting(NamedTuple):
    """What takes long and sends much: only where the user asks for it."""

    quality: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Send 50 packets a second of 172 and of 1200 bytes through each relay for so long: RTT, jitter, loss.",
            rich_help_panel=RELAYS,
        ),
    ] = None
    throughput: Annotated[
        bool,
        typer.Option("--throughput", help="Try how much each relay carries, up to 1 Mbit/s.", rich_help_panel=RELAYS),
    ] = False
    throughput_up_to: Annotated[
        int | None,
        typer.Option(
            metavar="KBIT/S", help="The highest rate that --throughput tries: 1000 unless set.", rich_help_panel=RELAYS
        ),
    ] = None
    soak: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Keep each relay in use for so long (90s, 11m), over the times at which things expire.",
            rich_help_panel=RELAYS,
        ),
    ] = None
