"""Two NATs and ICE, against the matrix of the literature, cell by cell."""

from itertools import product

import msgspec
import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, Pooling
from rtcdiag.traversal import (
    PEERS,
    Between,
    DirectHere,
    Endpoint,
    Order,
    Path,
    PeerKind,
    Reachable,
    Side,
    connects,
    direct_over_families,
    direct_verdict,
    endpoint_of,
    explain,
    outcomes,
    paths,
    predict,
    reach_rows,
)

EIM, ADM, APDM = BEHAVIORS
EIF, ADF, APDF = BEHAVIORS
MAPPED = (TransportAddress("203.0.113.50", 5000),)

COLUMNS: tuple[tuple[tuple[Behavior, ...], Behavior], ...] = (
    ((EIM,), EIF),
    ((EIM,), ADF),
    ((EIM,), APDF),
    ((ADM, APDM), EIF),
    ((ADM, APDM), ADF),
    ((ADM, APDM), APDF),
)
MATRIX = {
    "open": (EIM, EIF, "yes yes yes yes yes yes"),
    "full cone": (EIM, EIF, "yes yes yes yes yes yes"),
    "restricted": (EIM, ADF, "yes yes yes yes yes yes"),
    "port restricted": (EIM, APDF, "yes yes yes no no no"),
    "firewall": (EIM, APDF, "yes yes yes no no no"),
    "symmetric by address": (ADM, APDF, "yes yes no no no no"),
    "symmetric by port": (APDM, APDF, "yes yes no no no no"),
}
"""Rows by kind of NAT here; columns as in COLUMNS."""
CELLS = [
    (mapping, filtering, column, answer)
    for mapping, filtering, row in MATRIX.values()
    for column, answer in zip(COLUMNS, row.split(), strict=True)
]
WITHOUT_EIM = {
    frozenset({(ADM, EIF)}),
    frozenset({(ADM, EIF), (ADM, ADF)}),
    frozenset({(ADM, EIF), (APDM, EIF)}),
    frozenset({(ADM, EIF), (APDM, ADF)}),
    frozenset({(ADM, ADF), (APDM, EIF)}),
}
"""The pairs of two dependent mappings that work: nobody filters by port, one lets all in, one maps by address."""


def side(mapping: Behavior, filtering: Behavior) -> Endpoint:
    return Endpoint(mappings=(mapping,), filterings=(filtering,))


@pytest.mark.parametrize(("mapping", "filtering", "column", "answer"), CELLS)
def test_every_cell_of_the_matrix_is_predicted(
    mapping: Behavior, filtering: Behavior, column: tuple[tuple[Behavior, ...], Behavior], answer: Reachable
) -> None:
    for peer_mapping in column[0]:
        assert predict(side(mapping, filtering), side(peer_mapping, column[1])) == answer
        assert predict(side(peer_mapping, column[1]), side(mapping, filtering)) == answer


DEPENDENT = tuple(product((ADM, APDM), BEHAVIORS))


@pytest.mark.parametrize(("here", "peer"), list(product(DEPENDENT, DEPENDENT)))
def test_two_dependent_mappings_connect_in_the_known_corners_only(
    here: tuple[Behavior, Behavior], peer: tuple[Behavior, Behavior]
) -> None:
    assert predict(side(*here), side(*peer)) == ("yes" if frozenset({here, peer}) in WITHOUT_EIM else "no")


@pytest.mark.parametrize("mapping", [ADM, APDM])
@pytest.mark.parametrize(("filtering", "answer"), [(EIF, "yes"), (ADF, "no"), (APDF, "no")])
def test_arbitrary_pooling_behind_a_symmetric_nat_leaves_only_open_filters(
    mapping: Behavior, filtering: Behavior, answer: Reachable
) -> None:
    here = Endpoint(mappings=(mapping,), filterings=(APDF,), poolings=("arbitrary",))

    assert predict(here, side(EIM, filtering)) == answer


def test_pooling_does_not_matter_to_one_mapping_for_all() -> None:
    for filtering, peer in product(BEHAVIORS, PEERS.values()):
        arbitrary = Endpoint(mappings=(EIM,), filterings=(filtering,), poolings=("arbitrary",))

        assert predict(arbitrary, peer) == predict(side(EIM, filtering), peer)


def test_who_is_called_here_does_not_matter() -> None:
    sides = [Side(*values) for values in product(BEHAVIORS, BEHAVIORS, ("paired", "arbitrary"))]  # type: ignore[arg-type]  # product widens

    assert all(connects(one, two) == connects(two, one) for one, two in product(sides, sides))


