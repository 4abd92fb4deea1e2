"""Filtering behavior: every liar, and every missing link in the proof that a silence is the NAT's doing."""

from collections.abc import Callable
from dataclasses import replace as with_field

import msgspec
import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Answer, Binding, Evidence, Failure
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify
from support.nat_model import ModelNat, ModelServer, Obedience, plain, two_operators
from support.nat_probe import OFFSETS_MS, Probe

EIM, ADM, APDM = BEHAVIORS
EIF, ADF, APDF = BEHAVIORS
ONE, TWO = two_operators()
WITHOUT_RESPONSE_PORT, ALSO_WITHOUT = (with_field(server, response_port="refuses") for server in (ONE, TWO))


def judged(*observations: Binding) -> Nat:
    seen = classify(Evidence(observations=observations), Family.IPV4)
    assert seen is not None
    return seen


def nat_seen(nat: ModelNat, *servers: ModelServer) -> Nat:
    return judged(*Probe(nat, servers).run().seen)


def changed(nat: ModelNat, change: Callable[[Binding], Binding | None], *servers: ModelServer) -> Nat:
    """Classify what a probe saw after every observation went through ``change``."""
    seen = (change(item) for item in Probe(nat, servers or (ONE,)).run().seen)
    return judged(*(item for item in seen if item is not None))


def silenced(item: Binding) -> Binding:
    exchange = msgspec.structs.replace(item.exchange, answers=(), failure=Failure.TIMEOUT, rtt_ms=None)
    return msgspec.structs.replace(item, exchange=exchange)


LIARS: dict[str, tuple[ModelServer, str]] = {
    "ignores": (with_field(ONE, obedience="ignores"), "ignores CHANGE-REQUEST"),
    "refuses": (with_field(ONE, obedience="refuses"), "error 420"),
    "elsewhere": (with_field(ONE, obedience="answers-from-elsewhere"), "198.51.100.99:9999"),
    "same-ip": (with_field(ONE, claims=TransportAddress(ONE.ip, 3479)), "its own IP address"),
    "same-port": (with_field(ONE, claims=TransportAddress("198.51.100.2", 3478)), "the port 3478"),
    "port-0": (with_field(ONE, claims=TransportAddress("198.51.100.2", 0)), "the port 0"),
    "private": (with_field(ONE, claims=TransportAddress("10.0.0.2", 3479)), "is private"),
    "other-family": (with_field(ONE, claims=TransportAddress("2001:db8::1", 3479)), "another family"),
    "dead-alternates": (with_field(ONE, alternates_up=False), "did not answer a direct request"),
    "drops": (with_field(ONE, obedience="drops"), "control"),
    "plain": (plain(1)[0], "no server that was asked can answer from another address"),
}


@pytest.mark.parametrize("filtering", BEHAVIORS)
@pytest.mark.parametrize("liar", LIARS)
def test_a_lying_server_alone_leaves_the_filter_undetermined_and_is_named(liar: str, filtering: Behavior) -> None:
    server, reason = LIARS[liar]
    probe = Probe(ModelNat(EIM, filtering), (server,)).run()
    for socket in ("fa", "ca"):
        if server.claims:
            probe.ask(socket, server, "filtering", server.primary)
            probe.changes(socket, server, "filtering")

    seen = judged(*probe.seen)

    if (liar, filtering) == ("dead-alternates", EIF):
        assert seen.filtering == EIF, "an answer that came is proof, whatever else is down"
        return
    # An answer from elsewhere that the filter lets through exposes the liar; where it does not, there is no control.
    expected = "control" if liar == "elsewhere" and filtering != EIF else reason
    assert seen.filtering == "undetermined"
    assert expected in seen.undetermined["filtering"]
    assert filtering in seen.filtering_possible


@pytest.mark.parametrize("mapping", BEHAVIORS)
@pytest.mark.parametrize("filtering", BEHAVIORS)
@pytest.mark.parametrize("liar", [name for name in LIARS if name != "drops"])
def test_no_liar_makes_a_wrong_class_of_any_nat(liar: str, filtering: Behavior, mapping: Behavior) -> None:
    for servers in ((LIARS[liar][0],), (LIARS[liar][0], TWO)):
        seen = nat_seen(ModelNat(mapping, filtering), *servers)

        if (liar, mapping, len(servers)) == ("elsewhere", APDM, 1):
            continue  # its lie does not get through; see the test of what is priced in
        assert seen.filtering in (filtering, "undetermined")
        assert seen.mapping in (mapping, "undetermined")


