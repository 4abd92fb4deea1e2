"""``rtcdiag serve signal``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from rtcdiag.cli.commands import command_app

if TYPE_CHECKING:
    from rtcdiag.rendezvous.serving import SignalConfig


class Signal(NamedTuple):
    """The options of the rendezvous."""

    bind: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1"
    port: Annotated[int, typer.Option(metavar="PORT", help="0 lets the system choose.")] = 3480
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="How people reach it, where that is not the address: https://rtc.example.com"),
    ] = None
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Speak HTTPS with this certificate chain (PEM).")
    ] = None
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key, where in another file.")] = None
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Believe this proxy's X-Forwarded-For; may be repeated."),
    ] = None
    max_rooms: Annotated[int, typer.Option(metavar="NUMBER", help="Hold so many rooms at once.")] = 10_000
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False


def signal(*, options: Signal) -> int:
    """Run the rendezvous of rtcdiag connect: it carries two people's messages, which it cannot read, for ten minutes.

    Prints its URL once it serves. It listens on this computer only unless --bind says otherwise; it needs the extra:
    pip install '.[serve]' in a checkout of rtcdiag.
    """
    import asyncio

    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.signals import served_until_signal
    from rtcdiag.cli.streams import emit

    _need_extra()
    from rtcdiag.rendezvous.listener import ServeError
    from rtcdiag.rendezvous.serving import serve

    config = _config(options)

    def announce(url: str) -> None:
        if not options.quiet:
            emit(f"{url}\n")
            _warn(config)

    try:
        return asyncio.run(served_until_signal(serve(config, announce)))
    except ServeError as error:
        raise BadInputError(str(error)) from None


def _need_extra() -> None:
    from importlib.util import find_spec

    from rtcdiag.cli.entry import BadInputError

    if any(find_spec(name) is None for name in ("httptools", "starlette", "uvicorn")):
        raise BadInputError("rtcdiag serve signal needs an extra: pip install '.[serve]' in a checkout of rtcdiag")


def _config(options: Signal) -> "SignalConfig":
    from ipaddress import ip_address

    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.rendezvous.limits import Limits
    from rtcdiag.rendezvous.serving import SignalConfig

    if options.tls_key is not None and options.tls_cert is None:
        raise BadInputError("--tls-key needs --tls-cert beside it")
    if not 1 <= options.max_rooms <= 1_000_000:
        raise BadInputError(f"--max-rooms {options.max_rooms}: from 1 to 1000000")
    try:
        bind = ip_address(options.bind.strip("[]"))
        proxies = tuple(str(ip_address(text)) for text in options.trusted_proxy or ())
    except ValueError as error:
        raise BadInputError(f"--bind and --trusted-proxy take IP addresses: {error}") from None
    return SignalConfig(
        bind=bind,
        port=options.port,
        public_url=_public_url(options.public_url),
        certificate=options.tls_cert,
        key=options.tls_key,
        trusted_proxies=proxies,
        limits=Limits(rooms=options.max_rooms),
    )


def _public_url(text: str | None) -> str | None:
    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.signaling.invitation import InvitationError, parse_rendezvous

    if text is None:
        return None
    try:
        return parse_rendezvous(text).url
    except InvitationError as error:
        raise BadInputError(f"--public-url: {error}") from None


def _warn(config: "SignalConfig") -> None:
    from rtcdiag.cli.streams import say

    if config.bind.is_loopback or config.certificate or (config.public_url or "").startswith("https:"):
        return
    say(
        "Without TLS, who is on the way sees who meets whom and when, though not what they say. "
        "Give --tls-cert, or put it behind an HTTPS proxy."
    )


app = command_app(signal)
