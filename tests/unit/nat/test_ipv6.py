"""NAT64, NAT66 and prefix translation, as answers tell them; the experiments are those of the model NAT."""

from ipaddress import IPv4Address, IPv6Network

import pytest
from msgspec.structs import replace

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Binding, Evidence, Resolution
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify
from rtcdiag.synthesis import WELL_KNOWN, synthesized
from support.evidence import answered, at, binding, failed, run
from support.nat_model import ModelNat, ModelServer, two_operators
from support.nat_probe import Probe

OWN = IPv6Network("2001:db8:64::/96")
HERE = "2001:db8:7::7"


def under(prefix: IPv6Network, address: TransportAddress | None) -> TransportAddress | None:
    if address is None or not isinstance(address.ip, IPv4Address):
        return address
    return TransportAddress(synthesized(prefix, address.ip), address.port)


def through(prefix: IPv6Network, item: Binding) -> Binding:
    """Return what an IPv6-only computer sees of a transaction with an IPv4 server."""
    answers = tuple(replace(answer, source=under(prefix, answer.source)) for answer in item.exchange.answers)
    return replace(
        item,
        local=TransportAddress(HERE, item.local.port if item.local else 1),
        destination=under(prefix, item.destination),
        answer_from=under(prefix, item.answer_from),
        exchange=replace(item.exchange, answers=answers),
    )


def look_up(prefix: IPv6Network) -> Resolution:
    address = synthesized(prefix, IPv4Address("192.0.0.170"))
    return Resolution(id="dns", t_ms=0.0, host="ipv4only.arpa", family=Family.IPV6, addresses=(str(address),))


def judged(nat: ModelNat, *servers: ModelServer, prefix: IPv6Network = WELL_KNOWN, told: bool = True) -> Nat:
    seen = [through(prefix, item) for item in Probe(nat, servers or two_operators()).run().seen]
    evidence = Evidence(observations=(*([look_up(prefix)] if told else []), *seen))
    assert classify(evidence, Family.IPV6) is None, "nobody was asked who has IPv6"
    found = classify(evidence, Family.IPV4)
    assert found is not None
    return found


@pytest.mark.parametrize("prefix", [WELL_KNOWN, OWN])
@pytest.mark.parametrize("mapping", BEHAVIORS)
@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_every_nat_of_rfc_4787_is_recognized_through_a_nat64(
    mapping: Behavior, filtering: Behavior, prefix: IPv6Network
) -> None:
    found = judged(ModelNat(mapping, filtering), prefix=prefix)

    assert (found.behind_nat, found.mapping, found.filtering) == (True, mapping, filtering)
    assert (found.nat64, found.nat64_prefix) == (True, str(prefix))


def test_an_own_prefix_that_nothing_tells_makes_no_class() -> None:
    seen = [through(OWN, item) for item in Probe(ModelNat(), two_operators()).run().seen]
    evidence = Evidence(observations=tuple(seen))

    assert classify(evidence, Family.IPV4) is None
    found = classify(evidence, Family.IPV6)
    assert found is not None
    assert (found.behind_nat, found.mapping) == (None, "undetermined")


def test_ipv4_that_answers_by_itself_is_not_mixed_with_what_a_nat64_maps() -> None:
    direct = Probe(ModelNat("endpoint-independent", pool=("203.0.113.50",)), two_operators()).run().seen
    other = Probe(ModelNat("address-dependent", pool=("203.0.113.99",)), two_operators()).run().seen
    found = classify(Evidence(observations=(*direct, *(through(WELL_KNOWN, item) for item in other))), Family.IPV4)

    assert found is not None
    assert (found.mapping, found.nat64) == ("endpoint-independent", None)
    assert {address.host for address in found.mapped} == {"203.0.113.50"}


@pytest.mark.parametrize(
    ("local", "mapped", "is_prefix"),
    [
        # A host's part that few have is kept: the prefix alone was replaced.
        ("[fd00::216:3eff:fe12:3456]:4000", "[2001:db8::216:3eff:fe12:3456]:4000", True),
        # The example of RFC 6296: the subnet makes up for the prefix, so that the checksum stays.
        ("[fd01:203:405:1::1234]:4000", "[2001:db8:1:d550::1234]:4000", True),
        # With a longer prefix 16 bits of the host's part do.
        ("[fd01:203:405:1::1234]:4000", "[2001:db8:1:1:d54f::1234]:4000", True),
        # A common host's part is kept, which may be chance.
        ("[fd00::2]:4000", "[2001:db8::2]:4000", None),
        ("[fd00::2]:4000", "[2001:db8::77]:4000", False),
        ("[fd00::216:3eff:fe12:3456]:4000", "[2001:db8::216:3eff:fe12:3456]:4001", False),
    ],
)
def test_prefix_translation_is_told_from_nat66(local: str, mapped: str, is_prefix: bool | None) -> None:
    server = "[2001:db8:20::20]:3478"
    seen = binding("stun:stun.example.org", server, answered(server, xor_mapped=at(mapped)), local=at(local))
    found = classify(run(seen), Family.IPV6)

    assert found is not None
    assert (found.behind_nat, found.prefix_translation) == (True, is_prefix)
    assert ("prefix_translation" in found.undetermined) is (is_prefix is None)


def test_without_a_nat_no_prefix_is_translated() -> None:
    found = classify(run(binding("stun:stun.example.org", "[2001:db8:20::20]:3478")), Family.IPV6)

    assert found is not None
    assert (found.behind_nat, found.prefix_translation) == (False, None)


def test_a_host_of_ipv6_stays_one_under_a_prefix_that_name_service_tells() -> None:
    server = "[2001:db8:64::c633:640a]:3478"
    found = classify(run(look_up(OWN), binding("stun:stun.example.org", server)), Family.IPV6)

    assert found is not None
    assert (found.behind_nat, found.mapping) == (False, "endpoint-independent")


def test_a_nat64_counts_where_ipv4_itself_is_silent() -> None:
    silent = binding("stun:stun.one.example", "198.51.100.1:3478", failed())
    across = [through(WELL_KNOWN, item) for item in Probe(ModelNat(), two_operators()).run().seen]
    found = classify(Evidence(observations=(silent, *across)), Family.IPV4)

    assert found is not None
    assert (found.nat64, found.mapping) == (True, "endpoint-independent")


@pytest.mark.parametrize("told", [True, False])
def test_an_ipv4_address_that_stands_in_for_ipv6_is_a_nat64s_where_name_service_tells_one(told: bool) -> None:
    seen = binding("stun:stun.example.org", "198.51.100.10:3478", local=at("192.0.0.2:40000"))
    found = classify(run(*([look_up(OWN)] if told else []), seen), Family.IPV4)

    assert found is not None
    assert (found.nat64, found.nat64_prefix) == ((True, str(OWN)) if told else (None, None))
    assert ("DS-Lite" in found.undetermined.get("nat64", "")) is not told