@pytest.mark.parametrize("mapping", BEHAVIORS)
@pytest.mark.parametrize("filtering", BEHAVIORS)
@pytest.mark.parametrize("liar", ["ignores", "refuses", "same-ip", "same-port", "private", "other-family", "plain"])
def test_a_liar_that_is_found_out_does_not_hide_what_the_honest_one_shows(
    liar: str, filtering: Behavior, mapping: Behavior
) -> None:
    assert nat_seen(ModelNat(mapping, filtering), LIARS[liar][0], TWO).filtering == filtering


@pytest.mark.parametrize("liar", ["drops", "elsewhere"])
@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_a_server_that_never_showed_that_it_obeys_proves_no_filter(liar: str, filtering: Behavior) -> None:
    seen = nat_seen(ModelNat(APDM, filtering), LIARS[liar][0])

    assert seen.filtering == "undetermined"
    assert filtering in seen.filtering_possible


@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_without_response_port_a_strict_filter_behind_a_symmetric_nat_stays_open(filtering: Behavior) -> None:
    seen = nat_seen(ModelNat(APDM, filtering, ports="kept"), WITHOUT_RESPONSE_PORT)

    assert seen.filtering == (filtering if filtering == EIF else "undetermined")
    assert filtering in seen.filtering_possible
    assert filtering != ADF or "a second operator has to say the same" in seen.undetermined["filtering"]


@pytest.mark.parametrize("filtering", [EIF, ADF])
def test_two_operators_without_response_port_that_say_the_same_are_believed(filtering: Behavior) -> None:
    assert nat_seen(ModelNat(APDM, filtering), WITHOUT_RESPONSE_PORT, ALSO_WITHOUT).filtering == filtering


@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_a_server_that_drops_the_request_does_not_hide_what_the_honest_one_shows(filtering: Behavior) -> None:
    assert nat_seen(ModelNat(APDM, filtering), LIARS["drops"][0], TWO).filtering == filtering


def test_operators_that_contradict_each_other_are_both_named() -> None:
    def one_answers_controls_only(item: Binding) -> Binding:
        test = item.purpose == "filtering" and item.change != "none" and item.server == ONE.uri
        sent = tuple(item.t_ms + offset for offset in OFFSETS_MS)
        quiet = silenced(item)
        waited = msgspec.structs.replace(
            quiet, duration_ms=3000.0, exchange=msgspec.structs.replace(quiet.exchange, sent_ms=sent)
        )
        return waited if test else item

    seen = changed(ModelNat(EIM, EIF), one_answers_controls_only, ONE, TWO)

    assert seen.filtering == "undetermined"
    assert "inconsistent" in seen.undetermined["filtering"]
    assert ONE.uri in seen.undetermined["filtering"]
    assert TWO.uri in seen.undetermined["filtering"]
    assert seen.filtering_possible == BEHAVIORS


def test_a_control_that_was_delivered_counts_for_more_than_a_server_that_obeyed_otherwise() -> None:
    obeyed = nat_seen(ModelNat(APDM, ADF), WITHOUT_RESPONSE_PORT, ALSO_WITHOUT).confidence["filtering"].p_wrong
    shown = nat_seen(ModelNat(APDM, ADF), ONE, TWO).confidence["filtering"].p_wrong

    assert obeyed is not None
    assert shown is not None
    assert shown < obeyed < 0.001


def is_filter(item: Binding, *changes: str) -> bool:
    return item.purpose == "filtering" and item.change in (changes or ("none", "port", "address-and-port"))


def drop_plain_on_filter_socket(item: Binding) -> Binding | None:
    return silenced(item) if is_filter(item, "none") else item


def drop_control(item: Binding) -> Binding | None:
    return silenced(item) if item.purpose == "control" and item.change != "none" else item


def drop_direct_alternates(item: Binding) -> Binding | None:
    return silenced(item) if item.change == "none" and item.role != "primary" else item


