"""TLS: does the handshake succeed as a browser would verify it, and for how long still."""

from collections.abc import Iterator

from rtcdiag.evidence import Certificate, Evidence, Failure, TlsHandshake, TlsTrial
from rtcdiag.findings import Facts, Finding
from rtcdiag.rules.answers import Answers, answers
from rtcdiag.rules.paths import UNFINISHED, Path, asked_paths, clip
from rtcdiag.targets import Transport

_DAY_S = 86400.0
_SOON_DAYS = 21.0
_URGENT_DAYS = 7.0
_OLD_VERSIONS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1")
_NO_TLS = (Failure.TIMEOUT, Failure.CONNECTION_CLOSED, Failure.CONNECTION_RESET)
"""How a server fails that takes no part in a handshake."""
_CODES = {
    Failure.TLS_CERTIFICATE_EXPIRED: "tls-certificate-expired",
    Failure.TLS_CERTIFICATE_NOT_YET_VALID: "tls-certificate-not-yet-valid",
    Failure.TLS_HOSTNAME_MISMATCH: "tls-hostname-mismatch",
    Failure.TLS_CHAIN_INCOMPLETE: "tls-chain-incomplete",
    Failure.TLS_SELF_SIGNED: "tls-self-signed",
    Failure.TLS_UNKNOWN_AUTHORITY: "tls-unknown-authority",
    Failure.TLS_CERTIFICATE_WEAK: "tls-certificate-weak",
    Failure.TLS_CERTIFICATES_TOO_LARGE: "tls-certificates-too-large",
    Failure.TLS_CERTIFICATE_INVALID: "tls-certificate-invalid",
    Failure.TLS_PROTOCOL_VERSION: "tls-protocol-version",
    Failure.TLS_HANDSHAKE: "tls-handshake-refused",
    Failure.TLS_NOT_SPOKEN: "tls-on-plain-port",
    Failure.NOT_STUN_HTTP: "tls-on-plain-port",
    Failure.TIMEOUT: "tls-silent",
    Failure.CONNECTION_CLOSED: "tls-handshake-cut-off",
    Failure.CONNECTION_RESET: "tls-handshake-cut-off",
}


def handshake(evidence: Evidence) -> Iterator[Finding]:
    """Judge the handshakes of each path: why none succeeded, or what will break the one that did."""
    who = answers(evidence)
    for path in asked_paths(evidence):
        tried = path.of(TlsHandshake)
        good = [item for item in tried if item.failure is None]
        if good:
            yield from _version(path, good[0])
            yield from _expiry(path, good[0], evidence.started_at_s)
        elif tried:
            yield from _refused(path, tried[0], who, evidence.started_at_s)


def _refused(path: Path, item: TlsHandshake, who: Answers, now_s: float) -> Iterator[Finding]:
    failure = item.failure
    if failure is None or failure in UNFINISHED:
        return
    facts: Facts = {"detail": clip(item.detail) or failure.value, "host": _host(path, item)}
    if item.certificate is not None:
        facts |= _certificate(item.certificate, now_s)
    if path.transport is Transport.DTLS and item.certificate is None:
        yield _over_udp(path, item, answered=path.address in who.udp)
        return
    older = _older(path)
    if failure is Failure.TLS_PROTOCOL_VERSION or (older and failure in _NO_TLS):
        yield path.find("tls-protocol-version", item, offers=older, **facts)
    elif path.address in who.plain and failure in _NO_TLS:
        yield path.find("tls-on-plain-port", item, **facts)
    else:
        yield path.find(_CODES.get(failure, "tls-failed"), item, **facts)


def _over_udp(path: Path, item: TlsHandshake, *, answered: bool) -> Finding:
    """Tell what became of a handshake that came to no certificate: over UDP, silence has causes of its own."""
    if item.failure is Failure.CONNECTION_REFUSED:
        causes = "Nothing listens on the port, or a firewall on the way rejects the packets with this message"
        return path.find("server-udp-refused", item, stage="tls", causes=causes)
    if item.failure is not Failure.TIMEOUT:
        return path.find("dtls-handshake-failed", item, detail=clip(item.detail) or str(item.failure))
    control = "Plain STUN over UDP answers at the same port, so UDP gets there: DTLS is turned off"
    silent = "Nothing came back over UDP at all: DTLS may be turned off, the port closed, or UDP blocked on the way"
    return path.find("dtls-silent", item, beside=control if answered else silent)


def _older(path: Path) -> str:
    """Say what became of a handshake with old versions, where the server took part in it; "" where it did not."""
    for item in path.of(TlsTrial):
        if item.trial == "old-versions" and item.failure is None:
            return f"; asked for old versions, it agreed on {clip(item.version) or 'one'}"
        if item.trial == "old-versions" and item.failure is Failure.TLS_HANDSHAKE:
            return "; only to a greeting of TLS 1.1 it answered at all, and then it refused"
    return ""


def _host(path: Path, item: TlsHandshake) -> str:
    return item.server_name or (path.target.host if path.target else path.address.host)


def _certificate(certificate: Certificate, now_s: float) -> Facts:
    return {
        "names": [clip(name) for name in certificate.names[:5]],
        "issuer": clip(certificate.issuer),
        "days_left": _days(certificate.not_after - now_s),
        "days_until_valid": _days(certificate.not_before - now_s),
    }


def _days(seconds: float) -> int:
    """Return whole days; bounded, because the certificate of a hostile server may hold any time."""
    return int(max(-36500.0, min(36500.0, seconds / _DAY_S)))


def _version(path: Path, item: TlsHandshake) -> Iterator[Finding]:
    if item.version in _OLD_VERSIONS:
        yield path.find("tls-old-version", item, version=item.version)


def _expiry(path: Path, item: TlsHandshake, now_s: float) -> Iterator[Finding]:
    """Compare what is left with a third of the certificate's life: short-lived ones are renewed late on purpose."""
    certificate = item.certificate
    if certificate is None:
        return
    left = (certificate.not_after - now_s) / _DAY_S
    life = (certificate.not_after - certificate.not_before) / _DAY_S
    facts: Facts = {"days_left": _days(certificate.not_after - now_s), "host": _host(path, item)}
    if left < min(_URGENT_DAYS, life / 9):
        yield path.find("tls-certificate-expires-within-days", item, **facts)
    elif left < min(_SOON_DAYS, life / 3):
        yield path.find("tls-certificate-expires-soon", item, **facts)
