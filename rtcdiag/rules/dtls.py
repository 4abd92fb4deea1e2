"""TURN over DTLS: no browser speaks it, but other clients may, where it works."""

from collections.abc import Iterator

from rtcdiag.evidence import Evidence, Failure, RelayedData, Target, TlsHandshake
from rtcdiag.findings import Facts, Finding, Severity
from rtcdiag.rules.paths import about
from rtcdiag.targets import Transport

_RELAYED = "Clients that do speak it can use the server: data was relayed over DTLS"


def over_dtls(evidence: Evidence) -> Iterator[Finding]:
    """Find the entries that ask for it, and say what was seen of it here: it owns what fails on its way."""
    for target in evidence.of(Target, lambda item: item.transport is Transport.DTLS and item.via is None):
        yield _entry(evidence, target)


def _entry(evidence: Evidence, target: Target) -> Finding:
    tried = evidence.of(TlsHandshake, lambda item: item.server == target.server)
    relayed = evidence.of(RelayedData, lambda item: item.server == target.server and item.received > 0)
    severity = Severity.WARNING if relayed else None
    corrected = f"{target.server.partition('?')[0]}?transport=tcp"
    facts: Facts = {"corrected": corrected, "tested": _RELAYED if relayed else _shaken(tried)}
    return about(target, target.server, "turns-over-udp", target, *tried[:1], severity=severity, **facts)


def _shaken(tried: tuple[TlsHandshake, ...]) -> str:
    """Say what became of the handshakes, where no data was relayed."""
    if any(item.failure is None for item in tried):
        return "A DTLS handshake succeeded here, and then no data was relayed"
    failures = {item.failure for item in tried}
    if Failure.CONNECTION_REFUSED in failures:
        return "Here UDP to the port is refused: DTLS is turned off, or nothing listens"
    if Failure.TIMEOUT in failures:
        return "Here nothing answered a DTLS handshake: it is turned off, or UDP does not get there"
    words = ", ".join(sorted(str(failure).removeprefix("tls-").replace("-", " ") for failure in failures if failure))
    return f"A DTLS handshake failed here, too: {words}" if tried else "It was not tested"
