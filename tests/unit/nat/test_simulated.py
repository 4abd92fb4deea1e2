"""The NAT probe and its judgement together, in simulated networks; `bench/classifier` does the same many times over."""

from random import Random

import pytest

from rtcdiag.evidence import Binding
from support.simulated_networks import KINDS, NATS, Kind, simulate, world
from support.simulation import observed

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("nat", NATS)
def test_without_loss_every_network_is_judged_rightly(nat: str) -> None:
    assert simulate(BY_NAME["good"], nat, 1) == "right"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_line_and_no_server_makes_a_wrong_class(kind: Kind) -> None:
    found = [simulate(kind, nat, 1) for nat in NATS[::4]]

    assert "wrong" not in found


def test_five_percent_loss_leaves_nearly_nothing_undetermined() -> None:
    found = [simulate(BY_NAME["5 % loss"], nat, seed) for nat in NATS[:9] for seed in range(2)]

    assert found.count("right") >= len(found) - 1


@pytest.mark.parametrize("name", ["good", "20 % loss", "dead alternates, 5 % loss", "20 % loss in bursts of 5"])
def test_the_experiment_ends_in_time_and_asks_no_address_too_often(name: str) -> None:
    for nat in NATS[::5]:
        evidence = observed(world(BY_NAME[name], nat, Random(nat)))  # noqa: S311  a model, no secret
        asked = evidence.of(Binding)
        assert max(item.t_ms + (item.duration_ms or 0.0) for item in asked) <= 2300
        began: dict[str, list[float]] = {}
        for item in sorted(asked, key=lambda item: item.t_ms):
            began.setdefault(item.destination.host, []).append(item.t_ms)
        assert all(
            later - earlier >= 1000
            for times in began.values()
            for earlier, later in zip(times, times[10:], strict=False)
        )


def test_the_same_seed_is_the_same_run() -> None:
    kind = BY_NAME["20 % loss"]
    twice = [observed(world(kind, NATS[4], Random(7))) for _ in range(2)]  # noqa: S311  a model, no secret

    assert len({tuple(item.exchange.sent_ms for item in seen.of(Binding)) for seen in twice}) == 1
