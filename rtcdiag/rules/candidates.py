"""ICE candidates: servers that gave none, and computers that have none worth having."""

from collections.abc import Iterator, Mapping

from rtcdiag.address import Scope
from rtcdiag.evidence import Candidate, Evidence, Gathering, Target
from rtcdiag.findings import Finding, find
from rtcdiag.rules.paths import UNFINISHED, about, targets_of


def gathering(evidence: Evidence) -> Iterator[Finding]:
    """Find the servers from which the ICE agent got no candidate."""
    targets = targets_of(evidence)
    relaying = {item.server for item in evidence.of(Candidate) if item.type == "relay"}
    for item in evidence.of(Gathering):
        if item.server is None or item.failure in UNFINISHED:
            continue
        target = targets.get(item.server)
        missing = _missing(item, target, relays=item.server in relaying)
        if missing is not None:
            why = item.failure.value if item.failure else f"no {missing} candidate came"
            yield about(target, item.server, "gathering-failed", item, missing=missing, why=why)


def _missing(item: Gathering, target: Target | None, *, relays: bool) -> str | None:
    """Name the kind of candidate that a server owes and did not give, None where it gave all."""
    if item.failure is not None and not item.candidates + item.redundant:
        return "ICE"
    if item.candidates == 0:
        return None if _told_there_is_no_nat(target, item) else "ICE"
    return "relay" if target is not None and target.protocol == "turn" and not relays else None


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
