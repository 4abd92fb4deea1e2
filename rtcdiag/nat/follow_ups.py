"""What a filtering test's socket heard counts only until it asked where a swallowed answer would have come from."""

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Binding


def before_follow_ups(bindings: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Take away what filtering tests heard after their socket had opened the filter towards where it came from."""
    opened = {(item.socket, item.destination): item.t_ms for item in bindings if item.purpose == "tracking"}
    return tuple(_heard_before(item, opened) for item in bindings)


def _heard_before(item: Binding, opened: dict[tuple[str, TransportAddress], float]) -> Binding:
    until_ms = opened.get((item.socket, item.answer_from)) if item.answer_from is not None else None
    if until_ms is None or item.purpose == "tracking":
        return item
    early = tuple(answer for answer in item.exchange.answers if answer.t_ms < until_ms)
    return msgspec.structs.replace(item, exchange=msgspec.structs.replace(item.exchange, answers=early))
