"""The relayed address, and the permission to send from it to a peer (RFC 8656 sections 7.2 and 9)."""

from collections.abc import Iterator

from rtcdiag.address import Family, Scope, TransportAddress
from rtcdiag.evidence import Allocation, AllocationTrial, Answer, Evidence, Permission, RelayedData, Resolution
from rtcdiag.findings import Facts, Finding, Severity
from rtcdiag.rules.paths import UNFINISHED, Path, asked_paths, clip, relayed_data

_REACH = {Scope.LOOPBACK: 0, Scope.LINK_LOCAL: 1, Scope.PRIVATE: 2, Scope.SHARED: 2, Scope.GLOBAL: 3}
"""From how far an address of this scope can be reached."""


def relayed_address(evidence: Evidence) -> Iterator[Finding]:
    """Judge whether peers can reach the relayed addresses that the server gave out."""
    for path in asked_paths(evidence):
        for item in path.of(Allocation):
            answer = item.exchange.answer
            if answer is not None and answer.success and answer.relayed is not None:
                yield from _relayed(path, item, answer.relayed, _server_address(evidence, path))
        yield from _trials(path)


def _trials(path: Path) -> Iterator[Finding]:
    """Name a relay over IPv4 where one over IPv6 was asked for beside the calls: pion's version 2 ignores the wish."""
    for item in path.of(AllocationTrial):
        answer = item.exchange.answer
        relayed = answer.relayed if answer is not None and answer.success else None
        if "ipv6" in item.wishes and relayed is not None and relayed.family is not Family.IPV6:
            # Not the code of a call's own relay, which explains away what fails behind it.
            yield path.find("turn-ipv6-relay-is-ipv4", item, relayed=str(relayed))


def _server_address(evidence: Evidence, path: Path) -> TransportAddress | None:
    """Return where the server is; behind a proxy, where its name leads from here, None where that is not known."""
    if path.is_direct or path.target is None:
        return path.address
    looked_up = evidence.of(Resolution, lambda item: path.target is not None and item.host == path.target.host)
    hosts = [path.target.host] if path.target.ip_literal else [ip for item in looked_up for ip in item.addresses]
    try:
        return TransportAddress(hosts[0], path.target.port) if hosts else None
    except ValueError:
        return None


def _relayed(
    path: Path, item: Allocation, relayed: TransportAddress, server: TransportAddress | None
) -> Iterator[Finding]:
    facts: Facts = {"relayed": str(relayed), "scope": relayed.scope.value, "family": relayed.family.value}
    if relayed.scope not in _REACH or relayed.port == 0:
        yield path.find("turn-relay-impossible-address", item, **facts)
    elif _REACH[relayed.scope] < (_REACH.get(server.scope, 0) if server else 0):
        yield path.find("turn-relay-private-address", item, **facts)
    elif relayed.family is not item.family:
        # Where data passes, the server does not know the wish, and the address is a good one of IPv4.
        severity = Severity.INFO if relayed_data(path) else None
        yield path.find("turn-relay-wrong-family", item, severity=severity, asked=item.family.value, **facts)
    elif server is not None and _is_elsewhere(server, relayed):
        yield path.find("turn-relay-other-address", item, **facts)


def _is_elsewhere(server: TransportAddress, relayed: TransportAddress) -> bool:
    both_global = server.scope is Scope.GLOBAL and relayed.scope is Scope.GLOBAL
    return both_global and server.family is relayed.family and server.ip != relayed.ip


def permission(evidence: Evidence) -> Iterator[Finding]:
    """Judge what the server said to each peer."""
    for path in asked_paths(evidence):
        relays = {item.exchange.answer.relayed.ip for item in path.of(Allocation) if _has_relay(item)}  # type: ignore[union-attr]  # _has_relay saw both
        for item in path.of(Permission):
            answer = item.exchange.answer
            if answer is None and item.exchange.failure not in (None, *UNFINISHED):
                yield path.find("turn-permission-silent", item, peer=str(item.peer), request=_request(item))
            elif answer is not None and not answer.success:
                yield _denied(path, item, answer, own=item.peer.ip in relays)
        yield from _only_local(path)


def _only_local(path: Path) -> Iterator[Finding]:
    """Say that nothing was proven where a server that shields its own network was asked from inside it."""
    denied = [item for item in path.of(Permission) if item.exchange.answer and _forbids(item, item.exchange.answer)]
    local = [item for item in denied if item.peer.scope is not Scope.GLOBAL]
    if local and not path.of(RelayedData) and len(local) == len(path.of(Permission)):
        yield path.find("turn-data-not-tested", *local, peer=str(local[0].peer))


def _has_relay(item: Allocation) -> bool:
    return item.exchange.answer is not None and item.exchange.answer.relayed is not None


def _request(item: Permission) -> str:
    return "CreatePermission" if item.channel is None else "ChannelBind"


def _forbids(item: Permission, answer: Answer) -> bool:
    """Whether it is the peer that is not wanted: pion's version 2 sends an error without ERROR-CODE for that."""
    return answer.error_code == 403 or (not answer.success and answer.error_code is None and item.channel is None)


def _denied(path: Path, item: Permission, answer: Answer, *, own: bool) -> Finding:
    code = "without a code" if answer.error_code is None else answer.error_code
    facts: Facts = {"peer": str(item.peer), "request": _request(item), "error_code": code}
    pion = item.channel is not None and answer.error_code == 401 and not answer.nonce
    if _forbids(item, answer) or pion:
        return path.find(_peer_code(path, item, own=own, pion=pion), item, **facts)
    if answer.error_code == 443:
        return path.find("turn-peer-family-mismatch", item, **facts)
    return path.find("turn-permission-rejected", item, reason=clip(answer.reason), **facts)


def _peer_code(path: Path, item: Permission, *, own: bool, pion: bool) -> str:
    if pion:
        return "turn-channel-denied"
    if item.peer.scope is not Scope.GLOBAL:
        return "turn-local-peer-denied"
    return "turn-own-address-denied" if own and _other_peer_allowed(path, item) else "turn-peer-denied"


def _other_peer_allowed(path: Path, denied: Permission) -> bool:
    return any(item.exchange.succeeded and item.peer.ip != denied.peer.ip for item in path.of(Permission))
