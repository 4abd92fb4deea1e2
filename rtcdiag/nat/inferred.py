"""A second NAT that nobody names, inferred: a router's address beyond the gateway, and an independent sign beside it.

Carriers number routers with inner addresses also where they do not translate, so the router alone is a hint. A gateway
that is a NAT and has no public address, ports from one block (RFC 7422) or several external addresses are not the
doing of an ordinary router with a public address.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address
from typing import NamedTuple

from rtcdiag.address import Scope, scope_of
from rtcdiag.evidence import Hop
from rtcdiag.nat.behavior import Pooling, PortAssignment
from rtcdiag.nat.gateway import Gateway
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.view import View
from rtcdiag.nat.vpn import own_of_vpn, uses

P_STRONG = 0.02
"""How often a carrier's router and a gateway without an address stand on a way with one NAT; assumed, not measured."""
P_WEAK = 0.05
"""The same of a private router, or of signs that a large network's only NAT may give as well; assumed, not measured."""

Layers = tuple[Judgement[int], Judgement[bool]]


class Outside(NamedTuple):
    """What servers see of the addresses and ports that mappings get."""

    assignment: Judgement[PortAssignment]
    pooling: Judgement[Pooling]


class _Sign(NamedTuple):
    words: str
    p_wrong: float
    evidence: tuple[str, ...]


def inferred_layers(view: View, gateway: Gateway, outside: Outside) -> Layers | None:
    """Return how many NATs there are, and whether one is a carrier's, where a router and a sign agree; else None."""
    hops = _beyond(view, gateway)
    if not hops or not _is_home(view, gateway):
        return None
    mute = tuple(_mute(gateway))
    if not _is_carriers(hops[0]):
        return _double(hops, mute[0]) if mute else None
    signs = (*mute, *_of_carriers(outside))
    return _carrier(gateway, hops, signs) if signs else None


def on_the_way(hop: Hop) -> str:
    """Return whose router it seems to be, and where."""
    whose = "a carrier's" if _is_carriers(hop) else "a private"
    where = f"hop {hop.ttl}, {hop.router}" if hop.ttl is not None else hop.router
    return f"a router with {whose} address is on the way ({where})"


def _beyond(view: View, gateway: Gateway) -> list[Hop]:
    """Return the routers that are surely beyond the gateway, on the way that is judged; carriers' first."""
    asked = {item.destination.ip for item in view.bindings}
    hops = [hop for hop in gateway.beyond if (hop.ttl or 0) > 1 and hop.destination.ip in asked]
    return sorted(hops, key=lambda hop: (not _is_carriers(hop), hop.ttl))


def _is_carriers(hop: Hop) -> bool:
    return scope_of(ip_address(hop.router)) is Scope.SHARED


def _is_home(view: View, gateway: Gateway) -> bool:
    """Tell whether a private address here becomes a public one, by no VPN; a host that has a public one is no home."""
    vpn = own_of_vpn(view.environment)
    own = (ip_address(text.partition("%")[0]) for item in view.environment.interfaces for text in item.addresses)
    public = any(isinstance(ip, IPv4Address) and scope_of(ip) is Scope.GLOBAL for ip in own)
    local = [sample.local for sample in view.samples if sample.local is not None]
    seen = any(sample.mapped.scope is Scope.GLOBAL for sample in view.samples)
    tunnel = gateway.vpn or view.way.interface in vpn or any(uses(sample, vpn) for sample in view.samples)
    return seen and not (public or tunnel or any(item.scope is Scope.GLOBAL for item in local))


def _mute(gateway: Gateway) -> Iterator[_Sign]:
    if gateway.mute and not gateway.claims:
        words = "the gateway says that it has no external address, although servers see a public one"
        yield _Sign(words, P_STRONG, gateway.mute)


def _of_carriers(outside: Outside) -> Iterator[_Sign]:
    if outside.assignment.value == "block":
        yield _Sign("all external ports are of one small block", P_WEAK, outside.assignment.evidence)
    if outside.pooling.value == "arbitrary":
        yield _Sign("servers see several external addresses in turn", P_WEAK, outside.pooling.evidence)


def _carrier(gateway: Gateway, hops: list[Hop], signs: tuple[_Sign, ...]) -> Layers:
    """A carrier's NAT; beside it the gateway is known to translate too where it answers as a NAT does."""
    words = " and ".join((on_the_way(hops[0]), *(sign.words for sign in signs)))
    p_wrong = min(sign.p_wrong for sign in signs)
    ids = (*(hop.id for hop in hops), *(name for sign in signs for name in sign.evidence))
    cgnat = Judgement(value=True, p_wrong=p_wrong, evidence=ids, inferred=words)
    if gateway.answered:
        return Judgement(value=2, p_wrong=p_wrong, evidence=ids, inferred=words), cgnat
    return Judgement(why="whether the own router translates too, before the carrier, is not known"), cgnat


def _double(hops: list[Hop], sign: _Sign) -> Layers:
    words = f"{on_the_way(hops[0])} and {sign.words}"
    ids = (*(hop.id for hop in hops), *sign.evidence)
    why = "the second router has a private address: it may be a second box here or the provider's"
    return Judgement(value=2, p_wrong=P_WEAK, evidence=ids, inferred=words), Judgement(why=why)
