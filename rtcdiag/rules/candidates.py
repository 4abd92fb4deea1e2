"""ICE candidates: servers that gave none, and computers that have none worth having."""

from collections.abc import Iterator, Mapping

from rtcdiag.address import Scope
from rtcdiag.evidence import Candidate, Evidence, Gathering, Target
from rtcdiag.findings import Finding, find
from rtcdiag.rules.paths import UNFINISHED, about, targets_of


def gathering(evidence: Evidence) -> Iterator[Finding]:
    """Find the servers from which the ICE agent got no candidate."""
    targets = targets_of(evidence)
    for item in evidence.of(Gathering):
        if item.server is None or item.failure in UNFINISHED:
            continue
        target = targets.get(item.server)
        if item.failure is not None or (item.candidates == 0 and not _told_there_is_no_nat(target, item)):
            why = item.failure.value if item.failure else "no candidate came"
            yield about(target, item.server, "gathering-failed", item, why=why)


def _told_there_is_no_nat(target: Target | None, item: Gathering) -> bool:
    """Whether a STUN server gave all that it has to give: this computer's own address. Of TURN, a relay is wanted."""
    return item.redundant > 0 and target is not None and target.protocol == "stun"


def host_candidates(evidence: Evidence) -> Iterator[Finding]:
    """Find computers whose own addresses are all of a VPN, a container bridge, or link-local."""
    hosts = evidence.of(Candidate, lambda item: item.type == "host")
    roles = {interface.name: interface.role for interface in evidence.environment.interfaces}
    if hosts and all(_is_virtual(item, roles) for item in hosts):
        names = sorted({item.interface or "unknown" for item in hosts})
        yield find("host-candidates-virtual-only", *(item.id for item in hosts), interfaces=names)


def _is_virtual(item: Candidate, roles: Mapping[str, str]) -> bool:
    away = item.address.scope in (Scope.LOOPBACK, Scope.LINK_LOCAL)
    return away or roles.get(item.interface or "") in ("vpn", "container", "loopback")
