"""What a line does to packets, counted over many with a fixed seed."""

from itertools import groupby, pairwise
from math import sqrt
from random import Random
from statistics import mean

import pytest

from rtcdiag.lab.impairments import Line
from rtcdiag.lab.middlebox import Side
from rtcdiag.lab.spec import Link, parse_spec
from support.middleboxes import HOST, SERVER, Box, udp

MANY = 40_000


def sent_over(text: str, *, apart_s: float = 0.001, count: int = MANY, seed: int = 1) -> list[list[float]]:
    """The delays of every packet of many, sent at even distances."""
    line = Line(parse_spec(f"none {text}").up, Random(seed))  # noqa: S311  a model, no secret
    return [line.delays_s(index * apart_s) for index in range(count)]


def lost_runs(delays: list[list[float]]) -> list[int]:
    return [len(list(run)) for lost, run in groupby(delays, key=lambda one: not one) if lost]


def arrivals(delays: list[list[float]], apart_s: float = 0.001) -> list[int]:
    """The numbers of the packets in the order of their arrival."""
    arrived = [(index * apart_s + delay, index) for index, copies in enumerate(delays) for delay in copies]
    return [index for _, index in sorted(arrived)]


def test_a_plain_line_does_nothing() -> None:
    assert sent_over("", count=100) == [[0.0]] * 100


@pytest.mark.parametrize("percent", [1, 5, 20])
def test_as_much_is_lost_as_said(percent: int) -> None:
    delays = sent_over(f"loss={percent}%")
    share = percent / 100
    assert mean(not copies for copies in delays) == pytest.approx(share, abs=4 * sqrt(share * (1 - share) / MANY))
    assert mean(lost_runs(delays)) == pytest.approx(1 / (1 - percent / 100), rel=0.05)


@pytest.mark.parametrize(("percent", "burst"), [(5, 3), (10, 8), (30, 2), (5, 1)])
def test_losses_in_bursts_are_as_many_and_as_long_as_said(percent: int, burst: int) -> None:
    delays = sent_over(f"loss={percent}% burst={burst}")
    assert mean(not copies for copies in delays) == pytest.approx(percent / 100, rel=0.15)
    assert mean(lost_runs(delays)) == pytest.approx(burst, rel=0.1)


def test_everything_can_be_lost() -> None:
    assert not any(sent_over("loss=100%", count=1000))
    line = Line(Link(loss=1.0, burst=4), Random(1))  # noqa: S311  a model, no secret
    assert not any(line.delays_s(0) for _ in range(100))


def test_a_delay_without_jitter_is_exact() -> None:
    assert set(map(tuple, sent_over("delay=20ms"))) == {(0.02,)}


def test_jitter_is_even_around_the_delay_and_keeps_the_order() -> None:
    apart = sent_over("delay=20ms jitter=5ms", apart_s=1)
    values = [delay for (delay,) in apart]
    assert min(values) >= 0.015
    assert max(values) <= 0.025
    assert mean(values) == pytest.approx(0.02, rel=0.01)
    close = sent_over("delay=20ms jitter=15ms", apart_s=0.0001)
    assert arrivals(close, 0.0001) == list(range(MANY))


def test_jitter_never_makes_a_packet_arrive_before_it_was_sent() -> None:
    assert min(delay for (delay,) in sent_over("jitter=30ms", apart_s=1)) == 0.0


def test_reordering_really_reorders_as_many_as_said() -> None:
    delays = sent_over("delay=20ms reorder=20% hold=5ms")
    assert mean(delay > 0.02 for (delay,) in delays) == pytest.approx(0.2, rel=0.05)
    order = arrivals(delays)
    overtaken = sum(one > other for one, other in pairwise(order))
    assert overtaken > MANY * 0.1
    assert sorted(order) == list(range(MANY))


def test_nothing_is_reordered_unless_said() -> None:
    assert arrivals(sent_over("delay=20ms")) == list(range(MANY))


def test_as_many_are_doubled_as_said() -> None:
    delays = sent_over("duplicate=10%")
    assert {len(copies) for copies in delays} == {1, 2}
    assert mean(len(copies) == 2 for copies in delays) == pytest.approx(0.1, rel=0.1)


def test_the_same_seed_has_the_same_fate_and_another_has_another() -> None:
    text = "loss=5% burst=2 delay=20ms jitter=5ms reorder=5% duplicate=5%"
    assert sent_over(text, count=500) == sent_over(text, count=500)
    assert sent_over(text, count=500) != sent_over(text, count=500, seed=2)


def test_each_direction_has_its_own_line() -> None:
    box = Box("eim/eif up-delay=10ms down-delay=30ms down-duplicate=100%")
    (up,) = box.emissions(Side.INSIDE, udp((HOST, 1), (SERVER, 2)))
    assert (up.to, up.delay_s) == (Side.OUTSIDE, 0.01)
    down = box.emissions(Side.OUTSIDE, udp((SERVER, 2), ("203.0.113.1", 1)))
    assert [(one.to, one.delay_s) for one in down] == [(Side.INSIDE, 0.03)] * 2
    assert down[0].packet == down[1].packet


def test_a_packet_lost_on_the_way_out_has_made_its_mapping() -> None:
    box = Box("eim/eif up-loss=100%")
    assert box.out(udp((HOST, 1), (SERVER, 2))) is None
    assert box.accepts((SERVER, 2), ("203.0.113.1", 1))


def test_errors_of_the_middlebox_take_the_line_of_the_side_they_go_to() -> None:
    (error,) = Box("eim/eif up-loss=100% down-delay=7ms").emissions(Side.INSIDE, udp((HOST, 1), (SERVER, 2), hops=1))
    assert (error.to, error.delay_s) == (Side.INSIDE, 0.007)
