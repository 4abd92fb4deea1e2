"""Samples: which mapped address one socket has towards one destination."""

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Answer, Binding, Change, Purpose
from rtcdiag.nat.answers import is_suspect, known, valid_answer

Socket = tuple[str, TransportAddress | None]
"""A label and the local address towards a destination: one internal endpoint of the NAT."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One answered Binding transaction with a usable mapped address."""

    id: str
    server: str
    operator: str
    socket: Socket
    purpose: Purpose
    change: Change
    destination: TransportAddress
    local: TransportAddress | None
    """None where the address on this computer is not known."""
    interface: str | None
    mapped: TransportAddress
    sent_ms: float
    """When the transaction began."""
    prompt: bool
    """Whether the answer came before the request was sent again: the mapping was made when it was first sent."""
    t_ms: float
    """When the answer came."""


def samples_of(bindings: tuple[Binding, ...], operators: dict[str, str]) -> tuple[Sample, ...]:
    """Return the samples in the order in which the answers came.

    MAPPED-ADDRESS alone counts only where nothing is known to rewrite addresses and it differs from the local address:
    a gateway that rewrites it would make it equal.
    """
    is_rewritten = is_suspect(bindings)
    pairs = ((item, valid_answer(item)) for item in bindings)
    found = (
        _sample(item, answer, operators[item.server], is_rewritten=is_rewritten)
        for item, answer in pairs
        if answer is not None
    )
    return in_order(tuple(item for item in found if item is not None))


def in_order(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """Return the samples in the order in which the answers came."""
    return tuple(sorted(samples, key=lambda item: item.t_ms))


def _sample(binding: Binding, answer: Answer, operator: str, *, is_rewritten: bool) -> Sample | None:
    local = known(binding.local)
    mapped = known(answer.xor_mapped) or (None if is_rewritten else _mapped_alone(answer, local))
    if mapped is None or mapped.family is not binding.destination.family:
        return None
    return Sample(
        id=binding.id,
        server=binding.server,
        operator=operator,
        socket=(binding.socket, local),
        purpose=binding.purpose,
        change=binding.change,
        destination=binding.destination,
        local=local,
        interface=binding.interface,
        mapped=mapped,
        prompt=sum(sent_ms <= answer.t_ms for sent_ms in binding.exchange.sent_ms) <= 1,
        sent_ms=min(binding.exchange.sent_ms, default=binding.t_ms),
        t_ms=answer.t_ms,
    )


def _mapped_alone(answer: Answer, local: TransportAddress | None) -> TransportAddress | None:
    if answer.xor_mapped is not None or local is None or answer.mapped is None:
        return None
    return None if answer.mapped.ip == local.ip else known(answer.mapped)


def is_translated(sample: Sample) -> bool | None:
    """Tell whether the server saw another address than this computer used; None where the latter is not known."""
    if sample.local is None:
        return None
    return (int(sample.mapped.ip), sample.mapped.port) != (int(sample.local.ip), sample.local.port)
