"""What a report tells of one of two people: how it is reached in each family, and through which relays."""

from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, family_of, scope_of
from rtcdiag.evidence import Allocation, Binding, Environment, Target
from rtcdiag.nat import BEHAVIORS, Nat, OtherWay, possible_mappings
from rtcdiag.report import Report, ServerRow, evidence_of
from rtcdiag.targets import Transport
from rtcdiag.traversal import Endpoint, Reachable, endpoint_of
from rtcdiag.verdict import IPV6_BLOCKED, ONLY_AMONG_RELAYS, UDP_BLOCKED, relays

NO_UDP = "no UDP gets out"
_INSIDE = (Scope.PRIVATE, Scope.SHARED, Scope.GLOBAL)


class KnownRelay(msgspec.Struct, frozen=True, kw_only=True):
    """A TURN server as one side saw it, over one path."""

    uri: str
    transport: str
    family: Family
    """Of the relayed address."""
    usable: Reachable
    why: str = ""
    """Why it is not, or why that is not known; empty where data went through it."""


class InFamily(msgspec.Struct, frozen=True, kw_only=True):
    """One side in one address family."""

    endpoint: Endpoint
    absent: str = ""
    """Why there is no such family here; empty where there is, or where that is not known."""
    lacking: bool = False
    """Whether that is because its computer has no address of the family."""
    unknown: str = ""
    """Why next to nothing is known of it; empty where something is."""
    public: frozenset[IPAddress] = frozenset()
    """The mapped addresses, over whatever transport: as whom others see it."""
    local: frozenset[IPAddress] = frozenset()
    """Its own addresses that others may reach, on the way out."""
    hairpinning: bool | None = None
    behind_nat: bool | None = None
    carrier: bool = False
    """Whether more than a router of its own stands in front: a carrier's NAT, or a second one."""
    other_ways: tuple[OtherWay, ...] = ()


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two."""

    report: Report
    families: dict[Family, InFamily]
    relays: tuple[KnownRelay, ...]


def party_of(report: Report) -> Party:
    """Return what a report tells; it has been diagnosed with today's rules."""
    relays = tuple(_relays(report))
    return Party(
        report=report, families={family: _in_family(report, family, relays) for family in Family}, relays=relays
    )


def _in_family(report: Report, family: Family, relays: tuple[KnownRelay, ...]) -> InFamily:
    nat = report.nat.ipv4 if family is Family.IPV4 else report.nat.ipv6
    relay = _relay_in(family, relays)
    blocked = _blocked(report, family)
    if nat is None or not (nat.mapped or _has(report, family)):
        return _untested(report, family, relay, blocked=blocked)
    seen = {address.ip for address in nat.mapped} | set(_seen_over_tcp(report, family))
    endpoint = msgspec.structs.replace(endpoint_of(nat, udp_blocked=blocked), relay=relay)
    unknown = "" if blocked else _unknown(nat)
    if unknown:
        endpoint = Endpoint(poolings=("paired", "arbitrary"), udp=None, relay=relay)
    return InFamily(
        endpoint=endpoint,
        unknown=unknown,
        public=frozenset() if nat.local_only else frozenset(seen),
        local=frozenset(_local(report.environment, nat, family)),
        hairpinning=nat.hairpinning,
        behind_nat=nat.behind_nat,
        carrier=bool(nat.cgnat) or (nat.layers or 0) > 1,
        other_ways=tuple(way for way in nat.other_ways if way.mapped),
    )


def _seen_over_tcp(report: Report, family: Family) -> Iterator[IPAddress]:
    """Return as whom servers on the internet saw it over TCP and TLS, which is all where UDP is blocked."""
    evidence, _ = evidence_of(report)
    steps: tuple[Binding | Allocation, ...] = (*evidence.of(Binding), *evidence.of(Allocation))
    for step in steps:
        answer = step.exchange.answer
        seen = answer.reflexive if answer is not None and answer.success else None
        far = step.transport is not Transport.UDP and step.destination.scope is Scope.GLOBAL
        if far and seen is not None and seen.family is family:
            yield seen.ip


def _blocked(report: Report, family: Family) -> bool:
    codes = {finding.code for finding in report.findings}
    if family is Family.IPV6 and codes.intersection(IPV6_BLOCKED):
        return True
    return bool(codes.intersection(UDP_BLOCKED)) and _asked_over_udp(report, family)


