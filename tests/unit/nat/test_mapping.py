"""Mapping behavior: which agreements and disagreements of servers prove something."""

from collections.abc import Callable
from dataclasses import replace as with_field
from random import Random

import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Evidence
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify, endpoint_dependent
from support.nat_model import Lie, ModelNat, ModelServer, Place, ResponsePort, plain, two_operators
from support.nat_probe import Probe

EIM, ADM, APDM = BEHAVIORS
ELSEWHERE = TransportAddress("203.0.113.99", 999)


def nat_seen(nat: ModelNat, *servers: ModelServer) -> Nat:
    seen = classify(Probe(nat, servers).run().evidence, Family.IPV4)
    assert seen is not None
    return seen


def fresh(nat: ModelNat, count: int) -> list[ModelNat]:
    """Return so many NATs of a kind, each with chances of its own."""
    return [
        with_field(nat, random=Random(seed), _outside={}, _inside={}, _contacted={})  # noqa: S311  a model
        for seed in range(count)
    ]


def liar(number: int = 7, told: TransportAddress = ELSEWHERE) -> ModelServer:
    return ModelServer(f"stun:liar{number}.example", f"9.9.9.{number}", lie=lambda _seen, _random: told)


def test_two_plain_servers_of_two_operators_prove_one_mapping_for_all() -> None:
    seen = nat_seen(ModelNat(EIM), *plain(2))

    assert seen.mapping == EIM
    assert endpoint_dependent(seen) is False


@pytest.mark.parametrize("mapping", [ADM, APDM])
def test_plain_servers_prove_dependence_but_not_its_kind(mapping: Behavior) -> None:
    seen = nat_seen(ModelNat(mapping), *plain(3))

    assert seen.mapping == "undetermined"
    assert seen.mapping_possible == (ADM, APDM)
    assert "address-dependent or address-and-port-dependent" in seen.undetermined["mapping"]
    assert endpoint_dependent(seen) is True


@pytest.mark.parametrize("mapping", BEHAVIORS)
def test_a_plain_server_on_two_ports_tells_whether_the_port_counts(mapping: Behavior) -> None:
    host = ModelServer("stun:stun.ports.example", "9.9.9.9")
    again = ModelServer("stun:stun.ports.example:443", "9.9.9.9", port=443)

    assert nat_seen(ModelNat(mapping), host, again, *plain(2)).mapping == mapping


def test_one_address_proves_nothing() -> None:
    seen = nat_seen(ModelNat(EIM), *plain(1))

    assert seen.mapping == "undetermined"
    assert "only one server address" in seen.undetermined["mapping"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("stun:stun.l.google.example", "stun:stun1.l.google.example"),
        ("stun:a.one.co.uk", "stun:b.one.co.uk"),
        ("stun:[broken", "stun:[broken"),
    ],
)
def test_two_servers_of_one_operator_are_one_opinion(first: str, second: str) -> None:
    seen = nat_seen(ModelNat(EIM), ModelServer(first, "9.9.9.1"), ModelServer(second, "9.9.9.2"))

    assert seen.mapping == "undetermined"
    assert "one operator" in seen.undetermined["mapping"]


def test_names_that_share_an_address_are_one_operator() -> None:
    shared = (ModelServer("stun:one.example", "9.9.9.1"), ModelServer("stun:two.test", "9.9.9.1", port=443))
    other = (ModelServer("stun:two.test", "9.9.9.2"),)

    assert nat_seen(ModelNat(EIM), *shared, *other).mapping == "undetermined"


@pytest.mark.parametrize(
    ("first", "second"), [("stun:9.9.9.1", "stun:9.9.9.2"), ("stun:a.one.co.uk", "stun:b.two.co.uk")]
)
def test_different_hosts_are_different_operators(first: str, second: str) -> None:
    assert nat_seen(ModelNat(EIM), ModelServer(first, "9.9.9.1"), ModelServer(second, "9.9.9.2")).mapping == EIM


def test_in_a_private_network_two_addresses_of_one_operator_suffice() -> None:
    servers = (ModelServer("stun:a.lan.example", "10.0.0.1"), ModelServer("stun:b.lan.example", "10.0.0.2"))
    seen = nat_seen(ModelNat(EIM, pool=("10.0.0.9",)), *servers)

    assert (seen.mapping, seen.local_only) == (EIM, True)


