"""Which transactions say something about the NAT, and which answers count."""

from rtcdiag.address import Family, Scope, TransportAddress
from rtcdiag.evidence import Answer, Binding, Evidence, Exchange, Failure, VantagePoint
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.nat64 import Nat64, as_ipv4
from rtcdiag.targets import Transport

_NEVER_SENT = (Failure.NETWORK_UNREACHABLE, Failure.ADDRESS_UNAVAILABLE)
_WIDEST_FIRST = (Scope.GLOBAL, Scope.SHARED, Scope.PRIVATE, Scope.LINK_LOCAL, Scope.LOOPBACK)


def asked(evidence: Evidence, family: Family, nat64: Nat64) -> tuple[Binding, ...]:
    """Return the Binding transactions over UDP in a family, without those that had no route or no socket.

    What went through a NAT64 is about IPv4, and counts where nothing was answered over IPv4 itself.
    """
    sent = evidence.of(Binding, lambda item: item.transport is Transport.UDP and _was_sent(item))
    across = tuple(item for item in sent if nat64.ipv4_of(item.destination) is not None)
    direct = tuple(item for item in sent if item.destination.family is family and item not in across)
    if family is Family.IPV6 or not across or any(item.exchange.answers for item in direct):
        return direct
    return tuple(as_ipv4(item, nat64) for item in across)


def _was_sent(binding: Binding) -> bool:
    return bool(binding.exchange.answers) or binding.exchange.failure not in _NEVER_SENT


def widest(bindings: tuple[Binding, ...], points: tuple[VantagePoint, ...] = ()) -> Scope:
    """Return the widest scope of the servers that were asked: a NAT is classified by what is farthest outside.

    Alternate addresses do not count: a server may name any.
    """
    scopes = {item.destination.scope for item in bindings if item.role == "primary"}
    scopes |= {point.destination.scope for point in points}
    return next((scope for scope in _WIDEST_FIRST if scope in scopes), Scope.UNSPECIFIED)


def valid_answer(binding: Binding) -> Answer | None:
    """Return the success response that came from where it had to come from, None where there is none."""
    answer = binding.exchange.answer
    if answer is None or not answer.success:
        return None
    right = binding.answer_from or binding.destination
    return answer if answer.source in (None, right) else None


def rewritten(bindings: tuple[Binding, ...], operators: dict[str, str]) -> Judgement[bool]:
    """Tell whether something rewrites addresses in packets: MAPPED differs from XOR-MAPPED (RFC 5780 section 3.6).

    Where MAPPED tells a public server's client its own private address, which that server cannot know, one answer
    suffices. What is otherwise wrong may be a server's own mistake, unless several operators' servers tell it and none
    the contrary.
    Servers that send no MAPPED-ADDRESS leave the question open.
    """
    pairs = _pairs(bindings)
    if not pairs:
        return Judgement(why="no server sent MAPPED-ADDRESS beside XOR-MAPPED-ADDRESS")
    odd = tuple(item for item, answer in pairs if answer.mapped != answer.xor_mapped)
    if not odd:
        return Judgement(value=False, evidence=tuple(item.id for item, _ in pairs))
    ours = tuple(item.id for item, answer in pairs if item in odd and _is_ours(item, answer))
    wrong, right = ({operators[item.server] for item, _ in pairs if (item in odd) is told} for told in (True, False))
    if ours or (len(wrong) > 1 and not right):
        return Judgement(value=True, evidence=ours or tuple(item.id for item in odd))
    servers = ", ".join(dict.fromkeys(item.server for item in odd[:4]))
    return Judgement(why=f"MAPPED-ADDRESS is wrong in answers of {servers} only, which may be that server's mistake")


def is_suspect(bindings: tuple[Binding, ...]) -> bool:
    """Tell whether any answer has a MAPPED-ADDRESS that is not to be believed."""
    return any(answer.mapped != answer.xor_mapped for _, answer in _pairs(bindings))


def _pairs(bindings: tuple[Binding, ...]) -> tuple[tuple[Binding, Answer], ...]:
    """Return the valid answers that tell the mapped address in both ways."""
    told = ((item, valid_answer(item)) for item in bindings)
    return tuple((item, answer) for item, answer in told if answer and answer.mapped and answer.xor_mapped)


def _is_ours(item: Binding, answer: Answer) -> bool:
    """Tell whether MAPPED-ADDRESS tells an address here that nobody outside can see."""
    if item.local is None or answer.mapped is None or item.local.scope is Scope.GLOBAL:
        return False
    return answer.mapped.ip == item.local.ip and item.destination.scope is Scope.GLOBAL


def known(address: TransportAddress | None) -> TransportAddress | None:
    """Return an address that a packet can come from, None for any other."""
    unusable = (Scope.UNSPECIFIED, Scope.MULTICAST, Scope.RESERVED)
    if address is None or address.port == 0 or address.scope in unusable:
        return None
    return address


def told(exchange: Exchange | None) -> TransportAddress | None:
    """Return the mapped address that a transaction outside the NAT experiment told, None where it told none."""
    answer = exchange.answer if exchange is not None else None
    return known(answer.reflexive) if answer is not None and answer.success else None
