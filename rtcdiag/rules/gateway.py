"""What the default gateway offers to applications, and what is odd about it. None of it is a fault of this computer."""

from collections.abc import Iterator

from rtcdiag.address import Family
from rtcdiag.evidence import Evidence, GatewayQuery
from rtcdiag.findings import Finding, find
from rtcdiag.nat import Nat, classify
from rtcdiag.nat.gateway import PROTOCOLS, Gateway, gateway_of
from rtcdiag.rules.paths import clip


def gateway(evidence: Evidence) -> Iterator[Finding]:
    """Say which port mapping protocols the gateway speaks, refuses or breaks, and hint at routers behind it."""
    for family in Family:
        found = gateway_of(evidence, family)
        if not found.queries and not found.beyond:
            continue
        nat = classify(evidence, family)
        yield from _offers(found, nat, family)
        yield from _refuses(found, family)
        yield from _breaks(found, family)
        yield from _routers(found, nat, family)


def _offers(found: Gateway, nat: Nat | None, family: Family) -> Iterator[Finding]:
    """A protocol is offered where a question of it succeeded; whether a mapping would be granted is not tried."""
    good = [query for query in found.queries if query.succeeded and query.question != "discovery"]
    if good:
        yield find(
            "gateway-maps-ports",
            *_ids(good),
            family=family.value,
            gateway=good[0].destination.host,
            protocols=_protocols([*good, *_found_only(found)]),
            limit=_limit(found, nat),
        )


def _found_only(found: Gateway) -> list[GatewayQuery]:
    """Return the answer to the search for a UPnP device that was asked no more, as NAT-PMP had told everything."""
    over_upnp = [query for query in found.queries if query.protocol == "upnp-igd"]
    return [query for query in over_upnp if query.succeeded] if len(over_upnp) == 1 and found.claims else []


def _limit(found: Gateway, nat: Nat | None) -> str:
    """Return the sentence that says how much such a mapping is worth."""
    if nat is not None and (nat.cgnat or (nat.layers or 0) > 1):
        return "Here it does not help: another address translation stands behind the router."
    if found.mute and not found.claims:
        return "This one says that it has no public address, and then it does not help."
    return "Whether it grants one was not tested."


def _refuses(found: Gateway, family: Family) -> Iterator[Finding]:
    refused = [query for query in found.queries if query.result_name == "NOT_AUTHORIZED"]
    if refused:
        yield find("gateway-refuses", *_ids(refused), family=family.value, protocols=_protocols(refused))


_ODD = {
    "not-understood": "answers what makes no sense",
    "description-elsewhere": "points to another host, which was not asked",
    "description-unusable": "has a description that is of no use",
}


def _breaks(found: Gateway, family: Family) -> Iterator[Finding]:
    whys = [
        (query.id, f"{PROTOCOLS[query.protocol]} {_ODD[query.problem]}") for query in found.queries if query.problem
    ]
    whys += list(found.broken.items())
    said = {claim.address for claim in found.claims}
    if len(said) > 1:
        words = " but ".join(f"{claim.protocol} says {claim.address}" for claim in found.claims)
        whys += [(claim.id, words) for claim in found.claims]
    if whys:
        why = "; ".join(dict.fromkeys(words for _, words in whys))
        yield find("gateway-broken", *(name for name, _ in whys), family=family.value, why=clip(why, 200))


def _routers(found: Gateway, nat: Nat | None, family: Family) -> Iterator[Finding]:
    """Hint at routers with inner addresses behind the gateway, where nothing better tells how many NATs there are."""
    if found.beyond and nat is not None and nat.behind_nat is not False and nat.layers is None and not nat.cgnat:
        routers = [hop.router for hop in found.beyond]
        yield find(
            "private-router-behind-gateway", *(hop.id for hop in found.beyond), family=family.value, routers=routers
        )


def _ids(queries: list[GatewayQuery]) -> tuple[str, ...]:
    return tuple(query.id for query in queries)


def _protocols(queries: list[GatewayQuery]) -> list[str]:
    return list(dict.fromkeys(PROTOCOLS[query.protocol] for query in queries))