def test_more_rounds_of_checks_bring_no_other_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = [Side(*values) for values in product(BEHAVIORS, BEHAVIORS, ("paired", "arbitrary"))]  # type: ignore[arg-type]  # product widens
    before = [connects(one, two) for one, two in product(sides, sides)]
    for rounds in (3, 7):
        monkeypatch.setattr("rtcdiag.traversal.checks.ROUNDS", rounds)
        paths.cache_clear()
        assert [connects(one, two) for one, two in product(sides, sides)] == before
    paths.cache_clear()


def test_all_possibilities_have_to_agree() -> None:
    unknown_filter = Endpoint(mappings=(EIM,))

    assert predict(unknown_filter, PEERS["port-restricted"]) == "yes"
    assert predict(unknown_filter, PEERS["symmetric"]) == "unknown"
    assert predict(Endpoint(mappings=(ADM, APDM)), PEERS["port-restricted"]) == "no"
    assert predict(Endpoint(), PEERS["udp-blocked"]) == "no"
    assert predict(Endpoint(udp=False), PEERS["open"]) == "no"


@pytest.mark.parametrize("pooling", [None, "arbitrary"])
def test_where_a_nat_may_take_another_address_each_time_a_filter_by_address_is_a_matter_of_luck(
    pooling: Pooling | None,
) -> None:
    nat = Nat(mapping=APDM, filtering=APDF, pooling=pooling)

    assert predict(endpoint_of(nat), PEERS["address-restricted"]) == "unknown"
    words = "direct if the NAT here keeps one public address"
    assert explain(endpoint_of(nat), PEERS["address-restricted"]) == words


KINDS: tuple[PeerKind, ...] = (
    "open",
    "full-cone",
    "address-restricted",
    "port-restricted",
    "symmetric",
    "firewalled",
    "udp-blocked",
)


@pytest.mark.parametrize(
    ("mapping", "filtering", "row", "verdict"),
    [
        (EIM, EIF, "yes yes yes yes yes yes no", "likely"),
        (EIM, ADF, "yes yes yes yes yes yes no", "likely"),
        (EIM, APDF, "yes yes yes yes no yes no", "depends-on-peer"),
        (ADM, APDF, "yes yes yes no no no no", "depends-on-peer"),
        (APDM, EIF, "yes yes yes no no no no", "depends-on-peer"),
        (APDM, APDF, "yes yes yes no no no no", "depends-on-peer"),
        (EIM, "undetermined", "yes yes yes yes unknown yes no", "depends-on-peer"),
        ("undetermined", APDF, "yes yes yes unknown no unknown no", "depends-on-peer"),
    ],
)
def test_each_kind_of_peer_has_its_row(mapping: Behavior, filtering: Behavior, row: str, verdict: DirectHere) -> None:
    nat = Nat(mapping=mapping, filtering=filtering, pooling="paired", mapped=MAPPED)
    rows = reach_rows(nat, None)

    assert tuple(item.peer for item in rows) == KINDS
    assert [item.direct for item in rows] == row.split()
    assert all(item.why and "\n" not in item.why for item in rows)
    assert direct_verdict(nat) == verdict


@pytest.mark.parametrize(
    ("here", "peer", "words"),
    [
        (side(EIM, APDF), PEERS["port-restricted"], "both sides keep one public address"),
        (side(APDM, APDF), PEERS["open"], "the peer lets packets in from anywhere"),
        (side(EIM, EIF), PEERS["symmetric"], "this side lets packets in from anywhere"),
        (side(EIM, ADF), PEERS["symmetric"], "this side lets in every port"),
        (side(APDM, APDF), PEERS["address-restricted"], "the peer lets in every port"),
        (side(EIM, APDF), PEERS["symmetric"], "this side's filter drops them"),
        (side(APDM, APDF), PEERS["firewalled"], "the peer's filter drops them"),
        (side(APDM, APDF), PEERS["symmetric"], "both sides use another port"),
        (Endpoint(udp=False), PEERS["open"], "no UDP gets out"),
        (side(EIM, EIF), PEERS["udp-blocked"], "no UDP gets out of the peer's network"),
        (Endpoint(mappings=(EIM,)), PEERS["symmetric"], f"direct if filtering here is not {APDF}"),
        (Endpoint(filterings=(APDF,)), PEERS["firewalled"], f"direct if mapping here is {EIM}"),
        (Endpoint(), PEERS["symmetric"], f"direct if mapping here is {EIM} and filtering is not {APDF}"),
        (
            Endpoint(filterings=(APDF,), poolings=("paired", "arbitrary")),
            PEERS["address-restricted"],
            f"direct at least if mapping here is {EIM}",
        ),
        (side(EIM, APDF), Endpoint(), f"direct if mapping at the peer is {EIM}"),
    ],
)
def test_the_reason_says_what_decides(here: Endpoint, peer: Endpoint, words: str) -> None:
    assert explain(here, peer).startswith(words) or words in explain(here, peer)


