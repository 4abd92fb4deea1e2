"""What this network does to the web: a sign-in page in its place, names that all lead there, a proxy."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from rtcdiag.address import Scope, scope_of
from rtcdiag.evidence import Evidence, ProxyTunnel, Resolution, Target, WebCheck
from rtcdiag.findings import Finding, Severity, find
from rtcdiag.rules.answers import answers
from rtcdiag.rules.paths import asked_paths, relayed_data

_NETWORK_AUTHENTICATION_REQUIRED = 511
"""RFC 6585 section 6."""
_LOCAL = (Scope.PRIVATE, Scope.SHARED, Scope.LINK_LOCAL, Scope.LOOPBACK)
_SHOWN = 3


def captive_portal(evidence: Evidence) -> Iterator[Finding]:
    """Name a sign-in page where somebody else answers for documented hosts, and UDP is not answered at all.

    A host that does not answer, or with an error, proves nothing; one that gives its documented answer proves that
    there is no such page.
    """
    checks = evidence.of(WebCheck)
    wrong = [check for check in checks if _is_intercepted(check)]
    if not wrong or any(check.right for check in checks) or answers(evidence).udp_works:
        return
    hosts = list(dict.fromkeys(check.redirect_host for check in wrong if check.redirect_host))[:_SHOWN]
    how = f"leads to {', '.join(hosts)}" if hosts else "answers in its own words"
    # Where a relay carries data all the same, calls work before anybody has signed in.
    relay = any(relayed_data(path) for path in asked_paths(evidence))
    severity = Severity.WARNING if relay else None
    yield find("captive-portal", *(check.id for check in wrong), severity=severity, how=how, hosts=hosts)


def _is_intercepted(check: WebCheck) -> bool:
    """Whether somebody else answered: to sign in, a reader is led elsewhere, or shown another page.

    A redirect to the same host may be the operator's own, and an empty page a proxy's that knows no 204.
    """
    status = check.status or 0
    led_away = check.redirect_host not in (None, urlsplit(check.url).hostname)
    shown = status == 200 and check.content == "other"
    return shown or (300 <= status < 400 and led_away) or status == _NETWORK_AUTHENTICATION_REQUIRED


def all_names_alike(evidence: Evidence) -> Iterator[Finding]:
    """Say so where the names of unrelated public hosts all lead to one inner address: the name server made that up."""
    named = {target.host for target in evidence.of(Target) if target.origin == "user"}
    found = evidence.of(Resolution, lambda item: bool(item.addresses))
    owners = {_owner(item.host) for item in found}
    addresses = {address for item in found for address in item.addresses}
    if len(owners) < 2 or len(addresses) != 1 or all(item.host in named for item in found):
        return
    (address,) = addresses
    if _is_inner(address) and not answers(evidence).udp_works:
        names = list(dict.fromkeys(item.host for item in found))
        yield find("dns-all-names-alike", *(item.id for item in found), names=names, resolved=address)


def _owner(host: str) -> str:
    return ".".join(host.lower().rstrip(".").split(".")[-2:])


def _is_inner(address: str) -> bool:
    try:
        return scope_of(ip_address(address)) in _LOCAL
    except ValueError:
        return False


def proxy(evidence: Evidence) -> Iterator[Finding]:
    """Say which proxy settings were not used, where direct ways to servers fail."""
    proxies = list(evidence.environment.proxies)
    asked = any(target for target in evidence.of(Target))
    used = evidence.of(ProxyTunnel)
    if proxies and asked and not used and not answers(evidence).udp_works:
        yield find("proxy-not-used", variables=proxies)