def test_one_liar_against_two_is_told_from_no_behavior() -> None:
    seen = nat_seen(ModelNat(EIM), *plain(2), liar())

    assert seen.mapping == "undetermined"
    assert "servers disagree" in seen.undetermined["mapping"]
    assert "liar7" in seen.undetermined["mapping"]
    assert endpoint_dependent(seen) is None


def test_two_operators_that_disagree_prove_no_dependence_for_one_may_lie() -> None:
    seen = nat_seen(ModelNat(APDM), *plain(2))

    assert seen.mapping_possible == BEHAVIORS
    assert "a third operator" in seen.undetermined["mapping"]
    assert endpoint_dependent(seen) is None


def test_a_liar_against_three_operators_is_outvoted_and_named() -> None:
    seen = nat_seen(ModelNat(EIM), *plain(3), liar())

    assert seen.mapping == EIM
    assert "3 operators" in seen.distrusted["stun:liar7.example"]
    assert ELSEWHERE not in seen.mapped


def test_two_liars_against_three_are_not_outvoted() -> None:
    seen = nat_seen(ModelNat(EIM), *plain(3), liar(7), liar(8, TransportAddress("203.0.113.98", 998)))

    assert seen.mapping == "undetermined"
    assert seen.distrusted == {}


@pytest.mark.parametrize("same", ["ip", "port"])
def test_who_shares_the_address_or_the_port_is_not_outvoted(same: str) -> None:
    def almost(seen: TransportAddress, _random: Random) -> TransportAddress:
        return TransportAddress(seen.ip, 9) if same == "ip" else TransportAddress("203.0.113.99", seen.port)

    odd = ModelServer("stun:odd.test", "9.9.9.9", lie=almost)
    seen = nat_seen(ModelNat(EIM), *plain(5), odd)

    assert seen.mapping == "undetermined"
    assert seen.distrusted == {}


def test_a_private_address_seen_from_the_internet_is_not_believed() -> None:
    seen = nat_seen(ModelNat(EIM), *plain(2), liar(told=TransportAddress("10.0.0.1", 5)))

    assert seen.mapping == EIM
    assert "private address 10.0.0.1:5" in seen.distrusted["stun:liar7.example"]


def test_private_addresses_that_all_tell_are_believed() -> None:
    seen = nat_seen(ModelNat(EIM, pool=("10.1.1.1",)), *plain(3), liar())

    assert "stun:stun.plain0.example0" not in seen.distrusted


def test_two_addresses_for_one_mapping_are_not_believed() -> None:
    random_liar = ModelServer(
        "stun:liar.example",
        "9.9.9.8",
        "9.9.9.9",
        lie=lambda _, random: TransportAddress("203.0.113.99", random.randrange(1, 65536)),
    )
    seen = nat_seen(ModelNat(EIM), random_liar, *plain(2))

    assert seen.mapping == EIM
    assert "two addresses of one mapping" in seen.distrusted["stun:liar.example"]


def one_port_on(address: TransportAddress, _: Random) -> TransportAddress:
    return TransportAddress(address.ip, address.port ^ 1)


@pytest.mark.parametrize("mapping", BEHAVIORS)
def test_one_address_for_two_sockets_is_not_believed(mapping: Behavior) -> None:
    servers = two_operators()
    liar_alone = with_field(servers[0], lie=lambda _, __: ELSEWHERE)

    alone, beside = nat_seen(ModelNat(mapping), liar_alone), nat_seen(ModelNat(mapping), liar_alone, *servers[1:])

    assert alone.mapping == "undetermined"
    assert "one address of two sockets" in alone.distrusted[liar_alone.uri]
    assert beside.mapping == mapping


def test_ports_that_count_for_one_server_only_leave_it_open() -> None:
    host = ModelServer("stun:stun.ports.example", "9.9.9.9")
    again = ModelServer("stun:stun.ports.example:443", "9.9.9.9", port=443, lie=one_port_on)
    seen = nat_seen(ModelNat(ADM), host, again, *two_operators())

    assert seen.mapping_possible == (ADM, APDM)
    assert "disagree on whether the port counts" in seen.undetermined["mapping"]


def test_three_ports_of_which_two_agree_are_no_behavior() -> None:
    ports = [ModelServer(f"stun:p.example:{port}", "9.9.9.9", port=port) for port in (1, 2)]
    odd = ModelServer("stun:p.example:3", "9.9.9.9", port=3, lie=lambda _, __: ELSEWHERE)

    assert nat_seen(ModelNat(ADM), *ports, odd, *plain(2)).mapping_possible == (ADM, APDM)


