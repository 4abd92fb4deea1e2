"""How an operation ended, in a few words."""

from rtcdiag.evidence import Exchange
from rtcdiag.formats.words import Tone, count, failure_words


def ended(failure: str | None, good: str, detail: str | None = None) -> tuple[str, Tone]:
    """Return how an operation ended: the failure's words, with the library's own in brackets, or ``good``."""
    if failure is None:
        return good, "ok"
    return failure_words(failure) + (f" ({detail})" if detail else ""), "bad"


def exchange_outcome(exchange: Exchange, good: str = "") -> tuple[str, Tone]:
    """Return how a transaction ended: ``good`` or the mapped address, the error, or why there is no answer."""
    answer = exchange.answer
    if answer is None:
        return f"{failure_words(exchange.failure or 'no answer')}, sent {_times(exchange)}", "bad"
    again = "" if len(exchange.sent_ms) < 2 else f", sent {_times(exchange)}"
    if answer.success:
        return (good or f"mapped {answer.reflexive or 'nowhere'}") + again, "ok"
    return f"error {answer.error_code} {answer.reason or ''}".rstrip() + again, "bad"


def _times(exchange: Exchange) -> str:
    return count(len(exchange.sent_ms), "time")
