"""Hairpinning: what arrives is proof, and each link in the proof that a silence is the NAT's doing."""

from typing import Any

import pytest
from msgspec.structs import replace

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Evidence, Exchange, Failure, Hairpin, HairpinEnd, Stray
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify
from support.evidence import answered, at
from support.nat_model import INSIDE, OUTSIDE, ModelNat, ModelServer, two_operators
from support.nat_probe import Probe

EIM, ADM, APDM = BEHAVIORS
EIF, ADF, APDF = BEHAVIORS
SERVER = two_operators()[0]
SENT = tuple(100.0 + 50.0 * number for number in range(6))
RTT_MS = 40.0


def told(address: str) -> Exchange:
    """Return a transaction that was answered at once, and again each time that the request was repeated."""
    answer = answered(str(SERVER.primary), t_ms=RTT_MS, xor_mapped=at(address)).answers
    return repeated(Exchange(sent_ms=(0.0,), answers=answer, rtt_ms=RTT_MS), *SENT)


def repeated(known: Exchange, *heard_ms: float) -> Exchange:
    strays = (Stray(t_ms=ms + RTT_MS, source=SERVER.primary, size_bytes=96, why="duplicate") for ms in heard_ms)
    return replace(known, sent_ms=(0.0, *SENT), strays=tuple(strays))


def end(port: int, **more: Any) -> HairpinEnd:
    known = told(f"{OUTSIDE}:{port}")
    return replace(HairpinEnd(local=at(f"{INSIDE}:{port}"), before=known, after=known, sent_ms=SENT), **more)


def meeting(**more: Any) -> Hairpin:
    """Return what two sockets see, both with the same further facts."""
    ends = (end(4001, **more), end(4002, **more))
    return Hairpin(id="obs-h", t_ms=0.0, server=SERVER.uri, destination=SERVER.primary, ends=ends)


def arriving(*sources: str) -> Hairpin:
    return meeting(received=2, sources=tuple(at(source) for source in sources))


def seen(*tests: Hairpin, nat: ModelNat | None = None, loss: float = 0.0) -> Nat:
    found = Probe(nat or ModelNat(EIM, APDF), two_operators(), loss=loss).run().evidence.observations
    judged = classify(Evidence(observations=(*found, *tests)), Family.IPV4)
    assert judged is not None
    return judged


@pytest.mark.parametrize("mapping", BEHAVIORS)
@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_what_comes_back_is_proof_behind_every_nat(mapping: Behavior, filtering: Behavior) -> None:
    nat = seen(arriving(f"{OUTSIDE}:4002"), nat=ModelNat(mapping, filtering))

    assert (nat.hairpinning, nat.hairpinning_source) == (True, "external")
    assert nat.confidence["hairpinning"].evidence == ("obs-h",)


@pytest.mark.parametrize(
    ("source", "kind"), [(f"{OUTSIDE}:9", "external"), (f"{INSIDE}:4002", "internal"), ("198.51.100.77:1", None)]
)
def test_the_source_is_named_where_it_is_one_of_this_computers(source: str, kind: str | None) -> None:
    nat = seen(arriving(source))

    assert (nat.hairpinning, nat.hairpinning_source) == (True, kind)
    assert ("hairpinning_source" in nat.undetermined) is (kind is None)


@pytest.mark.parametrize("mapping", BEHAVIORS)
@pytest.mark.parametrize("filtering", BEHAVIORS)
def test_silence_is_no_only_where_no_filter_can_have_been_in_the_way(mapping: Behavior, filtering: Behavior) -> None:
    nat = seen(meeting(), nat=ModelNat(mapping, filtering))

    assert nat.hairpinning is (False if mapping == EIM or filtering == EIF else None)
    if nat.hairpinning is None:
        assert "the filter alone" in nat.undetermined["hairpinning"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"before": told("[2001:db8::7]:4001"), "after": told("[2001:db8::7]:4001")}, "another family"),
        ({"after": None}, "outlive"),
        ({"after": told(f"{OUTSIDE}:4999")}, "outlive"),
        ({"after": Exchange(sent_ms=(0.0,), failure=Failure.TIMEOUT)}, "outlive"),
        ({"before": Exchange(sent_ms=(0.0,), failure=Failure.TIMEOUT)}, "did not tell both mapped addresses"),
        ({"sent_ms": SENT[:1]}, "loss cannot be excluded: 0 datagrams count"),
    ],
)
def test_silence_with_a_link_missing_is_undetermined(facts: dict[str, Any], reason: str) -> None:
    nat = seen(meeting(**facts))

    assert nat.hairpinning is None
    assert reason in nat.undetermined["hairpinning"]


def test_the_first_datagram_of_each_end_may_have_met_a_closed_filter_and_does_not_count() -> None:
    assert seen(meeting(sent_ms=SENT[:2])).hairpinning is None
    assert seen(meeting(sent_ms=SENT[:4])).hairpinning is False


def test_what_was_sent_while_the_server_was_silent_too_is_one_burst_of_loss() -> None:
    known = told(f"{OUTSIDE}:4001")
    assert seen(meeting(before=repeated(known), after=known)).hairpinning is None
    assert seen(meeting(before=repeated(known, SENT[1]), after=known)).hairpinning is None
    assert seen(meeting(before=repeated(known, *SENT[3:]), after=known)).hairpinning is False


def test_a_path_that_loses_much_proves_nothing_by_silence() -> None:
    assert seen(meeting(sent_ms=SENT[:4]), loss=0.4).hairpinning is None


def test_one_meeting_that_proves_something_outweighs_one_that_does_not() -> None:
    assert seen(meeting(after=None), meeting()).hairpinning is False
    assert seen(meeting(), arriving(f"{OUTSIDE}:4002")).hairpinning is True


def test_without_nat_there_is_nothing_to_turn_back() -> None:
    nat = seen(arriving(f"{OUTSIDE}:4002"), nat=ModelNat(translates=False))

    assert nat.hairpinning is None
    assert nat.undetermined["hairpinning"] == "there is no NAT"


def test_servers_of_another_scope_or_family_and_liars_do_not_count() -> None:
    near = replace(arriving(f"{OUTSIDE}:4002"), destination=TransportAddress("192.168.1.1", 3478))
    other = replace(arriving(f"{OUTSIDE}:4002"), destination=TransportAddress("2001:db8::1", 3478))

    assert seen(near, other).undetermined["hairpinning"] == "not tested: --hairpin"


def test_the_mapped_addresses_of_a_server_that_is_not_believed_prove_nothing() -> None:
    liar = ModelServer("stun:liar.example", "9.9.9.7", lie=lambda _seen, _random: at("10.0.0.1:5"))
    found = Probe(ModelNat(EIM, APDF), (*two_operators(), liar)).run().evidence.observations
    test = replace(arriving("10.0.0.1:5"), server=liar.uri, destination=liar.primary)
    nat = classify(Evidence(observations=(*found, test)), Family.IPV4)

    assert nat is not None
    assert liar.uri in nat.distrusted
    assert nat.hairpinning is None
