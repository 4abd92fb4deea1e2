"""IPv6: what is translated, what gets through, and addresses that lead nowhere. Facts, but for a broken IPv6."""

from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

from rtcdiag.address import Family, Scope, TransportAddress, scope_of
from rtcdiag.evidence import Binding, Connect, Evidence, Failure
from rtcdiag.findings import Facts, Finding, find
from rtcdiag.nat import Nat, nat64_of
from rtcdiag.rules.answers import exchanges
from rtcdiag.rules.paths import targets_of
from rtcdiag.synthesis import CONTINUITY
from rtcdiag.targets import Transport

_CONTINUITY = ip_network(CONTINUITY)
_TUNNELS = {"Teredo": IPv6Network("2001::/32"), "6to4": IPv6Network("2002::/16")}
"""RFC 4380 section 2.6, RFC 3056 section 2."""
_SWALLOWED = (Failure.TIMEOUT, Failure.HOST_UNREACHABLE, Failure.NETWORK_UNREACHABLE)
_LEAST = 2
"""So many hosts have to be silent over IPv6 before the network is to blame."""
_SHOWN = 20
_SENT_AS_IPV6 = "what left here as IPv6 arrived as IPv4"


def translations(evidence: Evidence, family: Family, nat: Nat | None) -> Iterator[Finding]:
    """Name what translates IPv6: on the way to IPv4, or to other IPv6 addresses; ``nat`` is the family's."""
    if family is Family.IPV4:
        yield from _to_ipv4(evidence, nat)
    elif nat is not None and nat.behind_nat and not nat.local_only:
        yield _on_ipv6(evidence, nat)


def _to_ipv4(evidence: Evidence, nat: Nat | None) -> Iterator[Finding]:
    """Name a NAT64, IPv4 on top of IPv6, and names that are made up beside an IPv4 that works."""
    nat64 = nat64_of(evidence)
    inside = _stands_in(evidence)
    prefixes = [str(prefix) for prefix in nat64.used or tuple(nat64.told)]
    looked_up = tuple(name for ids in nat64.told.values() for name in ids)
    if inside is not None:
        kind = "464XLAT" if nat64.told else "464XLAT or DS-Lite"
        yield find("no-native-ipv4", inside.id, *looked_up, address=inside.local and inside.local.host, how=kind)
    elif nat is not None and nat.nat64 and not nat.local_only:
        ids = nat.confidence["nat64"].evidence
        yield find("through-nat64", *ids[:_SHOWN], prefix=prefixes, mapped=[str(item) for item in nat.mapped[:5]])
    elif prefixes:
        seen = f"a translator is there: {_SENT_AS_IPV6}" if nat64.used else "whether a translator is there is not known"
        yield find("dns-synthesizes-ipv6", *looked_up, prefix=prefixes, seen=seen)


def _stands_in(evidence: Evidence) -> Binding | None:
    """Return a transaction that was sent from an IPv4 address which is made of IPv6 inside this computer."""
    return next(
        iter(evidence.of(Binding, lambda item: item.local is not None and item.local.ip in _CONTINUITY)),
        None,
    )


def _on_ipv6(evidence: Evidence, nat: Nat) -> Finding:
    local = next((item.local for item in evidence.of(Binding) if _is_ours(item, nat)), None)
    facts: Facts = {"kind": _KINDS[nat.prefix_translation], "local": local.host if local else "the address here"}
    return find("nat-on-ipv6", *nat.confidence["behind_nat"].evidence[:_SHOWN], mapped=_hosts(nat), **facts)


_KINDS = {
    True: "only the prefix is replaced (prefix translation, NPTv6)",
    False: "addresses or ports are replaced (NAT66)",
    None: "NAT66 or prefix translation",
}


def _is_ours(item: Binding, nat: Nat) -> bool:
    return item.id in nat.confidence["behind_nat"].evidence and item.local is not None


def _hosts(nat: Nat) -> list[str]:
    return list(dict.fromkeys(address.host for address in nat.mapped))[:5]


