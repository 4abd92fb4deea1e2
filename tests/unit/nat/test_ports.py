"""How a NAT chooses ports: what is told is right, and chance is told from a rule."""

from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest

from rtcdiag.address import Family
from rtcdiag.evidence import Evidence
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify
from support.nat_model import ModelNat, ModelServer, plain, two_operators
from support.nat_probe import Probe

EIM, ADM, APDM = BEHAVIORS
ONE = two_operators()[:1]
POOL = tuple(f"203.0.113.{number}" for number in range(50, 54))


def judged(probe: Probe) -> Nat:
    seen = classify(Evidence(observations=tuple(probe.seen)), Family.IPV4)
    assert seen is not None
    return seen


def seen(mapping: Behavior = EIM, *, seed: int = 1, servers: tuple[ModelServer, ...] = ONE, **nat: Any) -> Nat:
    model = ModelNat(mapping, random=Random(seed), **nat)  # noqa: S311  a model
    return judged(Probe(model, servers, random=Random(1000 + seed)).run())  # noqa: S311  a model


def one_after_another(nat: ModelNat, count: int, loss_at: int = -1) -> Probe:
    """Ask one server from so many sockets; the request at ``loss_at`` is sent twice, for the first was lost."""
    probe = Probe(nat, plain(1))
    for number in range(count):
        item = probe.ask(f"p{number}", probe.servers[0], "ports", probe.servers[0].primary, start_ms=20.0 * number)
        if number == loss_at:
            again = msgspec.structs.replace(item.exchange, sent_ms=(0.0, 1.0), rtt_ms=None)
            probe.seen[-1] = msgspec.structs.replace(item, exchange=again)
    return probe


@pytest.mark.parametrize("mapping", BEHAVIORS)
@pytest.mark.parametrize(
    ("ports", "assignment", "delta"),
    [("random", "random", None), ("step", "sequential", 2), ("block", "block", None)],
)
def test_the_rule_by_which_ports_are_chosen_is_told(
    mapping: Behavior, ports: str, assignment: str, delta: int | None
) -> None:
    nat = seen(mapping, ports=ports)

    assert (nat.port_assignment, nat.port_delta, nat.port_preservation) == (assignment, delta, False)
    assert nat.port_parity in (False, None)


def test_kept_ports_are_preserved_and_have_no_delta_and_no_parity_of_their_own() -> None:
    nat = seen(ports="kept")

    assert (nat.port_preservation, nat.port_assignment, nat.port_parity, nat.port_delta) == (
        True,
        "preserved",
        None,
        None,
    )
    assert "ports are kept" in nat.undetermined["port_parity"]
    assert nat.undetermined["port_delta"] == "ports are kept"


@pytest.mark.parametrize("mapping", [ADM, APDM])
def test_a_nat_that_keeps_the_port_of_the_first_mapping_only_does_not_keep_the_next(mapping: Behavior) -> None:
    nat = seen(mapping, ports="kept", servers=two_operators())

    assert (nat.port_preservation, nat.port_assignment) == (True, "random")


@pytest.mark.parametrize("seed", range(20))
def test_a_port_that_another_host_has_makes_no_nat_that_moves_ports(seed: int) -> None:
    assert seen(seed=seed, ports="kept", taken=0.3).port_preservation is True


def test_one_port_that_is_kept_may_be_chance() -> None:
    probe = one_after_another(ModelNat(EIM, ports="kept"), 1)
    probe.nat.ports = "step"
    probe.ask("other", probe.servers[0], "mapping", probe.servers[0].primary, start_ms=100)

    assert judged(probe).undetermined["port_preservation"] == "one of 2 ports was kept, which may be chance"


@pytest.mark.parametrize("step", [1, 2, -1, -3, 20, 200, 1000])
@pytest.mark.parametrize("first", [1100, 30000, 65530])
def test_a_step_is_told_whichever_it_is_and_wherever_it_begins_again(step: int, first: int) -> None:
    nat = judged(one_after_another(ModelNat(EIM, ports="step", step=step, first_port=first), 10))

    assert (nat.port_assignment, nat.port_delta) == ("sequential", step)