LINUX = Endpoint(mappings=(EIM,), filterings=(APDF,), tracks=(True,))
"""A masquerade whose router accepts what nobody asked for."""


@pytest.mark.parametrize(
    ("peer", "answer", "by_order"),
    [
        (LINUX, "unknown", {"together": True, "here": False, "peer": False}),
        (side(EIM, APDF), "unknown", {"together": True, "here": True, "peer": False}),
        (side(EIM, ADF), "yes", {"together": True, "here": True, "peer": True}),
        (side(EIM, EIF), "yes", {"together": True, "here": True, "peer": True}),
        (side(APDM, APDF), "no", {"together": False, "here": False, "peer": False}),
        (side(ADM, ADF), "no", {"together": False, "here": False, "peer": False}),
        (side(APDM, EIF), "no", {"together": False, "here": False, "peer": False}),
    ],
)
def test_where_an_unasked_packet_costs_a_port_the_order_of_the_first_packets_may_decide(
    peer: Endpoint, answer: Reachable, by_order: dict[Order, bool]
) -> None:
    (one,), (two,) = LINUX.sides, peer.sides

    found = {first: any(path.direct for path in paths(one, two, first=first)) for first in by_order}
    assert found == by_order
    assert predict(LINUX, peer) == predict(peer, LINUX) == answer


def test_who_must_not_be_first_is_said() -> None:
    words = "the peer's checks, where they arrive first, cost this side's NAT its port"

    assert words in explain(LINUX, PEERS["port-restricted"])
    assert "cost the peer's NAT its port" in explain(PEERS["firewalled"], LINUX)
    assert "cost either NAT its port" in explain(LINUX, LINUX)
    assert "order" not in explain(LINUX, PEERS["symmetric"])


def test_a_relay_works_whoever_sends_first() -> None:
    with_relay = msgspec.structs.replace(LINUX, relay=True)

    assert all(any(not path.direct for path in found) for found in outcomes(with_relay, LINUX))


def test_what_a_nat_does_with_unasked_packets_reaches_the_model() -> None:
    nat = Nat(mapping=EIM, filtering=APDF, pooling="paired", mapped=MAPPED, tracks_unsolicited=True)
    rows = {row.peer: row.direct for row in reach_rows(nat, None)}

    assert rows == {
        "open": "yes",
        "full-cone": "yes",
        "address-restricted": "yes",
        "port-restricted": "unknown",
        "symmetric": "no",
        "firewalled": "unknown",
        "udp-blocked": "no",
    }
    assert direct_verdict(nat) == "depends-on-peer"


def test_what_is_said_of_the_least_known_sides_stays_short() -> None:
    ranges = [BEHAVIORS[begin:end] for begin in range(3) for end in range(begin + 1, 4)]
    for mappings, filterings, poolings in product(ranges, ranges, (("paired",), ("paired", "arbitrary"))):
        here = Endpoint(mappings=mappings, filterings=filterings, poolings=poolings)  # type: ignore[arg-type] # of them
        assert all(len(explain(here, peer)) <= 140 for peer in (*PEERS.values(), Endpoint()))


def test_nothing_is_told_of_a_network_that_gave_no_answer() -> None:
    silent = Nat(undetermined={"mapping": "no answer over UDP"})
    rows = {row.peer: row for row in reach_rows(silent, None)}

    assert rows["open"].direct == "unknown"
    assert rows["open"].why == "no answer over UDP"
    assert rows["udp-blocked"].direct == "no"
    assert direct_verdict(silent) == "inconclusive"
    assert reach_rows(Nat(), None)[0].why == "nothing is known of the NAT here"


def test_asking_only_this_network_is_inconclusive() -> None:
    nat = Nat(mapping=EIM, filtering=EIF, mapped=MAPPED, local_only=True)

    assert direct_verdict(nat) == "inconclusive"
    assert "no server outside" in reach_rows(nat, None)[0].why


def test_blocked_udp_reaches_no_one() -> None:
    silent = Nat()

    assert direct_verdict(silent, udp_blocked=True) == "none-direct"
    assert {row.direct for row in reach_rows(silent, None, udp_blocked=True)} == {"no"}


def test_a_family_that_was_not_tested_has_no_rows() -> None:
    assert reach_rows(None, None) == ()
    assert direct_verdict(None) == "not-tested"


def test_rows_are_of_ipv4_unless_only_ipv6_can_tell() -> None:
    restricted, open_ = Nat(mapping=EIM, filtering=APDF, mapped=MAPPED), Nat(mapping=EIM, filtering=EIF, mapped=MAPPED)

    assert reach_rows(restricted, open_) == reach_rows(restricted, None)
    assert reach_rows(None, open_)[4].direct == "yes"
    assert reach_rows(Nat(), open_)[4].why.startswith("over IPv6: ")
    assert reach_rows(Nat(), Nat()) == reach_rows(Nat(), None)


