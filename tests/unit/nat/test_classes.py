"""The behaviors of RFC 4787, with honest servers and no loss."""

import pytest
from msgspec.structs import replace

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Binding, Evidence, Exchange, Failure
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify, endpoint_dependent, familiar_name
from support.nat_model import ModelNat, ModelServer, plain, two_operators
from support.nat_probe import Probe

EIM, ADM, APDM = BEHAVIORS
EIF, ADF, APDF = BEHAVIORS


def nat_seen(nat: ModelNat, *servers: ModelServer) -> Nat:
    seen = classify(Probe(nat, servers or two_operators()).run().evidence, Family.IPV4)
    assert seen is not None
    return seen


@pytest.mark.parametrize("servers", [1, 2])
@pytest.mark.parametrize("filtering", BEHAVIORS)
@pytest.mark.parametrize("mapping", BEHAVIORS)
def test_every_nat_of_rfc_4787_is_recognised(mapping: Behavior, filtering: Behavior, servers: int) -> None:
    seen = nat_seen(ModelNat(mapping, filtering), *two_operators()[:servers])

    assert (seen.mapping, seen.filtering, seen.behind_nat) == (mapping, filtering, True)
    assert (seen.mapping_possible, seen.filtering_possible) == ((mapping,), (filtering,))
    assert (seen.pooling, seen.port_preservation, seen.local_only) == ("paired", False, False)
    assert not {"mapping", "filtering"} & set(seen.undetermined)
    assert seen.distrusted == {}


@pytest.mark.parametrize("filtering", BEHAVIORS)
@pytest.mark.parametrize("mapping", BEHAVIORS)
def test_a_second_operator_makes_it_surer(mapping: Behavior, filtering: Behavior) -> None:
    one = nat_seen(ModelNat(mapping, filtering), two_operators()[0])
    two = nat_seen(ModelNat(mapping, filtering))

    for field in ("mapping", "filtering"):
        p_one, p_two = one.confidence[field].p_wrong, two.confidence[field].p_wrong
        assert p_one is not None
        assert p_two is not None
        assert p_two < 0.001
        assert p_two <= p_one <= 0.03
    assert all(name.startswith("obs-") for name in two.confidence["mapping"].evidence)


@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_without_nat_the_filter_is_the_firewalls(filtering: Behavior) -> None:
    seen = nat_seen(ModelNat(filtering=filtering, translates=False))

    assert (seen.behind_nat, seen.mapping, seen.filtering) == (False, EIM, filtering)
    assert seen.firewall is (filtering != EIF)
    assert seen.layers == 0
    assert seen.cgnat is False
    assert familiar_name(seen) == ("open internet" if filtering == EIF else "stateful firewall")
    assert seen.undetermined["pooling"] == "there is no NAT"


def test_blocked_udp_leaves_everything_undetermined() -> None:
    seen = nat_seen(ModelNat(blocks_udp=True))

    assert (seen.mapping, seen.filtering, seen.behind_nat, seen.mapped) == ("undetermined", "undetermined", None, ())
    assert seen.confidence == {}
    assert {seen.undetermined[name] for name in ("mapping", "filtering", "behind_nat", "firewall", "cgnat")} == {
        "no answer over UDP"
    }
    assert endpoint_dependent(seen) is None


def test_every_unknown_field_has_its_reason() -> None:
    seen = nat_seen(ModelNat(EIM, EIF), *plain(2))

    unknown = {
        name
        for name in ("pooling", "port_preservation", "port_delta", "hairpinning", "lifetime_s", "alg", "cgnat")
        if getattr(seen, name) is None
    }
    assert unknown <= set(seen.undetermined)
    assert seen.undetermined["hairpinning"] == "not tested: --hairpin"
    assert seen.undetermined["lifetime_s"] == "not tested: --lifetime"
    assert seen.undetermined["fragments_inbound"] == "not tested: --fragments"
    assert all(seen.undetermined.values())


def test_nothing_asked_in_a_family_is_no_nat_at_all() -> None:
    evidence = Probe(ModelNat(), two_operators()).run().evidence

    assert classify(evidence, Family.IPV6) is None
    assert classify(Evidence(), Family.IPV4) is None