class _Try(msgspec.Struct, frozen=True):
    """One attempt to reach a server beyond this network over IPv6."""

    id: str
    host: str
    transport: Transport
    failure: Failure | None


def silent(evidence: Evidence) -> Iterator[Finding]:
    """Say that IPv6, or UDP over it, gets no answer from any host, where IPv4 gets some."""
    tried = tuple(_tries(evidence))
    over_udp = [item for item in tried if item.transport is Transport.UDP]
    lost = [item for item in over_udp if item.failure in _SWALLOWED]
    hosts = {item.host for item in lost}
    if len(lost) < len(over_udp) or len(hosts) < _LEAST or not _ipv4_answers(evidence):
        return
    facts: Facts = {"hosts": len(hosts), "family": "ipv6"}
    others = [item for item in tried if item.transport is not Transport.UDP]
    if any(item.failure is None for item in others):
        yield find("udp-blocked-over-ipv6", *(item.id for item in lost[:_SHOWN]), **facts)
    elif others and all(item.failure in _SWALLOWED for item in others):
        yield find("no-answer-over-ipv6", *(item.id for item in (*lost, *others)[:_SHOWN]), **facts)


def _tries(evidence: Evidence) -> Iterator[_Try]:
    hosts = {server: target.host for server, target in targets_of(evidence).items()}
    for transport, address, exchange, seen in exchanges(evidence):
        if _is_outside(address) and isinstance(seen, Binding) and transport is Transport.UDP:
            came = exchange.answers or exchange.stray_count
            yield _Try(seen.id, hosts.get(seen.server, seen.server), transport, None if came else exchange.failure)
    for item in evidence.of(Connect, lambda item: _is_outside(item.destination)):
        yield _Try(item.id, hosts.get(item.server, item.server), Transport.TCP, item.failure)


def _is_outside(address: TransportAddress) -> bool:
    return address.family is Family.IPV6 and address.scope is Scope.GLOBAL


def _ipv4_answers(evidence: Evidence) -> bool:
    return any(
        address.family is Family.IPV4 and address.scope is Scope.GLOBAL and exchange.answers
        for transport, address, exchange, _ in exchanges(evidence)
        if transport is Transport.UDP
    )


def addresses(evidence: Evidence) -> Iterator[Finding]:
    """Name IPv6 addresses of this computer that promise more than they hold, where the internet was asked about."""
    if not _asked_outside(evidence):
        return
    own = tuple(_own(evidence))
    for kind, network in _TUNNELS.items():
        found = [str(ip) for ip in own if ip in network]
        if found:
            yield find("tunneled-ipv6-address", kind=kind, addresses=found[:5])
    everywhere = [ip for ip in own if scope_of(ip) is Scope.GLOBAL and not _is_tunnel(ip)]
    here = [ip for ip in own if scope_of(ip) is Scope.PRIVATE]
    answered = any(_is_outside(address) and exchange.answers for _, address, exchange, _ in exchanges(evidence))
    if everywhere and not evidence.environment.ipv6:
        yield find("no-ipv6-route", addresses=[str(ip) for ip in everywhere[:5]])
    elif here and not everywhere and not answered:
        yield find("only-unique-local-ipv6", addresses=[str(ip) for ip in here[:5]])


def _asked_outside(evidence: Evidence) -> bool:
    asked = evidence.of(Binding, lambda item: item.purpose == "mapping" and item.destination.scope is Scope.GLOBAL)
    return bool(asked)


def _own(evidence: Evidence) -> Iterator[IPv6Address]:
    """Yield the IPv6 addresses of real interfaces; containers and VPNs have networks of their own."""
    for interface in evidence.environment.interfaces:
        if interface.role in ("loopback", "container", "vpn"):
            continue
        for text in interface.addresses:
            try:
                ip = ip_address(text)
            except ValueError:
                continue  # a report from elsewhere may hold anything
            if isinstance(ip, IPv6Address):
                yield ip


def _is_tunnel(ip: IPv6Address) -> bool:
    return any(ip in network for network in _TUNNELS.values())
