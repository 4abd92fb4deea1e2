"""A session with a browser, opened: its page is served until the channel is closed."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from rtcdiag.browser.channel import BrowserChannel
from rtcdiag.browser.data import Certificate
from rtcdiag.browser.served import Page, serving
from rtcdiag.browser.talk import Talk
from rtcdiag.browser.trial import Trial
from rtcdiag.connect.servers import MOST_RELAYS, MOST_STUN
from rtcdiag.targets import Server, Transport


class Opened(NamedTuple):
    """What the command line needs of it."""

    url: str
    """Where the page is, on this computer only."""
    channel: BrowserChannel
    trial: Trial
    tell: Callable[[str], None]
    """Shows a line of progress on the page."""


async def open_browser(servers: tuple[Server, ...], *, relay_only: bool, now_ms: Callable[[], float]) -> Opened:
    """Serve the page; raise ServeError where loopback cannot be listened on."""
    given = ice_servers(servers)
    talk = Talk(tuple(uri for one in given for uri in one["urls"]), relay_only=relay_only)
    certificate = Certificate()
    page = Page(talk, {"iceServers": given, "policy": "relay" if relay_only else "all"})
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(page))
        channel = BrowserChannel(talk, certificate.fingerprint, stack.pop_all().aclose)
    return Opened(url, channel, Trial(talk, certificate, now_ms), lambda words: talk.tell("progress", {"words": words}))


def ice_servers(servers: tuple[Server, ...]) -> list[dict[str, Any]]:
    """Return the servers as RTCIceServer objects, those that browsers take, as many of a kind as this program asks."""
    stun = [server for server in servers if server.protocol == "stun" and server.transport is Transport.UDP]
    turn = [server for server in servers if server.credential is not None and server.transport is not Transport.DTLS]
    relays = [server for server in turn if server.protocol == "turn"]
    return [*_different(stun)[:MOST_STUN], *_different(relays)[:MOST_RELAYS]]


def _different(servers: list[Server]) -> list[dict[str, Any]]:
    return list({one["urls"][0]: one for one in map(_ice_server, servers)}.values())


def _ice_server(server: Server) -> dict[str, Any]:
    host = f"[{server.host}]" if ":" in server.host else server.host
    if server.protocol == "stun" or server.credential is None:
        return {"urls": [f"stun:{host}:{server.port}"]}
    scheme = "turns" if server.transport is Transport.TLS else "turn"
    over = "udp" if server.transport is Transport.UDP else "tcp"
    uri = f"{scheme}:{host}:{server.port}?transport={over}"
    return {"urls": [uri], "username": server.credential.username, "credential": server.credential.password}
