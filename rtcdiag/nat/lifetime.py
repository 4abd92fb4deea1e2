"""How long a mapping lives without traffic: between the longest silence survived and the shortest that was deadly.

An answer that the server sent to the mapped port, and that arrived, proves survival. Death is proven by another mapped
address of the same socket afterwards; or by the silence of several answers, where loss is excluded: beside each,
the same server's answer to a mapping that had just been made did arrive. The same mapped address afterwards
proves nothing: a NAT that keeps ports gives the same one again.
"""

from math import ceil, floor
from typing import NamedTuple

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Exchange, IdleMapping, Inward
from rtcdiag.nat.answers import told
from rtcdiag.nat.judgement import NO_NAT, OPT_IN, Judgement
from rtcdiag.nat.loss import NEAR_MS, Tally, p_all_lost, repeats
from rtcdiag.nat.silence import LIMIT

_MOST_MS = 1e9
_USUAL_RTT_MS = 100.0
NOT_TESTED = f"{OPT_IN}--lifetime"
_SAME_PORT = "the mapped address was the same after the silence, which a NAT that keeps ports would give again"


class Lifetime(NamedTuple):
    """Both bounds, in seconds."""

    survived: Judgement[float]
    below: Judgement[float]


class _Verdict(NamedTuple):
    """One silence: whether the mapping survived, None with the reason where that is open."""

    test: IdleMapping
    alive: bool | None
    why: str = ""
    p_wrong: float = 0.0
    gone_ms: float = 0.0
    """At what time it was gone, where it was."""


def lifetime_of(lost: Tally, unfiltered: bool, tests: tuple[IdleMapping, ...]) -> Lifetime:
    """Return the bounds; ``unfiltered`` where there is neither a NAT nor a firewall, so that nothing can expire."""
    verdicts = [_verdict(lost, test) for test in tests if test.idle_s > 0]
    alive = [item for item in verdicts if item.alive]
    dead = [item for item in verdicts if item.alive is False]
    survived = max((_least(item.test) for item in alive), default=None)
    below = min((_most(item) for item in dead), default=None)
    if survived is not None and below is not None and survived >= below:
        return _open(f"inconsistent: it was gone after {below:g} s, and alive after {survived:g} s")
    if unfiltered and below is None:
        return _open(NO_NAT)
    if survived is None and below is None:
        return _open(_why(tests, verdicts))
    ids = tuple(item.test.id for item in (*alive, *dead))
    p_wrong = min((item.p_wrong for item in dead), default=None)
    return Lifetime(
        Judgement(why=_why_none(verdicts)) if survived is None else Judgement(value=survived, evidence=ids),
        Judgement(why="no silence that was tried was proven deadly")
        if below is None
        else Judgement(value=below, p_wrong=p_wrong, evidence=ids),
    )


def _open(why: str) -> Lifetime:
    return Lifetime(Judgement(why=why), Judgement(why=why))


def _why(tests: tuple[IdleMapping, ...], verdicts: list[_Verdict]) -> str:
    if verdicts:
        return _why_none(verdicts)
    if not tests:
        return NOT_TESTED
    if any(told(test.before[0]) for test in tests if test.before):
        return "the run ended before the first silence did"
    return "no server told a mapped address"


def _why_none(verdicts: list[_Verdict]) -> str:
    reasons = [item.why for item in verdicts if item.why]
    return reasons[0] if reasons else "none of the silences that were tried was survived"


def _verdict(lost: Tally, test: IdleMapping) -> _Verdict:
    if test.aged is not None and test.aged.arrived_ms:
        return _Verdict(test, alive=True)
    mapped = {told(exchange) for exchange in test.before}
    if len(mapped) != 1 or None in mapped:
        return _Verdict(test, None, "no mapping was there that had lasted for two seconds")
    silence = _silence(lost, test, next(iter(mapped)))
    after = told(test.after)
    if silence.alive is None and test.after is not None and after is not None and after not in mapped:
        return _Verdict(test, alive=False, gone_ms=max(answer.t_ms for answer in test.after.answers))
    return silence


def _silence(lost: Tally, test: IdleMapping, mapped: TransportAddress | None) -> _Verdict:
    """Judge by the control: an answer to a mapping that had just been made."""
    if test.aged is None:
        return _Verdict(test, None, f"{test.server} does not answer to another port; {_SAME_PORT}")
    fresh = told(test.fresh_before)
    if test.fresh is None or not test.fresh.arrived_ms:
        return _Verdict(test, None, "the answer to a new mapping did not arrive either")
    if fresh is None or mapped is None or fresh.ip != mapped.ip:
        return _Verdict(test, None, "the NAT uses several addresses, and the answer went to another one")
    # Had it lived at the time of one transmission, loss would have had to swallow that one and all before it.
    for number, sent_ms in enumerate(_telling(test, test.aged, test.fresh), 1):
        p_loss = p_all_lost(lost, number)
        if p_loss < LIMIT:
            return _Verdict(test, alive=False, p_wrong=p_loss, gone_ms=sent_ms)
    return _Verdict(test, None, "loss cannot be excluded")


def _telling(test: IdleMapping, aged: Inward, fresh: Inward) -> list[float]:
    """Return the transmissions beside which one for the new mapping got through: no burst of loss took those."""
    rtt_ms = test.fresh_before.rtt_ms if test.fresh_before is not None else None
    fates = repeats(sorted(fresh.exchange.sent_ms), sorted(fresh.arrived_ms), rtt_ms or _USUAL_RTT_MS)
    through = [sent_ms for sent_ms, got_through in fates if got_through]
    return [ms for ms in sorted(aged.exchange.sent_ms) if any(abs(ms - other) <= NEAR_MS for other in through)]


def _least(test: IdleMapping) -> float:
    """Return the silence before the first answer from outside was asked for, in seconds, rounded down."""
    sent_ms = test.aged.exchange.sent_ms if test.aged is not None else ()
    first_ms = min(sent_ms, default=0.0)
    return floor(_bounded_ms(first_ms - _last_ms(test.before)) / 100) / 10


def _most(dead: _Verdict) -> float:
    """Return the silence at the time at which the mapping was gone, in seconds, rounded up."""
    last_sent_ms = max((ms for exchange in dead.test.before for ms in exchange.sent_ms), default=0.0)
    return ceil(_bounded_ms(dead.gone_ms - last_sent_ms) / 100) / 10


def _bounded_ms(duration_ms: float) -> float:
    """Return a duration that no report of a real run leaves: a file may hold any number."""
    return min(max(duration_ms, 0.0), _MOST_MS)


def _last_ms(before: tuple[Exchange, ...]) -> float:
    """Return when the last packet before the silence was sent or came."""
    times = [ms for exchange in before for ms in exchange.sent_ms]
    times += [answer.t_ms for exchange in before for answer in exchange.answers]
    return max(times, default=0.0)
