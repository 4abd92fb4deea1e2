"""The network as a whole: no network, no names, no UDP, nothing at all, or nothing but this computer asked."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, scope_of
from rtcdiag.contacts import NAT64_NAME
from rtcdiag.evidence import Binding, Connect, Evidence, Failure, Observation, Resolution, Target, TurnStep, WebCheck
from rtcdiag.findings import Facts, Finding, Severity, find
from rtcdiag.rules.answers import Answers, answers, exchanges
from rtcdiag.rules.dns import UNANSWERED
from rtcdiag.rules.paths import UNFINISHED, asked_paths, relayed_data, targets_of
from rtcdiag.targets import VIA, Transport

_SWALLOWED = (Failure.TIMEOUT, Failure.HOST_UNREACHABLE, Failure.ADMIN_PROHIBITED)
_NO_ROUTE = (Failure.NETWORK_UNREACHABLE, Failure.HOST_UNREACHABLE, Failure.ADDRESS_UNAVAILABLE)
_ONLY_NAMES = "Hosts that were asked by their address answer, so only the names are missing."
_ALONE = "No host was asked by its address for comparison."
_ALSO_MUTE = "Hosts that were asked by their address did not answer either: perhaps nothing gets out of this network."
_LEAST = 2
"""So many addresses, and so many ports, have to be silent before UDP as such is to blame."""
_ONE_PORT = (
    "No other port was asked over UDP. This network may block all UDP or this port only, or the hosts that were asked "
    "may be closed for UDP; from here they look the same. Direct calls may or may not work."
)
_OTHER_PORTS = (
    "UDP to other ports is answered, so UDP as such is not blocked: this network, or a firewall of each server, closes "
    "this port. Direct calls may work; servers on this port are of no use."
)
_LEAST_DEFAULTS = 4
"""So many hosts of the default list, which belong to as many operators, are not down at once."""
_SHOWN = 20
"""So many observations are named as evidence of a finding about all of them."""


class _Attempt(msgspec.Struct, frozen=True):
    """One try to get an answer from beyond this computer; ``failure`` None means that something came back."""

    seen: Observation
    host: str
    address: TransportAddress
    transport: Transport
    failure: Failure | None
    reporter: str | None = None
    """Who said so, where an ICMP message did and the system told from whom it was."""


def network(evidence: Evidence) -> Iterator[Finding]:
    """Judge the network by all attempts together; at most one of the first four holds."""
    tried = tuple(_attempts(evidence))
    lost_names = _lost_names(evidence)
    if _something_came(tried):
        yield from _names(lost_names, _ONLY_NAMES)
        yield from _udp(evidence, tried)
    elif _no_network(evidence, tried, lost_names):
        ids = [item.seen.id for item in tried] + [item.id for item in lost_names]
        yield find("no-network", *ids[:_SHOWN], tried=len(ids))
    else:
        yield from _names(lost_names, _ALSO_MUTE if tried else _ALONE)
        yield from _nothing(tried)


def only_this_computer(evidence: Evidence) -> Iterator[Finding]:
    """Say so where every server that was asked is this computer itself: that tells nothing of the network outside."""
    asked = tuple(_asked(evidence))
    own = {address for interface in evidence.environment.interfaces for address in interface.addresses}
    outside = [target for target in evidence.of(Target) if _is_outside(target.host)]
    if not asked or any(_beyond(item.destination, own) for item in asked):
        return
    reached = {item.server for item in asked}
    if not any(target.server not in reached for target in outside):
        yield find("only-this-computer-asked", asked[0].id, servers=len(reached))


def _asked(evidence: Evidence) -> Iterator[Binding | TurnStep | Connect]:
    yield from evidence.of(Binding)
    yield from evidence.of(TurnStep)
    yield from evidence.of(Connect, lambda item: item.purpose == "server")


def _beyond(address: TransportAddress, own: set[str]) -> bool:
    return address.scope is not Scope.LOOPBACK and address.host not in own


def _is_outside(host: str) -> bool:
    try:
        ip: IPAddress = ip_address(host)
    except ValueError:
        return True
    return scope_of(ip) is not Scope.LOOPBACK


def _attempts(evidence: Evidence) -> Iterator[_Attempt]:
    hosts = {server: target.host for server, target in targets_of(evidence).items()}
    for transport, address, exchange, seen in exchanges(evidence):
        came = exchange.answers or exchange.stray_count
        if VIA in getattr(seen, "server", "") and not came:
            continue  # whom the silence belongs to, the proxy or what is behind it, is judged elsewhere
        if address.scope is not Scope.LOOPBACK and isinstance(seen, (Binding, TurnStep)):
            failure = None if came else _heard(evidence, address, exchange.failure)
            who = hosts.get(seen.server, seen.server)
            yield _Attempt(seen, who, address, transport, failure, exchange.refused_by)
    for item in evidence.of(Connect):
        if item.destination.scope is not Scope.LOOPBACK:
            host = hosts.get(item.server, item.server)
            failure = _heard(evidence, item.destination, item.failure)
            yield _Attempt(item, host, item.destination, Transport.TCP, failure)
    for check in evidence.of(WebCheck):
        failure = None if check.local is not None else _heard(evidence, check.destination, check.failure)
        yield _Attempt(check, check.url, check.destination, Transport.TCP, failure)


def _heard(evidence: Evidence, address: TransportAddress, failure: Failure | None) -> Failure | None:
    """Take "no route" for a router's word about something farther where this computer has a route."""
    here = has_route(evidence, address.family)
    return Failure.HOST_UNREACHABLE if here and failure is Failure.NETWORK_UNREACHABLE else failure