def forbid_filter(item: Binding) -> Binding | None:
    if not is_filter(item, "port", "address-and-port") or item.exchange.answers:
        return item
    refused = msgspec.structs.replace(item.exchange, failure=Failure.CONNECTION_REFUSED)
    return msgspec.structs.replace(item, exchange=refused)


def no_duration(item: Binding) -> Binding | None:
    return msgspec.structs.replace(item, duration_ms=None)


def short_wait(item: Binding) -> Binding | None:
    return msgspec.structs.replace(item, duration_ms=400.0) if not item.exchange.answers else item


def slow_server(item: Binding) -> Binding | None:
    exchange = msgspec.structs.replace(item.exchange, rtt_ms=item.exchange.rtt_ms and 3000.0)
    return msgspec.structs.replace(item, exchange=exchange)


def without_filter(item: Binding) -> Binding | None:
    return None if is_filter(item, "port", "address-and-port") else item


MISSING = {
    "the plain request on the filtering socket": (drop_plain_on_filter_socket, "plain request"),
    "the control": (drop_control, "came to the control either"),
    "the direct answer of the alternates": (drop_direct_alternates, "did not answer a direct request"),
    "silence": (forbid_filter, "ran to its end"),
    "the time waited": (no_duration, "loss cannot be excluded: 0 transmissions"),
    "a long enough wait": (short_wait, "loss cannot be excluded: 2 transmissions"),
    "a wait for a slow server": (slow_server, "loss cannot be excluded: 0 transmissions"),
    "the tests themselves": (without_filter, "ran to its end"),
}


@pytest.mark.parametrize("filtering", [ADF, APDF])
@pytest.mark.parametrize("missing", MISSING)
def test_silence_proves_nothing_without(missing: str, filtering: Behavior) -> None:
    change, reason = MISSING[missing]
    seen = changed(ModelNat(EIM, filtering), change)

    assert seen.filtering == "undetermined"
    assert reason in seen.undetermined["filtering"]
    assert filtering in seen.filtering_possible


def test_half_of_a_proof_still_excludes_what_it_excludes() -> None:
    def drop_port_control(item: Binding) -> Binding | None:
        return silenced(item) if item.purpose == "control" and item.change == "port" else item

    seen = changed(ModelNat(EIM, APDF), drop_port_control)

    assert seen.filtering == "undetermined"
    assert seen.filtering_possible == (ADF, APDF)
    assert seen.undetermined["filtering"].startswith("address-dependent or address-and-port-dependent; ")


def test_the_silence_of_the_port_test_alone_proves_the_strictest_filter() -> None:
    def drop_far_control(item: Binding) -> Binding | None:
        return silenced(item) if item.purpose == "control" and item.change == "address-and-port" else item

    assert changed(ModelNat(EIM, APDF), drop_far_control).filtering == APDF


def test_an_answer_from_another_port_alone_excludes_only_the_strictest_filter() -> None:
    seen = changed(ModelNat(EIM, ADF), drop_control)

    assert seen.filtering_possible == (EIF, ADF)


def test_two_servers_together_prove_what_neither_does() -> None:
    def halves(item: Binding) -> Binding | None:
        far_of_one = item.server == ONE.uri and item.purpose == "control" and item.change == "address-and-port"
        near_of_two = item.server == TWO.uri and item.purpose == "filtering" and item.change == "port"
        return silenced(item) if far_of_one or near_of_two else item

    assert changed(ModelNat(EIM, ADF), halves, ONE).filtering_possible == (EIF, ADF)
    assert changed(ModelNat(EIM, ADF), halves, TWO).filtering_possible == (ADF, APDF)
    assert changed(ModelNat(EIM, ADF), halves, ONE, TWO).filtering == ADF


def test_a_late_answer_counts_as_an_arrival() -> None:
    def late(item: Binding) -> Binding | None:
        if not is_filter(item, "address-and-port"):
            return item
        answers = tuple(msgspec.structs.replace(answer, late=True, t_ms=5000.0) for answer in item.exchange.answers)
        exchange = msgspec.structs.replace(item.exchange, answers=answers, failure=Failure.TIMEOUT)
        return msgspec.structs.replace(item, exchange=exchange)

    assert changed(ModelNat(EIM, EIF), late).filtering == EIF


