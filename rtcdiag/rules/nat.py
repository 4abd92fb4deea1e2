"""Facts about the NAT that decide with whom a direct path is possible. None of them is a fault of this computer."""

from collections.abc import Iterator

from rtcdiag.address import Family
from rtcdiag.evidence import Evidence
from rtcdiag.findings import Facts, Finding, find
from rtcdiag.nat import CONTRADICTION, Nat, classify, endpoint_dependent, lifetime_words
from rtcdiag.rules.ipv6 import translations
from rtcdiag.rules.paths import about, clip, targets_of


def nat_facts(evidence: Evidence) -> Iterator[Finding]:
    """Name what the NAT of each family does that matters to calls."""
    for family in Family:
        nat = classify(evidence, family)
        yield from translations(evidence, family, nat)
        if nat is not None and not nat.local_only:
            facts: Facts = {"family": family.value, "mapped": [str(address) for address in nat.mapped[:5]]}
            yield from (find(code, *_ids(nat, field), **facts, **more) for code, field, more in _facts(nat))
            yield from _other_ways(nat, family)
            yield from _distrusted(evidence, nat, family)
            yield from _contradicting(nat, family)


_Fact = tuple[str, str, Facts]


def _facts(nat: Nat) -> Iterator[_Fact]:
    """Yield a code, the field of the NAT that it rests on, and further facts."""
    if nat.cgnat:
        yield "nat-carrier-grade", "cgnat", _named(nat, "cgnat", "carrier-grade NAT")
    elif nat.layers is not None and nat.layers > 1:
        yield "nat-layered", "layers", {"layers": nat.layers, **_named(nat, "layers", "double NAT")}
    dependent = endpoint_dependent(nat) is True and nat.behind_nat is not False
    if dependent:
        yield "nat-endpoint-dependent-mapping", "mapping", {"mapping": nat.mapping}
    elif nat.behind_nat and nat.filtering == "address-and-port-dependent":
        yield "nat-port-dependent-filtering", "filtering", {}
    if nat.tracks_unsolicited:
        yield "nat-tracks-unsolicited", "tracks_unsolicited", {}
    if nat.pooling == "arbitrary":
        yield "nat-arbitrary-pooling", "pooling", {}
    if nat.alg:
        yield "nat-rewrites-payload", "alg", {}
    if nat.firewall:
        yield "firewall-without-nat", "firewall", {}
    yield from _opt_in(nat)


def _named(nat: Nat, field: str, name: str) -> Facts:
    """Return the name, and the sentence that says what it rests on: an address that was seen or told, or signs."""
    words = nat.inferred.get(field)
    if not words:
        return {"named": name, "basis": "Addresses that were seen or told show it."}
    return {"named": f"{name}, inferred", "basis": f"Nobody told this; it is inferred: {words}."}


CONSENT_S = 30.0
"""ICE sends every 15 s at the latest (RFC 8445 section 11); media ends without an answer for 30 s (RFC 7675)."""
REQUIRED_S = 120.0
"""RFC 4787 section 4.3."""


def _opt_in(nat: Nat) -> Iterator[_Fact]:
    if nat.hairpinning is False:
        yield "nat-no-hairpinning", "hairpinning", {}
    if nat.hairpinning_source == "internal":
        yield "nat-internal-hairpinning", "hairpinning_source", {}
    words = lifetime_words(nat)
    if words is not None:
        yield _lifetime(nat, words)
    if nat.fragments_outbound is False:
        yield "fragments-lost-outbound", "fragments_outbound", {}
    if nat.fragments_inbound is False:
        yield "fragments-lost-inbound", "fragments_inbound", {}


def _lifetime(nat: Nat, words: str) -> _Fact:
    survived, below = nat.lifetime_s, nat.lifetime_below_s
    # Half of what was survived, so that one lost keepalive does no harm; of what was deadly, a quarter.
    keepalive_s = max(1, int(survived / 2 if survived is not None else (below or 0.0) / 4))
    facts: Facts = {"lifetime": words, "keepalive_s": keepalive_s}
    field = "lifetime_s" if below is None else "lifetime_below_s"
    if below is not None and below <= CONSENT_S:
        return "nat-lifetime-short", field, facts
    if below is not None and below <= REQUIRED_S:
        return "nat-lifetime-below-two-minutes", field, facts
    return "nat-lifetime-measured", field, facts


def _other_ways(nat: Nat, family: Family) -> Iterator[Finding]:
    """Say by which interface the described answers came, where others came by another."""
    names = dict.fromkeys(way.interface or way.address or "unknown" for way in nat.other_ways)
    if names:
        here = nat.interface or nat.address or "unknown"
        yield find("several-ways-out", family=family.value, interface=here, others=list(names))


def _ids(nat: Nat, field: str) -> tuple[str, ...]:
    return nat.confidence[field].evidence if field in nat.confidence else ()


def _distrusted(evidence: Evidence, nat: Nat, family: Family) -> Iterator[Finding]:
    targets = targets_of(evidence)
    for server, why in nat.distrusted.items():
        yield about(targets.get(server), server, "nat-server-distrusted", family=family.value, why=clip(why))


def _contradicting(nat: Nat, family: Family) -> Iterator[Finding]:
    """Say so where servers told what no NAT does; who of them is wrong stays open."""
    whys = [nat.undetermined.get(field, "") for field in ("mapping", "behind_nat")]
    told = [why.removeprefix(CONTRADICTION) for why in whys if why.startswith(CONTRADICTION)]
    if told:
        yield find("nat-servers-contradict", family=family.value, why=clip(told[0], 300))