def test_sockets_that_contradict_each_other_leave_it_undetermined() -> None:
    servers = plain(2)
    random = Random(2)  # noqa: S311  a model
    one, other = Probe(ModelNat(EIM), servers), Probe(ModelNat(APDM, random=random), servers, random=random)
    for server in servers:
        one.ask("m1", server, "mapping", server.primary)
        other.ask("m2", server, "mapping", server.primary)
    seen = classify(Evidence(observations=(*one.seen, *other.seen)), Family.IPV4)

    assert seen is not None
    assert seen.mapping == "undetermined"
    assert "sockets are inconsistent" in seen.undetermined["mapping"]
    assert "m2" in seen.undetermined["mapping"]


def test_a_socket_that_asked_for_changed_answers_says_nothing_of_the_mapping() -> None:
    server = two_operators()[0]
    probe = Probe(ModelNat(EIM), (server,))
    probe.ask("fa", server, "filtering", server.primary)
    seen = classify(probe.evidence, Family.IPV4)

    assert seen is not None
    assert seen.undetermined["mapping"] == "no mapping test was made"


def test_samples_of_reachability_on_one_socket_count_too() -> None:
    servers = plain(2)
    probe = Probe(ModelNat(EIM), servers)
    for server in servers:
        probe.ask("r1", server, "reach", server.primary)
    seen = classify(probe.evidence, Family.IPV4)

    assert seen is not None
    assert seen.mapping == EIM


def test_an_answer_from_elsewhere_never_counts() -> None:
    seen = nat_seen(ModelNat(EIM), *(ModelServer(s.uri, s.ip, elsewhere=True) for s in plain(3)))

    assert (seen.mapping, seen.behind_nat, seen.mapped) == ("undetermined", None, ())
    assert seen.undetermined["mapping"] == "no valid answer over UDP"


@pytest.mark.parametrize("told", ["0.0.0.0:1", "203.0.113.1:0", "224.0.0.1:5", "[2001:db8::1]:5"])
def test_what_can_be_no_mapped_address_is_none(told: str) -> None:
    def lie(_seen: TransportAddress, _random: Random) -> TransportAddress:
        return TransportAddress.parse(told)

    seen = nat_seen(ModelNat(EIM), *(ModelServer(s.uri, s.ip, lie=lie) for s in plain(2)))

    assert seen.undetermined["mapping"] == "no answer told a mapped address that can be believed"


LIES: dict[str, Callable[[TransportAddress, Random], TransportAddress]] = {
    "constant": lambda _, __: ELSEWHERE,
    "random": lambda _, random: TransportAddress("203.0.113.99", random.randrange(1, 65536)),
    "private": lambda _, __: TransportAddress("192.168.7.7", 7),
    "next-port": lambda seen, _: TransportAddress(seen.ip, seen.port ^ 1),
    "inside": lambda seen, _: TransportAddress("192.168.1.4", seen.port),
}


@pytest.mark.parametrize(
    "servers", [plain(1), plain(2), plain(4), two_operators()[1:], (*two_operators()[1:], *plain(3))]
)
@pytest.mark.parametrize("rfc5780", [False, True])
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("mapping", BEHAVIORS)
def test_no_lie_makes_a_wrong_class_where_another_server_is_honest(
    mapping: Behavior, lie: str, servers: tuple[ModelServer, ...], rfc5780: bool
) -> None:
    odd = ModelServer("stun:liar.test", "9.9.9.8", "9.9.9.9" if rfc5780 else None, lie=LIES[lie])
    nat = ModelNat(mapping, APDM)
    seen = classify(Probe(nat, (odd, *servers)).run().evidence, Family.IPV4)

    assert seen is not None
    assert seen.mapping in (mapping, "undetermined")
    assert mapping in seen.mapping_possible
    assert seen.behind_nat in (True, None)
    assert seen.pooling in ("paired", None)


@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_a_lone_server_that_tells_its_alternate_another_address_proves_no_dependence(filtering: Behavior) -> None:
    odd = with_field(two_operators()[0], lie=lambda seen, _: TransportAddress("203.0.113.99", seen.port))
    seen = nat_seen(ModelNat(EIM, filtering), with_field(odd, lies_from="its alternate address"))

    assert seen.mapping == "undetermined"
    assert "no second operator" in seen.undetermined["mapping"]


OTHER_PORTS: dict[str, Lie] = {
    "the next": lambda seen, _: TransportAddress(seen.ip, seen.port % 65535 + 1),
    "one of its own for each": lambda seen, _: TransportAddress(seen.ip, 1024 + seen.port * 40503 % 60000),
}


