"""The one change on either side that would flip the answer: each is tried on the model before it is promised."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from rtcdiag.address import Family
from rtcdiag.compare.party import InFamily, Party
from rtcdiag.compare.predict import Prediction, predict_pair
from rtcdiag.nat import Nat
from rtcdiag.report import Change, Direct
from rtcdiag.traversal import Endpoint
from rtcdiag.verdict import opened_port

_Improve = Callable[[Party], Party | None]
_Words = Callable[[Party], str]
_OPEN = Endpoint(mappings=("endpoint-independent",), filterings=("endpoint-independent",))
_STRICT = Endpoint(mappings=("endpoint-independent",), filterings=("address-and-port-dependent",))


def changes(a: Party, b: Party, now: Prediction) -> Iterator[Change]:
    """Yield the easiest change of each side that makes it direct; then what would give a relay where none is sure."""
    if now.direct != "yes":
        yield from _first(a, b, _DIRECT, lambda then: then.direct == "yes", "likely")
    if now.direct != "yes" and now.relayed != "yes":
        yield from _first(a, b, _RELAYED, lambda then: then.relayed == "yes", "relay-needed")


def _first(
    a: Party,
    b: Party,
    improvements: tuple[tuple[str | _Words, _Improve], ...],
    reached: Callable[[Prediction], bool],
    then: Direct,
) -> Iterator[Change]:
    for side in ("a", "b"):
        for words, improve in improvements:
            party = a if side == "a" else b
            better = improve(party)
            if better is None:
                continue
            pair = (better, b) if side == "a" else (a, better)
            if reached(predict_pair(*pair)):
                yield Change(side=side, change=words if isinstance(words, str) else words(party), then=then)
                break


def _with_ipv6(party: Party) -> Party | None:
    """Give it IPv6 behind the usual firewall, which lets in answers only."""
    if not party.families[Family.IPV6].absent:
        return None
    return _with(party, Family.IPV6, InFamily(endpoint=replace(_STRICT, relay=None), behind_nat=False))


def _with_udp(party: Party) -> Party | None:
    if party.families[Family.IPV4].endpoint.udp is not False:
        return None
    return _in_ipv4(party, mappings=_STRICT.mappings, filterings=_STRICT.filterings, udp=True)


def _with_mapping(party: Party) -> Party | None:
    if _provider_translates(party):
        return None
    here = party.families[Family.IPV4].endpoint
    return None if here.mappings == _OPEN.mappings else _in_ipv4(party, mappings=_OPEN.mappings)


def _provider_translates(party: Party) -> bool:
    """Tell whether a NAT of the provider stands in front, in which nobody but the provider changes anything."""
    nat = party.report.nat.ipv4
    return bool(nat is not None and nat.cgnat)


def _without_tracking(party: Party) -> Party | None:
    here = party.families[Family.IPV4].endpoint
    return _in_ipv4(party, tracks=(False,)) if True in here.tracks else None


def _with_port(party: Party) -> Party | None:
    here = party.families[Family.IPV4].endpoint
    if here.udp is not True or (here.mappings, here.filterings) == (_OPEN.mappings, _OPEN.filterings):
        return None
    if here.other_family:  # A NAT64 is the provider's: nobody opens a port in it.
        return None
    return _in_ipv4(party, mappings=_OPEN.mappings, filterings=_OPEN.filterings)


def _with_relay(party: Party) -> Party | None:
    return None if party.families[Family.IPV4].endpoint.relay else _in_ipv4(party, relay=True)


def _in_ipv4(party: Party, **better: object) -> Party:
    ipv4 = party.families[Family.IPV4]
    return _with(party, Family.IPV4, replace(ipv4, endpoint=replace(ipv4.endpoint, **better), absent="", unknown=""))


def _with(party: Party, family: Family, side: InFamily) -> Party:
    return replace(party, families={**party.families, family: side})


def _opened_port(party: Party) -> str:
    nat = party.report.nat.ipv4
    return opened_port(nat) if nat is not None else opened_port(Nat())


_DIRECT: tuple[tuple[str | _Words, _Improve], ...] = (
    ("get IPv6, which the other side has", _with_ipv6),
    ("let the router drop or reject new connections from outside to itself", _without_tracking),
    (_opened_port, _with_port),
    ("make the NAT keep one public port per local port (endpoint-independent mapping)", _with_mapping),
    ("let UDP out of this network, and its answers in, through a NAT that keeps one public port", _with_udp),
)
_RELAYED: tuple[tuple[str | _Words, _Improve], ...] = (("configure a TURN server that works from there", _with_relay),)
