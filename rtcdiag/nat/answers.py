"""Which transactions say something about the NAT, and which answers count."""

from rtcdiag.address import Family, Scope, TransportAddress
from rtcdiag.evidence import Answer, Binding, Evidence, Failure
from rtcdiag.nat.judgement import Judgement
from rtcdiag.targets import Transport

_NEVER_SENT = (Failure.NETWORK_UNREACHABLE, Failure.ADDRESS_UNAVAILABLE)
_WIDEST_FIRST = (Scope.GLOBAL, Scope.SHARED, Scope.PRIVATE, Scope.LINK_LOCAL, Scope.LOOPBACK)


def asked(evidence: Evidence, family: Family) -> tuple[Binding, ...]:
    """Return the Binding transactions over UDP in a family, without those that had no route or no socket."""
    return evidence.of(
        Binding,
        lambda item: item.transport is Transport.UDP and item.destination.family is family and _was_sent(item),
    )


def _was_sent(binding: Binding) -> bool:
    return bool(binding.exchange.answers) or binding.exchange.failure not in _NEVER_SENT


def widest(bindings: tuple[Binding, ...]) -> Scope:
    """Return the widest scope of the servers that were asked: a NAT is classified by what is farthest outside.

    Alternate addresses do not count: a server may name any.
    """
    scopes = {item.destination.scope for item in bindings if item.role == "primary"}
    return next((scope for scope in _WIDEST_FIRST if scope in scopes), Scope.UNSPECIFIED)


def valid_answer(binding: Binding) -> Answer | None:
    """Return the success response that came from where it had to come from, None where there is none."""
    answer = binding.exchange.answer
    if answer is None or not answer.success:
        return None
    right = binding.answer_from or binding.destination
    return answer if answer.source in (None, right) else None


def rewritten(bindings: tuple[Binding, ...]) -> Judgement[bool]:
    """Tell whether something rewrites addresses in packets: MAPPED differs from XOR-MAPPED (RFC 5780 section 3.6).

    One answer in which they differ suffices. Servers that send no MAPPED-ADDRESS leave the question open.
    """
    pairs = [
        (item.id, answer.mapped == answer.xor_mapped)
        for item, answer in ((item, valid_answer(item)) for item in bindings)
        if answer is not None and answer.mapped is not None and answer.xor_mapped is not None
    ]
    if not pairs:
        return Judgement(why="no server sent MAPPED-ADDRESS beside XOR-MAPPED-ADDRESS")
    differing = tuple(name for name, equal in pairs if not equal)
    return Judgement(value=bool(differing), evidence=differing or tuple(name for name, _ in pairs))


def known(address: TransportAddress | None) -> TransportAddress | None:
    """Return an address that a packet can come from, None for any other."""
    unusable = (Scope.UNSPECIFIED, Scope.MULTICAST, Scope.RESERVED)
    if address is None or address.port == 0 or address.scope in unusable:
        return None
    return address
