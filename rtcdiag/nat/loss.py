"""Packet loss: how likely it is that a silence is nothing else."""

from bisect import bisect_right
from math import prod
from statistics import median

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Answer, Binding, Exchange
from rtcdiag.nat.answers import valid_answer

FLOOR = 0.02
"""No path is taken to lose less than this, of requests and answers together."""
Tally = tuple[int, int]
"""Transmissions that were lost, and that were answered."""


def tally(bindings: tuple[Binding, ...]) -> Tally:
    """Count the transmissions of a run that got no answer, and those that did.

    An answered transaction counts every transmission before the one that was answered as lost. An unanswered one counts
    only where its destination answered another: a server that is down, or asked for an answer from elsewhere, is not
    loss.
    """
    alive = {item.destination for item in bindings if item.change == "none" and valid_answer(item)}
    usual_ms = _usual_rtt(bindings)
    lost = answered = 0
    for item in bindings:
        answer = valid_answer(item)
        if answer is not None:
            answered += 1
            lost += _lost_before(item.exchange, answer, usual_ms.get(item.destination))
        elif item.change == "none" and item.destination in alive:
            lost += len(item.exchange.sent_ms)
    return lost, answered


def _usual_rtt(bindings: tuple[Binding, ...]) -> dict[TransportAddress, float]:
    measured: dict[TransportAddress, list[float]] = {}
    for item in bindings:
        if item.exchange.rtt_ms is not None:
            measured.setdefault(item.destination, []).append(item.exchange.rtt_ms)
    return {destination: median(values) for destination, values in measured.items()}


def _lost_before(exchange: Exchange, answer: Answer, usual_ms: float | None) -> int:
    """Return how many transmissions precede the answered one: the one whose round trip is the most usual."""
    sent = sorted(exchange.sent_ms)
    sent = sent[: bisect_right(sent, answer.t_ms)]
    if not sent:
        return 0
    expected_ms = exchange.rtt_ms if exchange.rtt_ms is not None else usual_ms or 0.0
    return min(range(len(sent)), key=lambda number: abs(answer.t_ms - sent[number] - expected_ms))


def p_all_lost(counted: Tally, transmissions: int) -> float:
    """Return the probability that this many transmissions in a row are lost, after what the run saw of loss.

    The rate is not known but estimated from few packets, so its uncertainty counts too: this is the rule of succession
    (uniform prior), which is the mean of ``q ** transmissions`` over all loss rates ``q`` weighed by the evidence.
    """
    lost, answered = counted
    estimate = prod((lost + 1 + step) / (lost + answered + 2 + step) for step in range(transmissions))
    return float(max(estimate, FLOOR**transmissions))


def waited_out(binding: Binding, wait_ms: float) -> int:
    """Return how many transmissions were given ``wait_ms`` for their answer, but for what a busy computer is late."""
    if binding.duration_ms is None:
        return 0
    end_ms = binding.t_ms + binding.duration_ms
    return sum(sent_ms + 0.9 * wait_ms <= end_ms for sent_ms in binding.exchange.sent_ms)
