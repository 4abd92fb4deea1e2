"""Packet loss: how likely it is that a silence is nothing else."""

from bisect import bisect_right
from math import inf, prod
from statistics import median
from typing import NamedTuple

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Answer, Binding, Exchange
from rtcdiag.nat.answers import valid_answer

FLOOR = 0.02
"""No path is taken to lose less than this, of requests and answers together."""
NEAR_MS = 30.0
"""Transmissions within so many milliseconds of each other share a burst of loss, if there is one."""
_LONGEST = 1.5
"""How long an answer may be on its way, as a part of the usual round trip."""
_SLACK_MS = 100.0
"""How much later a busy computer may see it."""
Tally = tuple[int, int]
"""Transmissions that were lost, and that were answered."""


class Transmission(NamedTuple):
    """One transmission that had to be answered by a server that lives."""

    sent_ms: float
    server: str
    answered: bool | None
    """None where the answer may still be on its way."""


def transmissions(bindings: tuple[Binding, ...], now_ms: float = inf) -> tuple[Transmission, ...]:
    """Return what became of the transmissions of a run, as far as their becoming lost is loss; ``now_ms`` is the end.

    In an answered transaction every transmission before the one that was answered is lost, and of those that were sent
    again after the answer (as a control beside a silent test) each one to which no copy came. An unanswered transaction
    counts only where its destination answered another: a server that is down, or asked for an answer from elsewhere or
    to another port, is not loss. Neither is what was sent so shortly before its transaction was cut off that no answer
    could have come.
    """
    alive = {item.destination for item in bindings if item.change == "none" and valid_answer(item)}
    usual_ms = _usual_rtt(bindings)
    found: list[Transmission] = []
    for item in bindings:
        answer, rtt_ms = valid_answer(item), usual_ms.get(item.destination, 0.0)
        if answer is not None:
            fates = _fates(item.exchange, answer, rtt_ms)
        elif item.change == "none" and item.response_port is None and item.destination in alive:
            waited_ms = _end_ms(item) - in_time_ms(rtt_ms)
            fates = [(sent_ms, False) for sent_ms in item.exchange.sent_ms if sent_ms <= waited_ms]
        else:
            continue
        settled_ms = now_ms - in_time_ms(rtt_ms)
        found += [Transmission(at, item.server, good or (None if at > settled_ms else False)) for at, good in fates]
    return tuple(found)


def _end_ms(binding: Binding) -> float:
    return inf if binding.duration_ms is None else binding.t_ms + binding.duration_ms


def in_time_ms(usual_ms: float) -> float:
    """Return how long after a request its answer comes at the latest, where round trips usually take so long."""
    return _LONGEST * usual_ms + _SLACK_MS


def tally(sent: tuple[Transmission, ...]) -> Tally:
    """Count the transmissions that were lost, and those that were answered."""
    fates = [item.answered for item in sent]
    return fates.count(False), fates.count(True)


def _usual_rtt(bindings: tuple[Binding, ...]) -> dict[TransportAddress, float]:
    measured: dict[TransportAddress, list[float]] = {}
    for item in bindings:
        if item.exchange.rtt_ms is not None:
            measured.setdefault(item.destination, []).append(item.exchange.rtt_ms)
    return {destination: median(values) for destination, values in measured.items()}


def _fates(exchange: Exchange, answer: Answer, usual_ms: float) -> list[tuple[float, bool]]:
    """Return when an answered request was sent, and whether each time got through; without those that nobody can tell.

    Before the answer: that one was answered whose round trip is the most usual, and those that follow it, though they
    may have been answered too, tell nothing.
    """
    sent = sorted(exchange.sent_ms)
    early = sent[: bisect_right(sent, answer.t_ms)]
    expected_ms = exchange.rtt_ms if exchange.rtt_ms is not None else usual_ms
    first = min(range(len(early)), key=lambda number: abs(answer.t_ms - early[number] - expected_ms), default=0)
    known = [(at, False) for at in early[:first]] + [(at, True) for at in (early[first : first + 1] or [answer.t_ms])]
    return known + repeats(sent[len(early) :] if early else [], _copies(exchange, answer), expected_ms)


def _copies(exchange: Exchange, answer: Answer) -> list[float]:
    """Return when the answer came again."""
    again = [found.t_ms for found in exchange.answers if found is not answer and found.source == answer.source]
    return again + [stray.t_ms for stray in exchange.strays if stray.why == "duplicate"]


def repeats(sent: list[float], copies: list[float], usual_ms: float) -> list[tuple[float, bool]]:
    """Return when each of some equal requests was sent, and whether one of the equal answers is its own.

    Each transmission gets the first copy that nobody before it has, and that comes soon enough to be its answer.
    """
    left, found = sorted(copies), []
    for at in sent:
        left = [t_ms for t_ms in left if t_ms >= at]
        got = bool(left) and left[0] - at <= in_time_ms(usual_ms)
        left = left[got:]
        found.append((at, got))
    return found


def p_all_lost(counted: Tally, transmissions: int) -> float:
    """Return the probability that this many transmissions in a row are lost, after what the run saw of loss.

    The rate is not known but estimated from few packets, so its uncertainty counts too: this is the rule of succession
    (uniform prior), which is the mean of ``q ** transmissions`` over all loss rates ``q`` weighed by the evidence.
    """
    lost, answered = counted
    estimate = prod((lost + 1 + step) / (lost + answered + 2 + step) for step in range(transmissions))
    return float(max(estimate, FLOOR**transmissions))


def not_excluded(sends: int, lost: Tally) -> str:
    """Return the reason why a silence may be loss: so few transmissions, beside so much loss."""
    waited = f"{sends} transmission{'' if sends == 1 else 's'} waited for long enough"
    return f"loss cannot be excluded: {waited}, {lost[0]} of {sum(lost)} others lost"


def telling(test: Binding, others: tuple[Transmission, ...], until_ms: float = inf) -> int:
    """Return how many transmissions of a silent test, up to ``until_ms``, count as independent of each other.

    Loss comes in bursts, so those that went out while all else towards the same server was lost tell nothing: they are
    one burst. What went out beside something that got through would have got through too, but for loss of its own.
    """
    near = [item for item in others if item.server == test.server]
    return sum(sent_ms <= until_ms and _got_through(sent_ms, near) for sent_ms in test.exchange.sent_ms)


def _got_through(sent_ms: float, others: list[Transmission]) -> bool:
    fates = [item.answered for item in others if abs(item.sent_ms - sent_ms) <= NEAR_MS]
    return not fates or any(fate is not False for fate in fates)


def last_waited_ms(binding: Binding, wait_ms: float) -> float:
    """Return until when a transmission was given ``wait_ms`` for its answer, but for what a busy computer is late."""
    return binding.t_ms + (binding.duration_ms or 0.0) - 0.9 * wait_ms
