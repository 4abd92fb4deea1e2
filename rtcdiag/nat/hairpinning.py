"""Hairpinning (RFC 4787 section 6): whether two sockets here reach each other by their mapped addresses.

An arrival is proof: its transaction id cannot be guessed. Silence is the NAT's doing only where both mappings outlived
the test, loss is excluded, and the filter cannot have been in the way: each end had sent to the mapped address that the
other one's datagrams come from. Behind a mapping that depends on the destination they come from a port that nobody
knows, so only a filter that lets everybody in leaves silence a meaning.
"""

from rtcdiag.evidence import Hairpin, HairpinEnd
from rtcdiag.nat.answers import told
from rtcdiag.nat.behavior import Behavior, HairpinSource
from rtcdiag.nat.judgement import NO_NAT, OPT_IN, Judgement
from rtcdiag.nat.loss import NEAR_MS, p_all_lost, repeats
from rtcdiag.nat.silence import LIMIT, Setting

_USUAL_RTT_MS = 100.0
NOT_TESTED = f"{OPT_IN}--hairpin"


def hairpinning_of(
    setting: Setting, behind_nat: bool | None, filtering: tuple[Behavior, ...], tests: tuple[Hairpin, ...]
) -> Judgement[bool]:
    """Tell whether what is sent to a mapped address comes back in."""
    if behind_nat is False:
        return Judgement(why=NO_NAT)
    arrived = tuple(test.id for test in tests if _arrived(test))
    if arrived:
        return Judgement(value=True, evidence=arrived)
    silences = [_silence(setting, filtering, test) for test in tests]
    decided = [found for found in silences if found.value is not None]
    return next(iter([*decided, *silences]), Judgement(why=NOT_TESTED))


def source_of(hairpinning: Judgement[bool], tests: tuple[Hairpin, ...]) -> Judgement[HairpinSource]:
    """Tell as who the sender is seen: by its address outside, which RFC 4787 section 6 demands, or inside."""
    if not hairpinning.value:
        return Judgement(why=hairpinning.why or "nothing came back in")
    external = {address.ip for test in tests for end in test.ends if (address := told(end.before)) is not None}
    internal = {end.local.ip for test in tests for end in test.ends if end.local is not None}
    seen = {source.ip for test in tests for end in test.ends for source in end.sources}
    if seen <= external:
        return Judgement(value="external", evidence=hairpinning.evidence)
    if seen <= internal:
        return Judgement(value="internal", evidence=hairpinning.evidence)
    return Judgement(why="datagrams came back from another address than this computer has inside or outside")


def _arrived(test: Hairpin) -> bool:
    return any(end.received for end in test.ends)


def _silence(setting: Setting, filtering: tuple[Behavior, ...], test: Hairpin) -> Judgement[bool]:
    if any(told(end.before) is None for end in test.ends):
        return Judgement(why=f"{test.server} did not tell both mapped addresses")
    if any(address.family is not test.destination.family for end in test.ends if (address := told(end.before))):
        return Judgement(why="the mapped addresses are of another family than this computer's (NAT64)")
    if not all(_outlived(end) for end in test.ends):
        return Judgement(why="a mapping did not outlive the test")
    if setting.mapping != ("endpoint-independent",) and filtering != ("endpoint-independent",):
        return Judgement(why="behind this mapping the filter alone may have dropped what came back")
    sends = _telling(test)
    p_loss = p_all_lost(setting.lost, sends)
    if p_loss >= LIMIT:
        return Judgement(why=f"loss cannot be excluded: {sends} datagrams count")
    return Judgement(value=False, p_wrong=p_loss, evidence=(test.id,))


def _telling(test: Hairpin) -> int:
    """Return how many datagrams went out beside a Binding request that was answered: no burst of loss took those.

    The first datagram of an end may have met a filter that the other end had not opened yet.
    """
    control = test.ends[0].before
    first_ms = control.answers[0].t_ms
    again = sorted(ms for ms in control.sent_ms if ms > first_ms)
    copies = [stray.t_ms for stray in control.strays if stray.why == "duplicate"]
    fates = repeats(again, copies, control.rtt_ms or _USUAL_RTT_MS)
    through = [sent_ms for sent_ms, got_through in fates if got_through]
    sent = [ms for end in test.ends for ms in sorted(end.sent_ms)[1:]]
    return sum(any(abs(ms - other) <= NEAR_MS for other in through) for ms in sent)


def _outlived(end: HairpinEnd) -> bool:
    """Tell whether the server still saw, and got through to, the same mapped address after the test."""
    return told(end.after) == told(end.before)