def has_route(evidence: Evidence, family: Family) -> bool:
    """Whether this computer has a route to the internet of that family."""
    return evidence.environment.ipv6 if family is Family.IPV6 else evidence.environment.ipv4


def _something_came(tried: tuple[_Attempt, ...]) -> bool:
    """Whether anything at all came from beyond this computer; a refusal is an answer of the network, too."""
    mute = (*_SWALLOWED, *_NO_ROUTE, Failure.PERMISSION_DENIED, *UNFINISHED)
    return any(item.failure not in mute for item in tried)


def _no_network(evidence: Evidence, tried: tuple[_Attempt, ...], lost_names: tuple[Resolution, ...]) -> bool:
    """Whether this computer has no way out: no route, or one without an address for it (link-local ones lead nowhere).

    With a route, "unreachable" is the word of a router about something farther.
    """
    no_route = not (evidence.environment.ipv4 or evidence.environment.ipv6)
    lost = (*_NO_ROUTE, *_SWALLOWED)
    return no_route and bool(tried or lost_names) and all(item.failure in lost for item in tried)


def _nothing(tried: tuple[_Attempt, ...]) -> Iterator[Finding]:
    """Say so where servers are silent by their address and nothing else answers; controls alone are no server."""
    mute = [item for item in tried if item.failure in _SWALLOWED]
    hosts = {item.host for item in mute}
    if len(hosts) > 1 and any(not _is_control(item.seen) for item in mute):
        yield find("no-answer-at-all", *(item.seen.id for item in mute[:_SHOWN]), hosts=len(hosts), said=_said(mute))


def _is_control(seen: Observation) -> bool:
    return isinstance(seen, WebCheck) or (isinstance(seen, Connect) and seen.purpose == "control")


def _said(lost: Iterable[_Attempt]) -> str:
    """Return the sentence on who refused or gave up on packets, to be appended; empty where nobody said a word."""
    lost = tuple(lost)
    for failure, words in _WORDS.items():
        by = _reporters(lost, failure)
        if by:
            return f" {', '.join(by[:_NAMED])} {words}."
    return ""


def _reporters(lost: Iterable[_Attempt], failure: Failure) -> list[str]:
    """Return who said so by ICMP of hosts other than itself, without repeats."""
    told = (item for item in lost if item.failure is failure and item.reporter != item.address.host)
    return list(dict.fromkeys(item.reporter for item in told if item.reporter))


_WORDS = {
    Failure.ADMIN_PROHIBITED: "said that it does not let these packets through: that is the firewall to open",
    Failure.HOST_UNREACHABLE: "said that it cannot reach them",
}
_NAMED = 3