def failed(failure: Failure) -> Nat | None:
    base = Probe(ModelNat(blocks_udp=True), plain(1)).run().seen[0]
    exchange = Exchange(sent_ms=(0.0,), failure=failure)
    observation = Binding(
        t_ms=0, server=base.server, purpose="mapping", socket="m1", local=None,
        destination=base.destination, exchange=exchange,
    )  # fmt: skip
    return classify(Evidence(observations=(observation,)), Family.IPV4)


def test_a_family_without_a_route_was_not_asked() -> None:
    assert failed(Failure.NETWORK_UNREACHABLE) is None


def test_a_computer_that_forbids_sending_is_named() -> None:
    seen = failed(Failure.PERMISSION_DENIED)

    assert seen is not None
    assert seen.undetermined["mapping"] == "no answer over UDP; this computer does not allow sending"


@pytest.mark.parametrize(
    ("nat", "name"),
    [
        (ModelNat(EIM, EIF), "full cone"),
        (ModelNat(EIM, ADF), "address-restricted cone"),
        (ModelNat(EIM, APDF), "port-restricted cone"),
        (ModelNat(ADM, EIF), "symmetric NAT"),
        (ModelNat(APDM, APDF), "symmetric NAT"),
        (ModelNat(blocks_udp=True), None),
    ],
)
def test_the_familiar_name_follows_the_rfc_words(nat: ModelNat, name: str | None) -> None:
    assert familiar_name(nat_seen(nat)) == name


@pytest.mark.parametrize(
    ("nat", "name"),
    [
        (Nat(behind_nat=False), None),
        (Nat(behind_nat=False, filtering_possible=(ADF, APDF)), "stateful firewall"),
        (Nat(behind_nat=True, mapping=EIM), None),
        (Nat(mapping=EIM, filtering=EIF), None),
        (Nat(mapping_possible=(ADM, APDM)), "symmetric NAT"),
    ],
)
def test_a_name_needs_no_more_than_it_says(nat: Nat, name: str | None) -> None:
    assert familiar_name(nat) == name


def test_only_this_computers_servers_say_nothing_of_the_outside() -> None:
    server = ModelServer("stun:127.0.0.1", "127.0.0.1", "127.0.0.2")
    probe = Probe(ModelNat(translates=False), (server,))
    probe.ask("m1", server, "mapping", server.primary)

    seen = classify(probe.evidence, Family.IPV4)

    assert seen is not None
    assert seen.local_only


def test_a_server_in_the_local_network_does_not_hide_the_nat() -> None:
    lan = ModelServer("stun:192.168.1.9", "192.168.1.9")
    nat = ModelNat(EIM, APDF)
    probe = Probe(nat, two_operators()).run()
    inside = Probe(ModelNat(translates=False), (lan,))
    inside.ask("m1", lan, "mapping", lan.primary)

    seen = classify(Evidence(observations=(*inside.seen, *probe.seen)), Family.IPV4)

    assert seen is not None
    assert (seen.behind_nat, seen.mapping, seen.local_only) == (True, EIM, False)


def test_an_alternate_on_the_internet_does_not_make_a_local_server_one() -> None:
    lan = ModelServer("stun:10.0.0.1", "10.0.0.1", claims=TransportAddress("198.51.100.2", 3479))
    probe = Probe(ModelNat(EIM, pool=("10.0.0.9",)), (lan,))
    probe.ask("m1", lan, "mapping", lan.primary)
    probe.ask("m1", lan, "mapping", TransportAddress("198.51.100.2", 3479))

    seen = classify(probe.evidence, Family.IPV4)

    assert seen is not None
    assert (seen.local_only, len(seen.mapped)) == (True, 1)


def test_an_answer_counts_by_its_source_whatever_the_probe_said_of_it() -> None:
    seen = Probe(ModelNat(EIM), plain(2)).run().seen
    marked = []
    for item in seen:
        answers = [replace(answer, source=TransportAddress("9.9.9.9", 9)) for answer in item.exchange.answers]
        marked.append(replace(item, exchange=replace(item.exchange, answers=tuple(answers))))

    nat = classify(Evidence(observations=tuple(marked)), Family.IPV4)

    assert nat is not None
    assert nat.undetermined["mapping"] == "no valid answer over UDP"
