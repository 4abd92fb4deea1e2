"""``rtcdiag serve exporter``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.health_options import CHECKS, HealthServers, part_of
from rtcdiag.cli.options import Network

if TYPE_CHECKING:
    from rtcdiag.config import HealthConfig
    from rtcdiag.fleet import Settings
    from rtcdiag.rendezvous.listener import Place

    ExporterNetwork = Network
else:
    ExporterNetwork = part_of(Network, "timeout", "ipv4", "ipv6", "interface")

_MOST_OFFSET_S = 10.0
_MOST_SCRAPES = 10_000


class Listening(NamedTuple):
    """Where the exporter listens, and how much it does at once."""

    bind: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1"
    port: Annotated[int, typer.Option(metavar="PORT", help="0 lets the system choose.")] = 9481
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Speak HTTPS with this certificate chain (PEM).")
    ] = None
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key, where in another file.")] = None
    timeout_offset: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Answer so much sooner than Prometheus' scrape time-out."),
    ] = 0.5
    max_scrapes: Annotated[int, typer.Option(metavar="NUMBER", help="Refuse more scrapes at once than these.")] = 100
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIGURE=WARNING[,CRITICAL]",
            help="From where on a figure is a warning, and from where on an error; may be repeated.",
            rich_help_panel=CHECKS,
        ),
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False


def exporter(
    config: Annotated[
        str,
        typer.Argument(metavar="CONFIG", help="What rtcdiag health takes: a file, or -."),
    ],
    *,
    options: Listening,
    servers: HealthServers,
    network: ExporterNetwork,
) -> int:
    """Serve Prometheus: each scrape of /probe?target=NAME&module=relay checks one target of the configuration.

    Prints its URL once it serves. It listens on this computer only unless --bind says otherwise; it needs the extra:
    pip install '.[serve]' in a checkout of rtcdiag.
    """
    import asyncio

    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.signals import served_until_signal
    from rtcdiag.cli.streams import emit

    _need_extra()
    settings, health = _settings(options, servers, network), _health(config, servers)
    from rtcdiag.exporter.serving import ExporterConfig, serve
    from rtcdiag.rendezvous.listener import ServeError

    asked = ExporterConfig(
        place=_place(options),
        health=health,
        again=lambda: _health_again(config, servers),
        say=lambda line, worked: _said(line, worked=worked, quiet=options.quiet),
        settings=settings,
        offset_s=options.timeout_offset,
        most_scrapes=options.max_scrapes,
    )

    def announce(url: str) -> None:
        if not options.quiet:
            emit(f"{url}\n")

    try:
        return asyncio.run(served_until_signal(serve(asked, announce)))
    except ServeError as error:
        raise BadInputError(str(error)) from None


def _need_extra() -> None:
    from importlib.util import find_spec

    from rtcdiag.cli.entry import BadInputError

    if any(find_spec(name) is None for name in ("httptools", "prometheus_client", "starlette", "uvicorn")):
        raise BadInputError("rtcdiag serve exporter needs an extra: pip install '.[serve]' in a checkout of rtcdiag")


def _place(options: Listening) -> "Place":
    from ipaddress import ip_address

    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.rendezvous.listener import Place

    if options.tls_key is not None and options.tls_cert is None:
        raise BadInputError("--tls-key needs --tls-cert beside it")
    try:
        bind = ip_address(options.bind.strip("[]"))
    except ValueError as error:
        raise BadInputError(f"--bind takes an IP address: {error}") from None
    return Place(bind, options.port, options.tls_cert, options.tls_key)


def _settings(options: Listening, servers: HealthServers, network: "ExporterNetwork") -> "Settings":
    from msgspec.structs import replace

    from rtcdiag.cli.asking import Question
    from rtcdiag.cli.checking import run_options
    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.health_options import thresholds
    from rtcdiag.cli.options import Output, Servers
    from rtcdiag.fleet import Settings

    if not 0 <= options.timeout_offset <= _MOST_OFFSET_S:
        raise BadInputError(f"--timeout-offset {options.timeout_offset:g}: not from 0 to {_MOST_OFFSET_S:g}")
    if not 1 <= options.max_scrapes <= _MOST_SCRAPES:
        raise BadInputError(f"--max-scrapes {options.max_scrapes}: not from 1 to {_MOST_SCRAPES}")
    asked = Question("health", Output(), Servers(**servers._asdict()), Network(**network._asdict()))
    return Settings(
        options=replace(run_options(asked), control=False, gateway=False, proxy=None),
        thresholds=thresholds(options.threshold),
        keep_evidence=False,
    )


def _health(config: str, servers: HealthServers) -> "HealthConfig":
    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.health_config import source_of
    from rtcdiag.cli.options import Servers
    from rtcdiag.services import is_url

    if is_url(config):
        raise BadInputError("the exporter takes a file and no URL: the credentials of a service's answer expire")
    found = source_of(config, None, Servers(**servers._asdict())).config
    assert found is not None, "only a URL has none yet"
    return found


def _health_again(config: str, servers: HealthServers) -> "HealthConfig":
    """Read the configuration of a program that serves already: it asks nobody, and raises ConfigError."""
    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.files import STDIN
    from rtcdiag.config import ConfigError

    if STDIN in (config, servers.password_file, servers.secret_file):
        raise ConfigError("standard input cannot be read again")
    try:
        return _health(config, servers._replace(no_input=True))
    except BadInputError as error:
        raise ConfigError(str(error)) from None


def _said(line: str, *, worked: bool, quiet: bool) -> None:
    from rtcdiag.cli.streams import say

    if not (worked and quiet):
        say(f"rtcdiag: {line}")


app = command_app(exporter)
