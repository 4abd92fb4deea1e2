"""What was seen below STUN, each observation as one step: tunnels through proxies, TLS and DTLS, and the web."""

from rtcdiag.evidence import ProxyTunnel, TlsHandshake, TlsTrial, WebCheck
from rtcdiag.formats.tables.outcomes import ended
from rtcdiag.formats.words import Tone
from rtcdiag.targets import Transport

Told = tuple[str, str, str, str, Tone]
"""Label, lane, where, outcome, tone."""


def tunnel(item: ProxyTunnel) -> Told:
    """Return a proxy's answer to CONNECT as a step."""
    return ("Proxy tunnel", item.server, str(item.destination or item.proxy), *_tunnel(item))


def _tunnel(item: ProxyTunnel) -> tuple[str, Tone]:
    if item.status is None:
        return ended(item.failure, "no answer", f"at the {item.step}")
    asked = f", asks for {', '.join(item.schemes)}" if item.schemes else ""
    return f"status {item.status} for {item.target}{asked}", "ok" if item.opened else "bad"


def encrypted(item: TlsHandshake | TlsTrial) -> Told:
    """Return a handshake as a step."""
    if isinstance(item, TlsTrial):
        return (_TRIALS[item.trial], item.server, str(item.destination), *_trial(item))
    name = "DTLS" if item.transport is Transport.DTLS else "TLS"
    good = f"{item.version or name} {item.cipher or ''}".rstrip()
    return (f"{name} handshake", item.server, str(item.destination), *ended(item.failure, good, item.detail))


_TRIALS = {
    "alpn": "TLS with ALPN",
    "no-sni": "TLS without a name",
    "tls-1.2": "TLS 1.2",
    "old-versions": "TLS 1.0 and 1.1",
}


def _trial(item: TlsTrial) -> tuple[str, Tone]:
    """Return how a handshake ended of which nothing depends: that old versions fail is as it should be."""
    chosen = f", {item.alpn} chosen" if item.alpn else ""
    other = ", certificate of another name" if item.named is False else ""
    told, tone = ended(item.failure, f"{item.version or 'TLS'}{chosen}{other}", item.detail)
    return told, "muted" if item.failure else tone


def web(item: WebCheck) -> tuple[str, Tone]:
    """Return how a web check ended."""
    if item.status is None:
        return ended(item.failure, "no answer")
    leads = f", leads to {item.redirect_host or 'no host'}" if item.redirect_host is not None else ""
    content = f", {item.content} content" if item.status == 200 else ""
    return f"status {item.status}{content}{leads}", "ok" if item.right else "warn"
