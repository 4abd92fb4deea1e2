"""Every message of an observation, decoded: what was sent when, what came back, and what was lost, late or unexpected.

Plain values; the text is a server's in part, and the format that writes it makes it harmless.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from rtcdiag.evidence import Answer, Exchange, Observation, Stray
from rtcdiag.formats.words import Tone, count, failure_words


class Line(NamedTuple):
    """One message, or one more transmission of it, with its attributes below it."""

    t_ms: float | None
    """Milliseconds from the start of the run; None for what is said of the whole transaction."""
    text: str
    tone: Tone = ""
    details: tuple[str, ...] = ()


_Ends = tuple[str, str]
"""Local address and destination, as far as they are known."""


def messages(item: Observation) -> tuple[Line, ...]:
    """Return the messages of all transactions of an observation, each transaction in the order of time."""
    ends = str(getattr(item, "local", None) or ""), str(getattr(item, "destination", None) or "")
    return tuple(line for exchange in _exchanges(item) for line in _exchange(exchange, ends))


def _exchanges(value: object) -> Iterator[Exchange]:
    if isinstance(value, Exchange):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _exchanges(part)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _exchanges(getattr(value, name))


def _exchange(exchange: Exchange, ends: _Ends) -> list[Line]:
    came = [*(_answer(answer, exchange, ends) for answer in exchange.answers), *map(_stray, exchange.strays)]
    lines = sorted([*_sent(exchange, ends), *came], key=lambda line: line.t_ms or 0.0)
    return [*lines, *_summary(exchange)]


def _sent(exchange: Exchange, ends: _Ends) -> Iterator[Line]:
    """Yield the first transmission in full, the others as such."""
    request, (local, destination) = exchange.request, ends
    way = f"{f' from {local}' if local else ''}{f' to {destination}' if destination else ''}"
    for number, t_ms in enumerate(exchange.sent_ms, 1):
        if number > 1:
            yield Line(t_ms, f"→ the same again, {number} of {len(exchange.sent_ms)}", "muted")
        elif request is None:
            yield Line(t_ms, f"→ request{way}")
        else:
            details = (f"transaction {request.transaction_id}", *request.attributes)
            yield Line(t_ms, f"→ {request.method} request, {request.size_bytes} bytes{way}", details=details)


def _answer(answer: Answer, exchange: Exchange, ends: _Ends) -> Line:
    method = f"{exchange.request.method} " if exchange.request else ""
    kind = "success response" if answer.success else "error response"
    source = f" from {answer.source}" if answer.source else ""
    local = f" to {ends[0]}" if ends[0] else ""
    odd = [
        *(["from elsewhere than asked: it does not count"] if not answer.expected_source else []),
        *(["too late"] if answer.late else []),
    ]
    text = ", ".join([f"← {method}{kind}, {count(answer.size_bytes, 'byte')}{source}{local}", *odd])
    tone: Tone = "warn" if odd else "ok" if answer.success else "bad"
    return Line(answer.t_ms, text, tone, tuple(attributes(answer)))


def _stray(stray: Stray) -> Line:
    source = f" from {stray.source}" if stray.source else ""
    return Line(stray.t_ms, f"← {count(stray.size_bytes, 'byte')}{source}: {_WHY[stray.why]}", "warn")


_WHY = {
    "not-stun": "unexpected, not STUN",
    "wrong-cookie": "unexpected, STUN's magic cookie is wrong",
    "wrong-transaction-id": "unexpected, of another transaction",
    "wrong-class": "unexpected, no response",
    "wrong-method": "unexpected, a response to another method",
    "duplicate": "the same answer again",
}


def _summary(exchange: Exchange) -> Iterator[Line]:
    left = exchange.stray_count - len(exchange.strays)
    if left > 0:
        yield Line(None, f"← {left} more that were unexpected", "warn")
    if exchange.failure is not None:
        by = f", told by {exchange.refused_by}" if exchange.refused_by else ""
        yield Line(None, f"no answer in time: {failure_words(exchange.failure)}{by}", "bad")
    lost = _unanswered(exchange)
    if lost and len(exchange.sent_ms) > 1:
        yield Line(None, f"{lost} of {len(exchange.sent_ms)} transmissions got no answer", "warn")


def _unanswered(exchange: Exchange) -> int:
    """Return how many transmissions were lost, or their answers: each that arrives is answered once more."""
    copies = sum(stray.why == "duplicate" for stray in exchange.strays)
    return max(0, len(exchange.sent_ms) - len(exchange.answers) - copies)


def attributes(answer: Answer) -> Iterator[str]:
    """Yield the attributes of a response as ``NAME value``, then what is wrong with it; the order is fixed."""
    old = {name for name in _OLD if any(text.startswith(f"{name} ") for text in answer.more_attributes)}
    if answer.error_code is not None:
        yield f"ERROR-CODE {answer.error_code} {answer.reason or '(no reason given)'}"
    if answer.unknown_attributes:
        yield "UNKNOWN-ATTRIBUTES " + ", ".join(f"0x{number:04X}" for number in answer.unknown_attributes)
    for name, value, hidden_by in (
        ("XOR-MAPPED-ADDRESS", answer.xor_mapped, ()),
        ("MAPPED-ADDRESS", answer.mapped, ()),
        ("XOR-RELAYED-ADDRESS", answer.relayed, ()),
        ("LIFETIME", None if answer.lifetime_s is None else f"{answer.lifetime_s} s", ()),
        ("OTHER-ADDRESS", answer.other_address, ("OTHER-ADDRESS", "CHANGED-ADDRESS")),
        ("RESPONSE-ORIGIN", answer.response_origin, ("RESPONSE-ORIGIN", "SOURCE-ADDRESS")),
        ("ALTERNATE-SERVER", answer.alternate_server, ()),
        ("REALM", answer.realm, ()),
    ):
        if value is not None and not old.intersection(hidden_by):
            yield f"{name} {value}"
    yield from answer.more_attributes
    if answer.nonce and not any(text.startswith("NONCE ") for text in answer.more_attributes):
        yield "NONCE"
    if answer.software is not None:
        yield f"SOFTWARE {answer.software}"
    yield from _checks(answer)


_OLD = ("OTHER-ADDRESS", "CHANGED-ADDRESS", "RESPONSE-ORIGIN", "SOURCE-ADDRESS")
"""Two names for one thing: where more than the newer one came, all stand among the other attributes."""


def _checks(answer: Answer) -> Iterator[str]:
    if answer.integrity in ("valid", "invalid"):
        yield f"MESSAGE-INTEGRITY {answer.integrity}"
    elif answer.integrity == "absent":
        yield "no MESSAGE-INTEGRITY: the answer is not signed"
    if answer.fingerprint in ("valid", "invalid"):
        yield f"FINGERPRINT {answer.fingerprint}"
    for problem in answer.problems:
        yield f"wrong: {problem}"
