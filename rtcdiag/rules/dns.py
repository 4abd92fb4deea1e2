"""Names: whether they resolve, and to something that can be a server."""

from collections.abc import Iterator
from ipaddress import ip_address

from rtcdiag.address import Scope, scope_of
from rtcdiag.contacts import NAT64_NAME
from rtcdiag.evidence import Evidence, Failure, Resolution, Target
from rtcdiag.findings import Facts, Finding
from rtcdiag.rules.paths import about

_USELESS = (Scope.UNSPECIFIED, Scope.MULTICAST, Scope.RESERVED)
_LOCAL = (Scope.PRIVATE, Scope.SHARED, Scope.LINK_LOCAL, Scope.LOOPBACK)
LOCAL_SUFFIXES = ("local", "localhost", "lan", "internal", "test", "arpa")
"""Of names that are used inside networks only."""
_SLOW_MS = 1000.0
UNANSWERED = (Failure.DNS_FAILURE, Failure.DNS_TIMEOUT)
"""The resolver gave no answer, neither yes nor no."""


def names(evidence: Evidence) -> Iterator[Finding]:
    """Judge every server's name by its look-ups in both families."""
    for target in evidence.of(Target, lambda item: item.via is None):
        seen = evidence.of(Resolution, lambda item, host=target.host: item.host == host)  # type: ignore[misc]  # the default
        if seen and not any(item.addresses for item in seen):
            yield from _unresolved(evidence, target, seen)
        elif seen:
            yield from _resolved(target, seen)


def _unresolved(evidence: Evidence, target: Target, seen: tuple[Resolution, ...]) -> Iterator[Finding]:
    failures = {item.failure for item in seen}
    if failures & set(UNANSWERED):
        yield about(target, target.server, "dns-lookup-failed", *seen, host=target.host)
    elif Failure.DNS_NOT_FOUND in failures:
        denied = evidence.of(Resolution, lambda item: (item.host, item.failure) == (NAT64_NAME, Failure.DNS_NOT_FOUND))
        source = f"a name server that denies {NAT64_NAME} too, which exists" if denied else "DNS"
        yield about(target, target.server, "dns-name-not-found", *seen, *denied, host=target.host, source=source)
    elif Failure.DNS_NO_ADDRESS in failures:
        yield about(target, target.server, "dns-no-address", *seen, host=target.host)


def _resolved(target: Target, seen: tuple[Resolution, ...]) -> Iterator[Finding]:
    for item in seen:
        if item.failure in UNANSWERED:
            facts: Facts = {"host": target.host, "family": item.family.value}
            yield about(target, target.server, "dns-one-family-fails", item, **facts)
        yield from _addresses(target, item)
    slowest = max(seen, key=lambda item: item.duration_ms or 0.0)
    if (slowest.duration_ms or 0.0) > _SLOW_MS:
        ms = round(slowest.duration_ms or 0.0)
        yield about(target, target.server, "dns-slow", slowest, host=target.host, duration_ms=ms)


def _addresses(target: Target, item: Resolution) -> Iterator[Finding]:
    for address in item.addresses:
        scope = _scope(address)
        facts: Facts = {"host": target.host, "resolved": address, "scope": scope.value if scope else "unknown"}
        if scope in _USELESS:
            yield about(target, target.server, "dns-useless-address", item, **facts)
        elif scope in _LOCAL and not _is_local_name(target.host):
            yield about(target, target.server, "dns-private-address", item, **facts)


def _scope(address: str) -> Scope | None:
    try:
        return scope_of(ip_address(address))
    except ValueError:
        return None


def _is_local_name(host: str) -> bool:
    return "." not in host or host.rstrip(".").rpartition(".")[2].lower() in LOCAL_SUFFIXES
