"""A browser on the other end: the page's address for the person, and what has to be there for it."""

from typing import TYPE_CHECKING

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.streams import say, tell

if TYPE_CHECKING:
    from rtcdiag.browser.opened import Opened
    from rtcdiag.cli.connecting import Session
    from rtcdiag.net import Net

_NEEDED = ("aiortc", "httptools", "starlette", "uvicorn")


class Browsing:
    """Chosen on the command line, instead of copied text or a rendezvous."""


def browsing(given: dict[str, object]) -> Browsing:
    """Return it; raise BadInputError beside an option that is for two people, or without what it needs."""
    beside = next((name for name, value in given.items() if value), None)
    if beside is not None:
        raise BadInputError(f"--browser: {beside} is for two people, and the other end is a page")
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in _NEEDED):
        raise BadInputError(
            "rtcdiag connect --browser needs an extra: pip install '.[browser]' in a checkout of rtcdiag"
        )
    return Browsing()


async def browse(net: "Net", session: "Session") -> "Opened":
    """Serve the page and say where; raise SignalingError where that cannot be."""
    from rtcdiag.browser.opened import open_browser
    from rtcdiag.rendezvous.listener import ServeError
    from rtcdiag.signaling import SignalingError

    try:
        opened = await open_browser(session.servers, relay_only=session.options.relay_only, now_ms=net.now_ms)
    except ServeError as error:
        raise SignalingError(f"the page cannot be served: {error}") from None
    # Shown with --quiet too: without it nobody comes.
    say("Open this page in a browser on this computer, and leave it in view:")
    say("")
    say(opened.url)
    say("")
    if not session.quiet:
        tell("No other computer reaches it. For a browser elsewhere, copy its offer as {type, sdp} JSON:")
        say("rtcdiag connect OFFER.json")
        say(f"Waiting up to {session.lasts_s / 60:g} minutes.")
    return opened
