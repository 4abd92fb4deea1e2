"""The lifetime of a mapping: bounds that were seen, and nothing that was not."""

from typing import Any

import pytest
from msgspec.structs import replace

from rtcdiag.address import Family
from rtcdiag.evidence import Evidence, Exchange, Failure, IdleMapping, Inward
from rtcdiag.nat import BEHAVIORS, Nat, classify, lifetime_words
from support.evidence import answer, at
from support.nat_model import OUTSIDE, ModelNat, two_operators
from support.nat_probe import Probe

EIM, _, APDM = BEHAVIORS
EIF, _, APDF = BEHAVIORS
SERVER = two_operators()[0]
SENDS = 7
END_MS = 40.0
"""When the mapping's last answer came."""


def binding(t_ms: float, port: int = 4001, ip: str = OUTSIDE) -> Exchange:
    there = at(f"{ip}:{port}")
    told = answer(str(SERVER.primary), t_ms=t_ms + 40.0, xor_mapped=there)
    return Exchange(sent_ms=(t_ms,), answers=(told,), rtt_ms=40.0)


def inward(t_ms: float, *, arrives: bool, sends: int = SENDS) -> Inward:
    """Return what is seen of requests for answers to a port, all of which arrive, or none."""
    sent = tuple(t_ms + 150.0 * number for number in range(sends))
    arrived = tuple(ms + 40.0 for ms in sent) if arrives else ()
    return Inward(port=4001, exchange=Exchange(sent_ms=sent, failure=Failure.TIMEOUT), arrived_ms=arrived)


def idle(idle_s: float, *, alive: bool, **more: Any) -> IdleMapping:
    """Return what is seen of a mapping that is sent to after a silence; behind a NAT that keeps ports."""
    t_ms = END_MS + 1000 * idle_s
    found = IdleMapping(
        id=f"obs-{idle_s:g}",
        t_ms=0.0,
        server=SERVER.uri,
        destination=SERVER.primary,
        local=None,
        idle_s=idle_s,
        before=(binding(-2100.0), binding(0.0)),
        aged=inward(t_ms, arrives=alive),
        fresh=inward(t_ms, arrives=True),
        fresh_before=binding(t_ms - 50.0, 4999),
        after=binding(t_ms + 1000.0),
    )
    return replace(found, **more)


def seen(*tests: IdleMapping, nat: ModelNat | None = None, loss: float = 0.0) -> Nat:
    found = Probe(nat or ModelNat(EIM, APDF), two_operators(), loss=loss).run().evidence.observations
    judged = classify(Evidence(observations=(*found, *tests)), Family.IPV4)
    assert judged is not None
    return judged


def why(*tests: IdleMapping, **more: Any) -> str:
    nat = seen(*tests, **more)
    assert (nat.lifetime_s, nat.lifetime_below_s) == (None, None)
    return nat.undetermined["lifetime_s"]


def test_the_lifetime_is_between_what_was_survived_and_what_was_not() -> None:
    nat = seen(*(idle(silence, alive=silence < 50) for silence in (16.0, 28.0, 43.0, 58.0, 88.0)))

    assert nat.lifetime_s == 43.0
    assert nat.lifetime_below_s is not None
    assert 58.0 <= nat.lifetime_below_s <= 59.0
    assert lifetime_words(nat) == f"between 43 and {nat.lifetime_below_s:g} s"
    assert (nat.confidence["lifetime_below_s"].p_wrong or 1) < 1e-3


def test_no_number_is_told_that_was_not_seen() -> None:
    lives, dies = seen(idle(16.0, alive=True), idle(178.0, alive=True)), seen(idle(16.0, alive=False))

    assert (lives.lifetime_s, lives.lifetime_below_s) == (178.0, None)
    assert lifetime_words(lives) == "at least 178 s"
    assert (dies.lifetime_s, dies.lifetime_below_s) == (None, 16.4)
    assert lifetime_words(dies) == "less than 16.4 s"
    assert lifetime_words(Nat()) is None


