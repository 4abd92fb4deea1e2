"""``rtcdiag serve stun``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from rtcdiag.cli.commands import command_app

if TYPE_CHECKING:
    from rtcdiag.address import IPAddress
    from rtcdiag.server.config import ServerConfig
    from rtcdiag.server.serving import ServingInfo


class Serving(NamedTuple):
    """The options of the embedded server."""

    listen: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="127.0.0.1 and 127.0.0.2 unless set; two make RFC 5780 possible."),
    ] = None
    port: Annotated[int, typer.Option(metavar="PORT", help="0 lets the system choose.")] = 3478
    alternate_port: Annotated[
        int | None, typer.Option(metavar="PORT", help="The second port of RFC 5780: the next one unless set.")
    ] = None
    turn_users: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Relay for these users: lines of user:password.")
    ] = None
    secret_file: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Relay for time-limited passwords made from this secret.")
    ] = None
    realm: Annotated[str, typer.Option(metavar="NAME", help="The realm of TURN's users.")] = "rtcdiag"
    sha256: Annotated[
        bool, typer.Option("--sha256", help="Offer SHA-256 for passwords too (RFC 8489), to try clients.")
    ] = False
    allow_loopback_peers: Annotated[
        bool, typer.Option("--allow-loopback-peers", help="Relay to this computer itself, for demonstrations.")
    ] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False


def stun(*, options: Serving) -> int:
    """Run a STUN server (UDP and TCP, RFC 5780) and a TURN relay, for development. In production, use coturn.

    Prints the URIs that it serves, one a line, once it does. Without users it does not relay and binds loopback
    addresses only.
    """
    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.server.config import ConfigError

    try:
        return _serve(_config(options), quiet=options.quiet)
    except ConfigError as error:
        raise BadInputError(str(error)) from None


def _config(options: Serving) -> "ServerConfig":
    from rtcdiag.cli.secrets import secret_of
    from rtcdiag.server.config import DEFAULT_LISTEN, ServerConfig, SharedSecret, read_users

    return ServerConfig(
        listen=tuple(_address(text) for text in options.listen) if options.listen else DEFAULT_LISTEN,
        port=options.port,
        alternate_port=options.alternate_port,
        users=read_users(options.turn_users) if options.turn_users else (),
        secret=SharedSecret(secret_of(options.secret_file, "--secret-file")) if options.secret_file else None,
        realm=options.realm,
        sha256=options.sha256,
        allow_loopback_peers=options.allow_loopback_peers,
    )


def _address(text: str) -> "IPAddress":
    from ipaddress import ip_address

    from rtcdiag.cli.entry import BadInputError

    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        raise BadInputError(f"--listen {text}: not an IP address (write 127.0.0.1 or ::1)") from None


def _serve(config: "ServerConfig", *, quiet: bool) -> int:
    """Serve until a signal comes; return its exit code."""
    import asyncio

    from rtcdiag.cli.signals import served_until_signal
    from rtcdiag.server.serving import serve

    return asyncio.run(served_until_signal(serve(config, lambda info: None if quiet else _announce(info))))


def _announce(info: "ServingInfo") -> None:
    from rtcdiag.cli.streams import emit, say

    emit("".join(f"{uri}\n" for uri in (info.stun_uri, *info.turn_uris)))
    for note in info.notes:
        say(note)


app = command_app(stun)