def _asked_over_udp(report: Report, family: Family) -> bool:
    """Tell whether a proof that UDP is blocked can be about a family: one that nobody asked in was not tested."""
    if (report.nat.ipv4 if family is Family.IPV4 else report.nat.ipv6) is not None:
        return True
    evidence, _ = evidence_of(report)
    asked: tuple[Binding | Allocation, ...] = (*evidence.of(Binding), *evidence.of(Allocation))
    return any(item.transport is Transport.UDP and item.destination.family is family for item in asked)


def _untested(report: Report, family: Family, relay: bool | None, *, blocked: bool) -> InFamily:
    """Tell a family that a computer does not have from one that nobody looked at."""
    words = f"IPv{family.value[-1]}"
    if blocked or not _has(report, family):
        why = NO_UDP if blocked else f"it has no {words}"
        return InFamily(endpoint=Endpoint(udp=False, relay=relay), absent=why, lacking=not blocked)
    endpoint = Endpoint(poolings=("paired", "arbitrary"), udp=None, relay=relay)
    return InFamily(endpoint=endpoint, unknown=f"the NAT was not tested over {words}")


def _has(report: Report, family: Family) -> bool:
    """Tell whether the computer has routes of a family; one that is not described may have them."""
    environment = report.environment
    return not environment.os or (environment.ipv4 if family is Family.IPV4 else environment.ipv6)


def _unknown(nat: Nat) -> str:
    if nat.local_only:
        return "no server outside its network was asked"
    if not nat.mapped and possible_mappings(nat) == BEHAVIORS:
        return nat.undetermined.get("mapping") or "nothing is known of its NAT"
    return ""


def _local(environment: Environment, nat: Nat, family: Family) -> Iterator[IPAddress]:
    """Return the addresses on the interface by which the questions left."""
    texts = [nat.address] if nat.address else []
    texts += [text for item in environment.interfaces if item.name == nat.interface for text in item.addresses]
    for text in texts:
        try:
            ip = ip_address(text)
        except ValueError:
            continue
        if family_of(ip) is family and scope_of(ip) in _INSIDE:
            yield ip


def _relays(report: Report) -> Iterator[KnownRelay]:
    evidence, _ = evidence_of(report)
    relayed: dict[tuple[str, TransportAddress, str], TransportAddress] = {}
    for item in evidence.of(Allocation):
        answer = item.exchange.answer
        if answer is not None and answer.success and answer.relayed is not None:
            relayed[item.server, item.destination, item.transport.value] = answer.relayed
    tried = set()
    for row in report.servers:
        if any(stage.stage == "data" for stage in row.stages):
            address = relayed.get((row.uri, row.address, row.transport)) if row.address else None
            tried.add(row.uri)
            yield _relay(row, address)
    for target in evidence.of(Target, lambda item: item.protocol == "turn" and item.server not in tried):
        yield KnownRelay(
            uri=target.server,
            transport=target.transport.value,
            family=Family.IPV4,
            usable="unknown",
            why="data through it was not tested",
        )


def _relay(row: ServerRow, relayed: TransportAddress | None) -> KnownRelay:
    told = relayed or row.address
    family = told.family if told else Family.IPV4
    known = KnownRelay(uri=row.uri, transport=row.transport, family=family, usable=relays(row))
    if known.usable == "yes" and relayed is not None and relayed.scope is not Scope.GLOBAL:
        why = f"its relayed address is of {relayed.scope.value} scope: who reaches it is not known"
        return msgspec.structs.replace(known, usable="unknown", why=why)
    return known if known.usable == "yes" else msgspec.structs.replace(known, why=_why_unproven(row))


def _why_unproven(row: ServerRow) -> str:
    """Say why a relay is none, or why that is not known."""
    only = next((stage.finding for stage in row.stages if stage.finding in ONLY_AMONG_RELAYS), None)
    if only is not None:
        return f"only relays of the same server were seen to reach it ({only})"
    broken = next((stage for stage in row.stages if stage.status == "failed"), None)
    if broken is not None:
        return f"it failed at {broken.stage}" + (f" ({broken.finding})" if broken.finding else "")
    return "data through it was not tested"


def _relay_in(family: Family, relays: tuple[KnownRelay, ...]) -> bool | None:
    """Tell whether there is a relay of a family.

    Calls ask for no family, and get IPv4 (RFC 8656 section 7.1): where only IPv6 was asked for, they may get that too.
    """
    here = [known.usable for known in relays if known.family is family]
    if here or family is Family.IPV6:
        return _any(iter(here))
    return None if _any(known.usable for known in relays) is not False else False


def _any(usable: Iterator[Reachable]) -> bool | None:
    found = set(usable)
    if "yes" in found:
        return True
    return None if "unknown" in found else False