@pytest.mark.parametrize(
    ("ipv4", "ipv6", "both"),
    [
        ("likely", "depends-on-peer", "likely"),
        ("depends-on-peer", "likely", "depends-on-peer"),
        ("none-direct", "likely", "depends-on-peer"),
        ("inconclusive", "depends-on-peer", "depends-on-peer"),
        ("none-direct", "none-direct", "none-direct"),
        ("none-direct", "not-tested", "none-direct"),
        ("none-direct", "inconclusive", "inconclusive"),
        ("inconclusive", "none-direct", "inconclusive"),
        ("not-tested", "likely", "likely"),
        ("not-tested", "not-tested", "not-tested"),
        ("likely", "not-tested", "likely"),
    ],
)
def test_both_families_make_one_verdict(ipv4: DirectHere, ipv6: DirectHere, both: DirectHere) -> None:
    assert direct_over_families(ipv4, ipv6) == both


STRICT = Side(APDM, APDF)


def test_one_relay_suffices_for_any_two_sides_that_have_udp() -> None:
    sides = [Side(*values) for values in product(BEHAVIORS, BEHAVIORS)]

    assert all(
        any(not path.direct for path in paths(one._replace(relay=True), two)) for one, two in product(sides, sides)
    )


def test_a_relay_lets_in_no_address_that_nobody_told() -> None:
    roaming = Side(APDM, APDF, "arbitrary")

    assert not paths(STRICT._replace(relay=True), roaming)
    assert Path("relay", "relay") in paths(STRICT._replace(relay=True), roaming._replace(relay=True))


def test_without_udp_only_a_relay_of_ones_own_is_left() -> None:
    blocked = Side(EIM, EIF, udp=False)

    assert not paths(blocked, blocked)
    assert paths(blocked._replace(relay=True), STRICT) == {Path("relay", "prflx")}
    assert not any(path.direct for path in paths(blocked._replace(relay=True), Side(EIM, EIF)))


def test_one_local_network_needs_neither_nat_nor_udp_to_the_internet() -> None:
    near = Between(same_network=True, same_address=True)

    assert Path("host", "host") in paths(STRICT, STRICT, near)
    assert Path("host", "host") in paths(STRICT._replace(udp=False), STRICT._replace(udp=False), near)


def test_behind_one_address_only_hairpinning_makes_public_addresses_reachable() -> None:
    one = Side(EIM, EIF)

    assert not paths(one, one, Between(same_address=True))
    assert Path("srflx", "srflx") in paths(one, one, Between(same_address=True, hairpinning=True))
    assert not paths(STRICT, STRICT, Between(same_address=True, hairpinning=True))


def test_a_path_is_the_same_seen_from_the_other_side() -> None:
    sides = [Side(*values) for values in product(BEHAVIORS, BEHAVIORS)]

    assert all(
        {path.reversed for path in paths(two, one._replace(relay=True))} == paths(one._replace(relay=True), two)
        for one, two in product(sides, sides)
    )


BEHIND_NAT64 = Nat(mapping=EIM, filtering=APDF, mapped=MAPPED, nat64=True, address="2001:db8::2")


def test_a_computer_that_has_ipv6_only_reaches_no_ipv4_peer_directly_through_a_nat64() -> None:
    rows = reach_rows(BEHIND_NAT64, None)

    assert {row.direct for row in rows} == {"no"}
    assert {row.why for row in rows if row.peer != "udp-blocked"} == {
        "this side has no IPv4 of its own, and ICE pairs IPv6 with IPv6 only: left are IPv6 or a relay"
    }


def test_a_nat64_that_lets_packets_in_from_anywhere_lets_it_answer_the_checks_of_ipv4_peers() -> None:
    here = endpoint_of(msgspec.structs.replace(BEHIND_NAT64, filtering=EIF))

    assert predict(here, PEERS["port-restricted"]) == "yes"
    assert predict(here, PEERS["symmetric"]) == "yes"
    assert predict(here, here) == "no", "of two such, none sends first"
    assert explain(here, PEERS["open"]).startswith("this side has no IPv4 of its own, but its NAT64 lets packets in")


def test_through_a_nat64_a_relay_of_its_own_works_and_that_of_the_other_side_does_not() -> None:
    across, plain = Side(EIM, APDF, other_family=True), Side(EIM, APDF)

    assert set(paths(across._replace(relay=True), plain)) == {Path("relay", "srflx")}
    assert not paths(across, plain._replace(relay=True))


def test_ipv4_that_the_computer_itself_makes_ipv6_of_is_checked_like_any_other() -> None:
    clat = msgspec.structs.replace(BEHIND_NAT64, address="192.0.0.2")

    assert direct_verdict(clat) == "depends-on-peer"
