"""The opt-in experiments' observations in a few words."""

from typing import assert_never

from rtcdiag.evidence import Hairpin, IdleMapping, Inward, SizedBinding
from rtcdiag.formats.words import Tone, count, failure_words

Kind = Hairpin | IdleMapping | SizedBinding


def label(item: Kind) -> str:
    """Return what was tried."""
    match item:
        case Hairpin():
            return "Hairpin"
        case IdleMapping():
            return f"Mapping after {item.idle_s:g} s" if item.idle_s else "Answer to another port"
        case SizedBinding():
            return f"Binding {item.test}, {item.packet_bytes} bytes"
        case _:
            assert_never(item)


def outcome(item: Kind) -> tuple[str, Tone]:
    """Return how it ended; silence is an answer too."""
    match item:
        case Hairpin():
            return _hairpin(item)
        case IdleMapping():
            return _idle(item)
        case SizedBinding():
            return _sized(item)
        case _:
            assert_never(item)


def _hairpin(item: Hairpin) -> tuple[str, Tone]:
    sent = sum(len(end.sent_ms) for end in item.ends)
    sources = ", ".join(dict.fromkeys(str(source) for end in item.ends for source in end.sources))
    told = f"{sum(end.received for end in item.ends)} of {sent} arrived"
    return told + (f", from {sources}" if sources else ""), "ok" if sources else "muted"


def _idle(item: IdleMapping) -> tuple[str, Tone]:
    aged = _inward("the answer from outside", item.aged)
    fresh = _inward("that to a new mapping", item.fresh)
    after = item.after.answer if item.after is not None else None
    again = f"mapped {after.reflexive} afterwards" if after is not None else ""
    arrived = item.aged is not None and bool(item.aged.arrived_ms)
    return "; ".join(filter(None, (aged, fresh, again))) or "no answer", "ok" if arrived else "muted"


def _inward(what: str, inward: Inward | None) -> str:
    if inward is None:
        return ""
    return f"{what} {'arrived' if inward.arrived_ms else 'did not arrive'}"


def _sized(item: SizedBinding) -> tuple[str, Tone]:
    answer = item.exchange.answer
    if answer is None:
        times = count(len(item.exchange.sent_ms), "time")
        return f"{failure_words(item.exchange.failure or 'no answer')}, sent {times}", "muted"
    if not answer.success:
        return f"error {answer.error_code} {answer.reason or ''}".rstrip(), "muted"
    return f"answer of {answer.size_bytes} bytes", "ok"
