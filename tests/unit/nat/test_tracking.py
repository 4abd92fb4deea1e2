"""Does an unasked packet cost the NAT a port: told from what a filtering test's socket saw after its silence."""

from collections.abc import Callable
from dataclasses import replace as with_field

import msgspec
import pytest

from rtcdiag.address import Family
from rtcdiag.evidence import Answer, Binding, Evidence, Failure
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify
from support.nat_model import ModelNat, ModelServer, two_operators
from support.nat_probe import Probe

EIM, ADM, APDM = BEHAVIORS
EIF, ADF, APDF = BEHAVIORS
ONE, TWO = two_operators()
LINUX = ModelNat(EIM, APDF, ports="kept", tracks=True)
HOME = ModelNat(EIM, APDF, ports="kept")


def fresh(nat: ModelNat) -> ModelNat:
    return with_field(nat, _outside={}, _inside={}, _contacted={}, _tracked={})


def judged(
    nat: ModelNat, *servers: ModelServer, change: Callable[[Binding], Binding | None] = lambda item: item
) -> Nat:
    seen = (change(item) for item in Probe(fresh(nat), servers or (ONE, TWO)).run().seen)
    found = classify(Evidence(observations=tuple(item for item in seen if item is not None)), Family.IPV4)
    assert found is not None
    return found


@pytest.mark.parametrize(("nat", "tracks"), [(LINUX, True), (HOME, False)])
def test_a_nat_that_moves_its_port_after_an_unasked_packet_is_told_from_one_that_keeps_it(
    nat: ModelNat, tracks: bool
) -> None:
    found = judged(nat)

    assert (found.mapping, found.filtering, found.tracks_unsolicited) == (EIM, APDF, tracks)
    assert found.confidence["tracks_unsolicited"].evidence


def test_where_everything_gets_in_nothing_can_cost_a_port() -> None:
    assert judged(ModelNat(EIM, EIF, ports="kept", tracks=True)).tracks_unsolicited is False


@pytest.mark.parametrize(
    ("nat", "why"),
    [
        (ModelNat(APDM, APDF), "the port depends on the destination anyway"),
        (ModelNat(EIM, ADF, ports="kept"), "only behind a filter that counts ports"),
        (ModelNat(EIM, APDF, translates=False), "there is no NAT"),
    ],
)
def test_where_it_does_not_matter_it_stays_undetermined_and_says_why(nat: ModelNat, why: str) -> None:
    found = judged(nat)

    assert found.tracks_unsolicited is None
    assert why in found.undetermined["tracks_unsolicited"]


def without_follow_up(item: Binding) -> Binding | None:
    return None if item.purpose == "tracking" else item


def unheard(item: Binding) -> Binding:
    if item.purpose != "tracking":
        return item
    exchange = msgspec.structs.replace(item.exchange, answers=(), failure=Failure.TIMEOUT, rtt_ms=None)
    return msgspec.structs.replace(item, exchange=exchange)


@pytest.mark.parametrize(
    ("change", "why"),
    [(without_follow_up, "no server was asked"), (unheard, "was not heard of afterwards")],
)
def test_without_an_answer_after_the_silence_it_is_undetermined(
    change: Callable[[Binding], Binding | None], why: str
) -> None:
    found = judged(LINUX, change=change)

    assert found.tracks_unsolicited is None
    assert why in found.undetermined["tracks_unsolicited"]


def test_a_server_that_sent_nothing_to_swallow_proves_no_kept_port() -> None:
    found = judged(HOME, with_field(ONE, obedience="drops"))

    assert found.tracks_unsolicited is None


def late(item: Binding) -> Binding:
    """Let the silent test's answer arrive after the socket opened the filter."""
    if item.purpose != "filtering" or item.change != "port" or item.answer_from is None:
        return item
    answer = Answer(t_ms=5000.0, source=item.answer_from, expected_source=True, size_bytes=68, success=True)
    return msgspec.structs.replace(item, exchange=msgspec.structs.replace(item.exchange, answers=(answer,)))


def test_what_arrives_after_the_filter_was_opened_is_no_sign_of_an_open_filter() -> None:
    assert judged(HOME, change=late).filtering == APDF
    assert judged(LINUX, change=late).tracks_unsolicited is True


@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_the_port_that_it_lost_changes_no_other_judgement(filtering: Behavior) -> None:
    found, usual = (judged(ModelNat(EIM, filtering, ports="kept", tracks=tracks)) for tracks in (True, False))

    for field in ("mapping", "filtering", "pooling", "port_preservation", "port_assignment", "mapped", "behind_nat"):
        assert getattr(found, field) == getattr(usual, field), field