def _lost_names(evidence: Evidence) -> tuple[Resolution, ...]:
    """Return the look-ups of the servers' names where all failed; empty where any name got an answer.

    A no is an answer, too, but not from a resolver that says the same of documented hosts: those exist. (That one of a
    closed network knows no ``ipv4only.arpa`` is no reason to doubt what it says of its own names.) That a control's
    name does not resolve hinders no call; that it does shows that names can be looked up.
    """
    every = evidence.of(Resolution)
    needed = {target.host for target in evidence.of(Target)} - _reached_by_proxy(evidence)
    named = {target.host for target in evidence.of(Target) if target.origin == "user"}
    documented = (item for item in every if item.host not in {*named, NAT64_NAME})
    denied = any(item.failure is Failure.DNS_NOT_FOUND for item in documented)
    told = not denied and any(item.host in named and item.failure not in UNANSWERED for item in every)
    answered = told or any(item.addresses for item in every)
    return () if answered else tuple(item for item in every if item.host in needed)


def _reached_by_proxy(evidence: Evidence) -> set[str]:
    """Return the hosts whose names a proxy looked up, so that nobody here has to."""
    return {path.target.host for path in asked_paths(evidence) if path.target and not path.is_direct and path.answered}


def _names(lost: tuple[Resolution, ...], beside: str) -> Iterator[Finding]:
    if lost:
        hosts = sorted({item.host for item in lost})
        how = "DNS gives no answer" if any(item.failure in UNANSWERED for item in lost) else "DNS knows none of them"
        yield find("dns-fails", *(item.id for item in lost[:_SHOWN]), names=hosts, how=how, beside=beside)


def _udp(evidence: Evidence, tried: tuple[_Attempt, ...]) -> Iterator[Finding]:
    seen = answers(evidence)
    lost = _lost(tried, seen)
    if any(item.transport is Transport.UDP and item.failure is None for item in tried):
        yield from _closed_port(evidence, lost, seen)
        return
    connected = [address for address in seen.stream if address.scope is not Scope.LOOPBACK]
    relays = [path for path in asked_paths(evidence) if path.transport is not Transport.UDP and _is_relay(path.target)]
    works = any(relayed_data(path) for path in relays)
    if not (connected or works) or len({item.address for item in lost}) < _LEAST:
        return
    ports = sorted({item.address.port for item in lost})
    facts = _extent(lost) | {"said": _said(lost)}
    ids = [item.seen.id for item in lost]
    if works and len({item.host for item in lost}) < _LEAST:
        return
    if len(ports) < _LEAST:
        severity = Severity.WARNING if works else None
        yield find("udp-port-silent", *ids, severity=severity, port=ports[0], beside=_ONE_PORT, **facts)
    elif works:
        yield find("udp-blocked-relay-works", *ids, **facts)
    else:
        by = "".join(f" by {name}" for name in _reporters(lost, Failure.ADMIN_PROHIBITED)[:1])
        yield find("udp-blocked", *ids, **facts, ports=ports, relays_tried=len(relays), by=by)


def _extent(lost: list[_Attempt]) -> Facts:
    return {"destinations": len({item.address for item in lost}), "hosts": len({item.host for item in lost})}


def _closed_port(evidence: Evidence, lost: list[_Attempt], seen: Answers) -> Iterator[Finding]:
    """Tell one port that nobody answers on from servers that are down: their hosts answer over TCP, or are many."""
    up = {address.ip for address in seen.stream}
    defaults = {target.host for target in evidence.of(Target) if target.origin == "default"}
    for port in sorted({item.address.port for item in lost} - {address.port for address in seen.udp}):
        there = [item for item in lost if item.address.port == port]
        many = len({item.host for item in there} & defaults) >= _LEAST_DEFAULTS
        here = there if many else [item for item in there if item.address.ip in up]
        facts = _extent(here)
        if min(facts.values()) >= _LEAST:
            ids, said = [item.seen.id for item in here], _said(here)
            yield find("udp-port-silent", *ids, port=port, beside=_OTHER_PORTS, said=said, **facts)


def _is_relay(target: Target | None) -> bool:
    return target is not None and target.protocol == "turn"


def _lost(tried: tuple[_Attempt, ...], seen: Answers) -> list[_Attempt]:
    """Return the UDP attempts that were swallowed; refusals count where many hosts refuse, yet answer over TCP."""
    udp = [item for item in tried if item.transport is Transport.UDP]
    silent = [item for item in udp if item.failure in _SWALLOWED]
    refused = [
        item for item in udp if item.failure is Failure.CONNECTION_REFUSED and item.address in seen.stream | seen.plain
    ]
    return silent + (refused if len({item.host for item in refused}) > 1 else [])
