"""What is wrong with a server's entry before any packet: its URI and its credentials."""

from collections.abc import Iterator

from rtcdiag.evidence import Allocation, AuditScope, Evidence, Target, TlsHandshake
from rtcdiag.findings import Finding
from rtcdiag.rules.expiry import now_s
from rtcdiag.rules.paths import about, clip, server_of
from rtcdiag.targets import Transport

_DAY_S = 86400.0
_CALL_S = 600.0


def entry(evidence: Evidence) -> Iterator[Finding]:
    """Find URIs that parse and cannot work in a browser."""
    for target in evidence.of(Target, lambda item: item.via is None):
        if target.ignored_query is not None:
            query = clip(target.ignored_query)
            corrected = target.server.partition("?")[0]
            yield about(target, target.server, "uri-query-not-allowed", target, query=query, corrected=corrected)
        if target.transport is Transport.TLS and target.ip_literal:
            code = "tls-to-certified-ip-address" if _verified(evidence, target) else "tls-to-ip-address"
            yield about(target, target.server, code, target, host=target.host)


def _verified(evidence: Evidence, target: Target) -> bool:
    """Whether the certificate holds the address, rare as that is."""
    return any(item.server == target.server and item.failure is None for item in evidence.of(TlsHandshake))


def credentials(evidence: Evidence) -> Iterator[Finding]:
    """Judge the shape of the credentials: missing, static, too long or too short."""
    # Of an audited server a stranger's view was asked for, too.
    audited = {scope.server for scope in evidence.of(AuditScope)}
    for target in evidence.of(Target, lambda item: item.via is None):
        if target.protocol != "turn" or target.origin != "user":
            continue
        shape = target.credential
        if shape is None and target.server in audited:
            continue
        if shape is None:
            yield about(target, target.server, "turn-credentials-missing", target)
        elif shape.form == "static":
            yield about(target, target.server, "turn-credentials-static", target)
        elif shape.expires_at is not None:
            yield from _lifetime(evidence, target, shape.expires_at - now_s(evidence))


def _lifetime(evidence: Evidence, target: Target, left_s: float) -> Iterator[Finding]:
    granted = evidence.of(Allocation, lambda item: item.exchange.succeeded)
    accepted = any(server_of(item.server) == target.server for item in granted)
    if left_s > _DAY_S:
        hours = round(min(left_s, 1e9) / 3600)
        yield about(target, target.server, "turn-credentials-long-lived", target, hours=hours)
    elif 0 <= left_s < _CALL_S and accepted:
        yield about(target, target.server, "turn-credentials-expire-soon", target, minutes=int(left_s // 60))