@pytest.mark.parametrize("seed", range(20))
def test_mappings_of_others_between_hide_no_order_and_make_no_wrong_step(seed: int) -> None:
    model = ModelNat(EIM, ports="step", step=4, others=6, random=Random(seed))  # noqa: S311  a model
    nat = judged(one_after_another(model, 12))

    assert nat.port_assignment == "sequential"
    assert nat.port_delta in (4, None)


def test_a_busy_nat_that_counts_is_sequential_without_a_step() -> None:
    nat = judged(one_after_another(ModelNat(EIM, ports="step", step=1, others=300), 12))

    assert (nat.port_assignment, nat.port_delta) == ("sequential", None)
    assert "others' mappings" in nat.undetermined["port_delta"]


def test_packets_that_overtake_each_other_leave_a_nat_that_counts_sequential() -> None:
    probe = one_after_another(ModelNat(EIM, ports="step", step=1), 12)
    for at in (2, 7):
        one, two = probe.seen[at], probe.seen[at + 1]
        probe.seen[at] = msgspec.structs.replace(one, exchange=two.exchange)
        probe.seen[at + 1] = msgspec.structs.replace(two, exchange=one.exchange)

    assert (judged(probe).port_assignment, judged(probe).port_delta) == ("sequential", 1)


def test_a_mapping_that_a_second_transmission_may_have_made_does_not_disturb_the_order() -> None:
    nat = ModelNat(EIM, ports="step", step=1)
    probe = one_after_another(nat, 10, loss_at=0)
    late = probe.seen[0].exchange.answers[0]
    moved = msgspec.structs.replace(
        late, xor_mapped=type(late.xor_mapped)(late.xor_mapped.ip, 40099) if late.xor_mapped else None
    )
    exchange = msgspec.structs.replace(probe.seen[0].exchange, answers=(moved,))
    probe.seen[0] = msgspec.structs.replace(probe.seen[0], exchange=exchange)

    assert (judged(probe).port_assignment, judged(probe).port_delta) == ("sequential", 1)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_three_mappings_show_no_rule(count: int) -> None:
    nat = judged(one_after_another(ModelNat(EIM, ports="step"), count))

    assert (nat.port_assignment, nat.port_delta) == (None, None)
    assert "fewer than four" in nat.undetermined["port_assignment"]


def test_even_ports_that_stay_even_are_told() -> None:
    nat = seen(parity=True)

    assert (nat.port_parity, nat.port_assignment) == (True, "random")
    assert nat.confidence["port_parity"].p_wrong == pytest.approx(2**-11, rel=0.1)


def test_four_ports_of_the_same_parity_may_be_chance() -> None:
    nat = judged(one_after_another(ModelNat(EIM, parity=True), 4))

    assert nat.port_parity is None
    assert "all 4 new ports stayed even or odd" in nat.undetermined["port_parity"]


@pytest.mark.parametrize("mapping", BEHAVIORS)
def test_several_addresses_do_not_mix_up_the_ports(mapping: Behavior) -> None:
    nat = seen(mapping, ports="random", pool=POOL, pooling="arbitrary")

    assert (nat.pooling, nat.port_preservation) == ("arbitrary", False)
    assert nat.port_assignment in ("random", None)


def test_one_of_two_addresses_for_each_mapping_is_paired_only_by_rare_chance() -> None:
    told = Counter(seen(EIM, seed=seed, pool=POOL[:2], pooling="arbitrary").pooling for seed in range(80))

    assert told["paired"] == 0


def test_random_ports_are_never_taken_for_a_rule() -> None:
    nats = [seen(mapping, seed=seed) for mapping in (EIM, APDM) for seed in range(50)]

    assert {(nat.port_assignment, nat.port_preservation, nat.port_delta) for nat in nats} == {("random", False, None)}
    assert sum(nat.port_parity is True for nat in nats) <= 1


def test_a_block_is_never_taken_for_a_nat_that_counts_or_draws_from_all_ports() -> None:
    told = Counter(
        seen(seed=seed, ports="block", block_size=size).port_assignment
        for seed in range(30)
        for size in (64, 512, 2048)
    )

    assert set(told) <= {"block", None}
    assert told["block"] > 0.9 * told.total()


def test_without_a_nat_there_is_nothing_to_say_of_ports() -> None:
    nat = seen(translates=False)

    for field in ("port_preservation", "port_parity", "port_assignment", "port_delta"):
        assert getattr(nat, field) is None
        assert nat.undetermined[field] == "there is no NAT"
