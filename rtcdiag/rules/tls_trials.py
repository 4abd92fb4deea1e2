"""What other handshakes beside the one that counts tell: clients that greet differently may not get in."""

from collections.abc import Iterator

from rtcdiag.evidence import Evidence, Failure, TlsHandshake, TlsTrial, Trial
from rtcdiag.findings import Finding
from rtcdiag.rules.paths import Path, asked_paths, clip

_REFUSED = (
    Failure.TLS_HANDSHAKE,
    Failure.TLS_NOT_SPOKEN,
    Failure.TLS_PROTOCOL_VERSION,
    Failure.CONNECTION_CLOSED,
    Failure.CONNECTION_RESET,
    Failure.TIMEOUT,
)


def trials(evidence: Evidence) -> Iterator[Finding]:
    """Compare with the handshake that succeeded; browsers send a name, no ALPN, and speak TLS 1.2 and 1.3."""
    for path in asked_paths(evidence):
        tried = {item.trial: item for item in path.of(TlsTrial)}
        good = next((item for item in path.of(TlsHandshake) if item.failure is None), None)
        # One more handshake has to get through beside those that do not, or it is connections that are limited.
        if good is not None and any(item.failure is None for item in tried.values()):
            yield from _alpn(path, tried)
            yield from _without_name(path, tried)
            yield from _versions(path, good, tried)


_Tried = dict[Trial, TlsTrial]


def _alpn(path: Path, tried: _Tried) -> Iterator[Finding]:
    item = tried.get("alpn")
    if item is not None and item.failure in _REFUSED:
        yield path.find("tls-alpn-refused", item, outcome=_outcome(item))


def _without_name(path: Path, tried: _Tried) -> Iterator[Finding]:
    item = tried.get("no-sni")
    if item is None:
        return
    if item.failure in _REFUSED:
        yield path.find("tls-needs-server-name", item, outcome=f"the handshake fails ({_outcome(item)})")
    elif item.failure is None and item.named is False:
        names = clip(", ".join(item.certificate.names[:3])) if item.certificate else ""
        yield path.find("tls-needs-server-name", item, outcome=f"it shows a certificate for {names or 'no name'}")


def _versions(path: Path, good: TlsHandshake, tried: _Tried) -> Iterator[Finding]:
    item = tried.get("tls-1.2")
    if item is not None and item.failure in _REFUSED and good.version == "TLSv1.3":
        yield path.find("tls-1-2-missing", item)
    item = tried.get("old-versions")
    if item is not None and item.failure is None:
        yield path.find("tls-old-versions-accepted", item, version=item.version or "TLS 1.0 or 1.1")


def _outcome(item: TlsTrial) -> str:
    return clip(item.detail) or (item.failure.value if item.failure else "")
