"""How many NATs stand in a row, and whether one is a carrier's: evidence by rank, the gateway's own word first.

Where the gateway's external address is the one that servers see, there is no further NAT. An address of 100.64.0.0/10
on its outside is a carrier's NAT (RFC 6598), a private one is a second NAT of whomever. Routers with such addresses on
the way are a hint, and with an independent sign a second NAT (``inferred``).
"""

from ipaddress import IPv4Network

from rtcdiag.address import IPAddress, Scope, scope_of
from rtcdiag.nat.gateway import Claim, Gateway
from rtcdiag.nat.inferred import Layers, Outside, inferred_layers, on_the_way
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.view import View
from rtcdiag.nat.vpn import own_of_vpn, uses

_CONTINUITY = IPv4Network("192.0.0.0/29")
"""RFC 7335: the IPv4 side of DS-Lite (RFC 6333 section 5.7) and of 464XLAT."""
BENCHMARKING = IPv4Network("198.18.0.0/15")
"""RFC 2544: not routed, so that networks use it inside."""
INNER_PSEUDONYMS = IPv4Network("198.19.128.0/17")
"""The part of it that redacted reports keep for addresses that are of it themselves."""
_PSEUDONYMS = tuple(
    IPv4Network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")
)
"""Ranges from which redacted reports take global addresses."""


def layers_of(view: View, gateway: Gateway, behind_nat: Judgement[bool], outside: Outside) -> Layers:
    """Return how many NATs there are (2 stands for two or more), and whether a carrier's is among them."""
    if behind_nat.value is False:
        return Judgement(value=0, evidence=behind_nat.evidence), _without_nat(view)
    named = _by_gateway(view, gateway) or inferred_layers(view, gateway, outside)
    if named is not None:
        return named
    cgnat = _by_own_address(view) or Judgement(why=_open_cgnat(view, gateway))
    if _is_mismatched(view, gateway):
        return Judgement(value=2, evidence=gateway.mismatch), cgnat
    return Judgement(why=_open_layers(gateway)), cgnat


def _without_nat(view: View) -> Judgement[bool]:
    if view.scope is Scope.GLOBAL and view.samples[0].mapped.scope is Scope.GLOBAL:
        return Judgement(value=False, evidence=(view.samples[0].id,))
    return _by_own_address(view) or Judgement(why=_NOT_SEEN)


_NOT_SEEN = "no address of 100.64.0.0/10 was seen, which does not exclude it"


def _by_gateway(view: View, gateway: Gateway) -> Layers | None:
    """Return what the gateway's word decides or makes a contradiction; None where it leaves everything open."""
    seen = {sample.mapped.ip: sample.id for sample in view.samples}
    if not gateway.claims or gateway.vpn:
        return None
    same = [claim for claim in gateway.claims if claim.address in seen]
    if same:
        return _single(view, same, seen)
    said = {claim.address for claim in gateway.claims}
    if len(said) > 1:
        words = ", ".join(f"{claim.protocol} {claim.address}" for claim in gateway.claims)
        return _undetermined(view, f"the gateway contradicts itself about its external address: {words}")
    return _other(view, gateway.claims, tuple(seen))


def _single(view: View, same: list[Claim], seen: dict[IPAddress, str]) -> Layers:
    ids = (*(claim.id for claim in same), *seen.values())
    if set(seen) - {claim.address for claim in same}:
        return _undetermined(view, f"servers see further addresses beside the gateway's own, {same[0].address}")
    if view.scope is not Scope.GLOBAL:
        return Judgement(value=1, evidence=ids), Judgement(why="no server on the internet was asked")
    return Judgement(value=1, evidence=ids), Judgement(value=False, evidence=ids)


def _other(view: View, claims: tuple[Claim, ...], seen: tuple[IPAddress, ...]) -> Layers:
    """Judge one external address that no server saw."""
    address, ids = claims[0].address, tuple(claim.id for claim in claims)
    if scope_of(address) is Scope.SHARED:
        return Judgement(value=2, evidence=ids), Judgement(value=True, evidence=ids)
    if address in _CONTINUITY:
        why = "with DS-Lite or 464XLAT the router may leave all translation to the provider"
        return Judgement(why=why), Judgement(value=True, evidence=ids)
    if view.scope is not Scope.GLOBAL or not seen:
        return _undetermined(view, f"no server on the internet told which address the gateway's {address} becomes")
    if _is_private(address, seen):
        why = f"the gateway's external address {address} is private: the second NAT may be anyone's"
        return Judgement(value=2, evidence=ids), _by_own_address(view) or Judgement(why=why)
    why = f"servers see {seen[0]}, not the gateway's external address {address}"
    return _undetermined(view, f"{why}: a VPN, several lines, or a carrier's NAT on addresses of others")


def _is_private(address: IPAddress, seen: tuple[IPAddress, ...]) -> bool:
    """Tell whether packets with this address are certain to be translated again.

    198.18.0.0/15 is not routed; but in a redacted report most of it stands for global addresses.
    """
    redacted = any(ip in network for ip in seen for network in _PSEUDONYMS)
    inner = address in INNER_PSEUDONYMS or (address in BENCHMARKING and not redacted)
    return scope_of(address) is Scope.PRIVATE or inner


def _undetermined(view: View, why: str) -> Layers:
    return Judgement(why=why), _by_own_address(view) or Judgement(why=why)


def _is_mismatched(view: View, gateway: Gateway) -> bool:
    """Tell whether a NAT stands before the PCP server, and another has to stand behind it: its own side is private."""
    inner = all(query.destination.scope is not Scope.GLOBAL for query in gateway.queries)
    outer = any(sample.mapped.scope is Scope.GLOBAL for sample in view.samples)
    return bool(gateway.mismatch) and inner and outer and not gateway.vpn


def _by_own_address(view: View) -> Judgement[bool] | None:
    """Find a carrier's address (RFC 6598) here or among the mapped ones that is not of a VPN or a container."""
    vpn = own_of_vpn(view.environment)
    for sample in view.samples:
        mapped = sample.mapped.scope is Scope.SHARED
        own = sample.local is not None and sample.local.scope is Scope.SHARED and not view.environment.container
        if (mapped or own) and not uses(sample, vpn):
            return Judgement(value=True, evidence=(sample.id,))
    return None


def _open_cgnat(view: View, gateway: Gateway) -> str:
    if gateway.beyond:
        return _hint(gateway)
    if gateway.mute and not gateway.claims:
        return _MUTE
    return view.silent or _NOT_SEEN


def _open_layers(gateway: Gateway) -> str:
    if gateway.vpn and gateway.claims:
        return "the gateway is that of a VPN"
    if gateway.mute and not gateway.claims:
        return _MUTE
    if gateway.beyond:
        return _hint(gateway)
    if gateway.broken:
        return "the gateway names an impossible external address"
    return "the gateway does not tell its external address" if gateway.queries else "the gateway was not asked"


_MUTE = "the gateway says that it has no external address of use, as routers do behind a second NAT"


def _hint(gateway: Gateway) -> str:
    return f"{on_the_way(gateway.beyond[0])}, which alone does not prove a second NAT"