def test_what_was_survived_is_rounded_down_and_what_was_not_up() -> None:
    alive, dead = idle(16.0, alive=True), idle(28.0, alive=False)
    odd = replace(alive, aged=inward(END_MS + 16_099.0, arrives=True))

    assert seen(odd, dead).lifetime_s == 16.0
    assert (seen(odd, dead).lifetime_below_s or 0.0) >= 28.0


def test_the_silence_begins_with_the_last_packet_that_was_sent() -> None:
    again = Exchange(sent_ms=(0.0, 5000.0), answers=binding(0.0).answers)
    nat = seen(idle(16.0, alive=True, before=(binding(-2100.0), again)))

    assert nat.lifetime_s == 11.0


def test_a_mapping_that_lives_longer_than_one_that_died_sooner_is_inconsistent() -> None:
    assert why(idle(58.0, alive=False), idle(88.0, alive=True)).startswith("inconsistent: ")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"fresh": inward(0.0, arrives=False)}, "the answer to a new mapping did not arrive either"),
        ({"fresh": None}, "the answer to a new mapping did not arrive either"),
        ({"fresh_before": binding(0.0, 4999, "203.0.113.99")}, "several addresses"),
        ({"fresh_before": None}, "several addresses"),
        ({"aged": inward(16_000.0, arrives=False, sends=1)}, "loss cannot be excluded"),
        ({"before": (binding(-2100.0, 4444), binding(0.0))}, "no mapping was there"),
        ({"before": ()}, "no mapping was there"),
        ({"aged": None}, "does not answer to another port"),
    ],
)
def test_silence_with_a_link_missing_is_undetermined(facts: dict[str, Any], reason: str) -> None:
    assert reason in why(idle(16.0, alive=False, **facts))


def test_a_path_that_loses_much_proves_nothing_by_silence() -> None:
    assert why(idle(16.0, alive=False, aged=inward(16_040.0, arrives=False, sends=4)), loss=0.45) == (
        "loss cannot be excluded"
    )


def test_what_was_sent_while_the_control_was_silent_too_is_one_burst_of_loss() -> None:
    t_ms = END_MS + 16_000.0
    control = inward(t_ms, arrives=True)
    last_two = replace(control, arrived_ms=control.arrived_ms[-2:])

    assert why(idle(16.0, alive=False, fresh=last_two)) == "loss cannot be excluded"
    later = replace(control, arrived_ms=control.arrived_ms[3:])
    assert seen(idle(16.0, alive=False, fresh=later)).lifetime_below_s == 16.8


def test_another_mapped_address_afterwards_proves_that_the_old_one_was_gone() -> None:
    nat = seen(idle(16.0, alive=False, aged=None, fresh=None, after=binding(16_100.0, 4777)))

    assert (nat.lifetime_s, nat.lifetime_below_s) == (None, 16.2)


def test_the_same_mapped_address_afterwards_proves_nothing() -> None:
    assert "a NAT that keeps ports" in why(idle(16.0, alive=False, aged=None, fresh=None))


def test_an_answer_from_outside_outweighs_what_a_server_says_afterwards() -> None:
    assert seen(idle(16.0, alive=True, after=binding(17_000.0, 4777))).lifetime_s == 16.0


def test_without_nat_and_firewall_nothing_expires() -> None:
    assert why(idle(16.0, alive=True), nat=ModelNat(translates=False)) == "there is no NAT"


def test_a_firewall_without_nat_forgets_too() -> None:
    there = "203.0.113.50"
    test = idle(16.0, alive=True, before=(binding(-2100.0, ip=there), binding(0.0, ip=there)))
    later = idle(28.0, alive=False, before=test.before, fresh_before=binding(28_000.0, ip=there))
    nat = seen(test, later, nat=ModelNat(EIM, APDF, False))

    assert (nat.behind_nat, nat.lifetime_s) == (False, 16.0)
    assert nat.lifetime_below_s is not None


def test_a_run_that_ended_before_the_first_silence_says_so() -> None:
    control = idle(0.0, alive=True)

    assert why(control) == "the run ended before the first silence did"
    assert why(replace(control, before=(Exchange(sent_ms=(0.0,)),))) == "no server told a mapped address"
