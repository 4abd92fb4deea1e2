"""Which servers' mapped addresses are not believed, and why: one that lies makes a wrong class of a right NAT."""

from collections import Counter

from rtcdiag.address import Scope, TransportAddress
from rtcdiag.nat.samples import Sample, Socket, is_translated

_MAJORITY = 3
"""How many operators have to agree against each one that does not."""


def distrust(samples: tuple[Sample, ...], scope: Scope) -> dict[str, str]:
    """Return the servers that are not believed, each with the reason; ``scope`` is that of the servers asked."""
    found: dict[str, str] = {}
    for judge in (_unstable, _shared, _implausible, _outvoted):
        believed = tuple(sample for sample in samples if sample.server not in found)
        found |= judge(believed, scope)
    return found


def _unstable(samples: tuple[Sample, ...], _scope: Scope) -> dict[str, str]:
    """Find servers that give two addresses to one mapping: one socket and one destination have one."""
    first: dict[tuple[Socket, TransportAddress], Sample] = {}
    found = {}
    for sample in samples:
        before = first.setdefault((sample.socket, sample.destination), sample)
        if before.mapped != sample.mapped:
            found[sample.server] = f"tells two addresses of one mapping: {before.mapped} and {sample.mapped}"
    return found


def _shared(samples: tuple[Sample, ...], _scope: Scope) -> dict[str, str]:
    """Find servers that give one address to two sockets: no answer could find its way back through such a NAT.

    Even one that overloads ports (RFC 4787 section 4.2.1) has one mapping for each of two sockets and a destination.
    """
    first: dict[tuple[TransportAddress, TransportAddress], Sample] = {}
    found = {}
    for sample in samples:
        before = first.setdefault((sample.destination, sample.mapped), sample)
        if None not in (before.local, sample.local) and before.local != sample.local:
            found[sample.server] = f"tells one address of two sockets: {sample.mapped}"
    return found


def _implausible(samples: tuple[Sample, ...], scope: Scope) -> dict[str, str]:
    """Find servers on the internet that claim to see an address that the internet does not carry."""
    if scope is not Scope.GLOBAL:
        return {}
    odd = [
        sample for sample in samples if sample.mapped.scope is not Scope.GLOBAL and is_translated(sample) is not False
    ]
    even = [sample for sample in samples if sample.mapped.scope is Scope.GLOBAL]
    if len({sample.operator for sample in odd}) > len({sample.operator for sample in even}):
        return {}
    return {sample.server: f"claims to see the {sample.mapped.scope} address {sample.mapped}" for sample in odd}


def _outvoted(samples: tuple[Sample, ...], scope: Scope) -> dict[str, str]:
    """Find servers whose answer on a socket contradicts a clear majority of operators that tell one and the same.

    A NAT that changes its mapping with the destination does not give one address to three operators. An answer that
    shares the IP address or the port with the majority's is not outvoted: it may be the NAT's doing.
    """
    if scope is not Scope.GLOBAL:
        return {}
    by_socket: dict[Socket, list[Sample]] = {}
    for sample in samples:
        by_socket.setdefault(sample.socket, []).append(sample)
    found: dict[str, str] = {}
    for here in by_socket.values():
        found |= _dissenters(here)
    return found


def _dissenters(samples: list[Sample]) -> dict[str, str]:
    opinions: dict[str, set[TransportAddress]] = {}
    for sample in samples:
        opinions.setdefault(sample.operator, set()).add(sample.mapped)
    votes = Counter(next(iter(told)) for told in opinions.values() if len(told) == 1)
    favorite = max(votes, key=votes.__getitem__, default=None)
    count = votes[favorite] if favorite else 0
    if favorite is None or count < _MAJORITY * max(1, len(opinions) - count):
        return {}
    odd = [sample for sample in samples if sample.mapped != favorite]
    if any(sample.mapped.ip == favorite.ip or sample.mapped.port == favorite.port for sample in odd):
        return {}
    return {sample.server: f"tells {sample.mapped} where {count} operators tell {favorite}" for sample in odd}
