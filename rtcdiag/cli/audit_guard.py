"""Whom an audit refuses to ask: servers that somebody offers to the public, whoever says that they are his."""

from rtcdiag.cli.entry import BadInputError
from rtcdiag.contacts import STUN_SERVERS
from rtcdiag.targets import Server

_PROVIDERS = (
    "agora.io",
    "amazonaws.com",
    "anyfirewall.com",
    "cloudflare.com",
    "communication.microsoft.com",
    "expressturn.com",
    "freestun.net",
    "google.com",
    "jit.si",
    "livekit.cloud",
    "matrix.org",
    "metered.ca",
    "metered.live",
    "nextcloud.com",
    "opentok.com",
    "relay.metered.ca",
    "signal.org",
    "subspace.com",
    "tokbox.com",
    "twilio.com",
    "viagenie.ca",
    "xirsys.com",
)
"""Domains of well-known providers of TURN."""


def refuse_public(servers: tuple[Server, ...]) -> None:
    """Raise BadInputError for a server of a well-known provider."""
    listed = {contact.target.split(":")[1] for contact in STUN_SERVERS}
    for server in servers:
        host = server.host.rstrip(".")
        provider = next((name for name in _PROVIDERS if host == name or host.endswith(f".{name}")), None)
        if provider is not None or host in listed:
            raise BadInputError(
                f"{server.uri}: a server of {provider or host}, which offers it to the public, is not yours to audit"
            )