@pytest.mark.parametrize("port", [3478, 3479])
def test_a_socket_that_contacted_the_alternate_address_proves_nothing(port: int) -> None:
    assert ONE.other_ip
    probe = Probe(ModelNat(EIM, ADF), (ONE,))
    probe.ask("fa", ONE, "filtering", TransportAddress(ONE.other_ip, port))

    assert judged(*probe.run().seen).filtering != EIF


def test_the_same_local_port_under_another_label_is_the_same_socket() -> None:
    probe = Probe(ModelNat(EIM, APDF), (ONE,))
    opened = probe.ask("fa", ONE, "reach", TransportAddress(ONE.ip, 3479))
    seen = probe.run().seen

    renamed = (msgspec.structs.replace(opened, socket="r1"), *seen[1:])

    assert judged(*renamed).filtering == "undetermined"


def test_an_answer_whose_source_is_not_known_proves_no_filter() -> None:
    def unknown(item: Binding) -> Binding | None:
        if item.change == "none":
            return item
        answers = tuple(msgspec.structs.replace(answer, source=None) for answer in item.exchange.answers)
        return msgspec.structs.replace(item, exchange=msgspec.structs.replace(item.exchange, answers=answers))

    assert changed(ModelNat(EIM, EIF), unknown).filtering == "undetermined"


@pytest.mark.parametrize("mapping", [ADM, APDM])
def test_alternates_that_do_not_name_the_primary_are_not_taken_for_one_server(mapping: Behavior) -> None:
    def one_sided(item: Binding) -> Binding | None:
        answers: tuple[Answer, ...] = tuple(
            msgspec.structs.replace(answer, other_address=ONE.other) for answer in item.exchange.answers
        )
        return msgspec.structs.replace(item, exchange=msgspec.structs.replace(item.exchange, answers=answers))

    seen = changed(ModelNat(mapping, ADF, ports="kept"), one_sided, WITHOUT_RESPONSE_PORT)

    assert seen.filtering_possible == (EIF, ADF)
    assert "RESPONSE-PORT" in seen.undetermined["filtering"]


def test_where_only_addresses_count_the_control_for_the_other_port_is_demanded() -> None:
    seen = changed(ModelNat(ADM, APDF), drop_control)

    assert seen.filtering_possible == BEHAVIORS
    assert "came to the control either" in seen.undetermined["filtering"]


def test_a_server_that_names_several_alternates_is_not_believed() -> None:
    def moving(item: Binding) -> Binding | None:
        if item.purpose != "filtering":
            return item
        other = TransportAddress("198.51.100.77", 3479)
        answers = tuple(msgspec.structs.replace(answer, other_address=other) for answer in item.exchange.answers)
        return msgspec.structs.replace(item, exchange=msgspec.structs.replace(item.exchange, answers=answers))

    seen = changed(ModelNat(EIM, EIF), moving)

    assert "names several OTHER-ADDRESSes" in seen.undetermined["filtering"]


@pytest.mark.parametrize("obedience", ["ignores", "refuses", "answers-from-elsewhere"])
def test_a_fault_on_the_control_socket_is_the_servers_too(obedience: Obedience) -> None:
    honest = Probe(ModelNat(EIM, EIF), (ONE,)).run().seen
    lying = Probe(ModelNat(EIM, EIF), (with_field(ONE, obedience=obedience),)).run().seen
    mixed = [mine if mine.purpose != "control" else theirs for mine, theirs in zip(honest, lying, strict=True)]

    assert judged(*mixed).filtering == "undetermined"


def test_a_firewall_of_which_only_that_it_filters_is_known_is_a_firewall() -> None:
    def drop_port_control(item: Binding) -> Binding | None:
        return silenced(item) if item.purpose == "control" and item.change == "port" else item

    seen = changed(ModelNat(EIM, APDF, translates=False), drop_port_control)

    assert (seen.filtering, seen.firewall) == ("undetermined", True)


def test_whether_a_firewall_is_there_stays_open_with_the_filter() -> None:
    seen = nat_seen(ModelNat(translates=False), *plain(2))

    assert seen.firewall is None
    assert "RFC 5780" in seen.undetermined["firewall"]