@pytest.mark.parametrize("lie", OTHER_PORTS.values(), ids=OTHER_PORTS)
@pytest.mark.parametrize("place", ["its alternate address", "its primary address"])
@pytest.mark.parametrize(
    ("response_port", "why"), [("obeys", "no answer that"), ("refuses", "error 420"), ("ignores", "it ignores")]
)
def test_a_lone_server_that_tells_another_port_from_one_of_its_addresses_proves_no_dependence(
    lie: Lie, place: Place, response_port: ResponsePort, why: str
) -> None:
    odd = with_field(two_operators()[0], lie=lie, lies_from=place, response_port=response_port)
    for filtering in BEHAVIORS:
        for nat in (ModelNat(EIM, filtering), ModelNat(EIM, filtering, ports="kept")):
            seen = nat_seen(nat, odd)
            assert seen.mapping == "undetermined"
            assert EIM in seen.mapping_possible
            assert why in seen.undetermined["mapping"]


@pytest.mark.parametrize("mapping", BEHAVIORS)
@pytest.mark.parametrize(("response_port", "ports"), [("obeys", "random"), ("refuses", "kept"), ("ignores", "kept")])
def test_a_lone_honest_server_is_believed_where_its_word_can_be_checked(
    mapping: Behavior, response_port: ResponsePort, ports: str
) -> None:
    honest = with_field(two_operators()[0], response_port=response_port)
    for filtering in BEHAVIORS:
        nat = ModelNat(mapping, filtering, ports="kept" if ports == "kept" else "random")
        assert nat_seen(nat, honest).mapping == mapping


def test_a_lone_server_outside_that_tells_our_own_private_address_proves_no_lack_of_a_nat() -> None:
    own = TransportAddress(ModelNat(EIM).local_ip, 40000)
    mirror = with_field(two_operators()[0], lie=lambda seen, _: TransportAddress(own.ip, seen.port))
    seen = nat_seen(ModelNat(EIM, APDM, ports="kept"), mirror)

    assert seen.behind_nat is None
    assert "own private address" in seen.undetermined["behind_nat"]


def test_without_a_nat_one_server_suffices() -> None:
    assert nat_seen(ModelNat(EIM, translates=False), *plain(1)).mapping == EIM


@pytest.mark.parametrize(
    ("servers", "step"),
    [
        (plain(1), "ask a second server"),
        (
            (ModelServer("stun:a.google.example", "9.9.9.1"), ModelServer("stun:b.google.example", "9.9.9.2")),
            "add a server of another operator",
        ),
    ],
)
def test_what_is_undetermined_comes_with_the_next_step(servers: tuple[ModelServer, ...], step: str) -> None:
    seen = nat_seen(ModelNat(EIM), *servers)

    assert step in seen.find_out["mapping"]
    assert "without --server" in seen.find_out["filtering"]
    assert set(seen.find_out) == {"mapping", "filtering"}


def test_silence_has_no_next_step_of_its_own() -> None:
    assert nat_seen(ModelNat(EIM, blocks_udp=True), *plain(2)).find_out == {}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_connections_spread_by_lot_over_several_addresses_are_never_told_as_one_mapping(count: int) -> None:
    pool = tuple(f"203.0.113.{50 + number}" for number in range(count))
    spread = ModelNat(APDM, APDM, pool=pool, pooling="arbitrary", ports="kept", overloads=True)
    nats = fresh(spread, 60)

    told = [nat_seen(nat, *two_operators()[:1]).mapping for nat in nats]

    assert told.count(EIM) + told.count(ADM) <= 1


def test_one_mapping_for_all_is_told_where_each_socket_has_an_address_of_a_pool() -> None:
    pool = tuple(f"203.0.113.{50 + number}" for number in range(4))
    nats = fresh(ModelNat(EIM, APDM, pool=pool, pooling="arbitrary", ports="kept"), 20)

    told = [nat_seen(nat, *two_operators()[:1]).mapping for nat in nats]

    assert told.count(EIM) >= 15
    assert set(told) <= {EIM, "undetermined"}


def test_addresses_that_may_agree_by_chance_are_a_reason() -> None:
    nat = ModelNat(EIM, APDM, pool=("203.0.113.50", "203.0.113.51"), pooling="arbitrary", ports="kept")

    seen = nat_seen(nat, *two_operators()[:1])

    assert seen.mapping_possible == BEHAVIORS
    assert "by chance" in seen.undetermined["mapping"]
