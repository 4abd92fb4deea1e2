"""What a TURN server can do beyond what calls need: a pure function of what it was asked and answered."""

from collections.abc import Callable

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Allocation, AllocationTrial, Answer, Challenge, Evidence, Failure, Target, TurnStep
from rtcdiag.evidence.turn import Wish
from rtcdiag.report import Capability, CapabilityAnswer
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.security import SHA256
from rtcdiag.targets import Transport

UNKNOWN_ATTRIBUTE = 420
UNSUPPORTED_FAMILY = 440
UNSUPPORTED_TRANSPORT = 442
ATTRIBUTES: dict[Wish, int] = {
    "dont-fragment": AttributeType.DONT_FRAGMENT,
    "even-port": AttributeType.EVEN_PORT,
    "next-port": AttributeType.EVEN_PORT,
    "reserved-port": AttributeType.RESERVATION_TOKEN,
    "both-families": AttributeType.ADDITIONAL_ADDRESS_FAMILY,
    "ipv4": AttributeType.REQUESTED_ADDRESS_FAMILY,
    "ipv6": AttributeType.REQUESTED_ADDRESS_FAMILY,
    "tcp": AttributeType.REQUESTED_TRANSPORT,
}
"""The attribute that asks for each."""
NOT_ASKED = "not asked"


class Asked(msgspec.Struct, frozen=True):
    """What was asked of one server on one path, and of the same server on others at the same address."""

    challenges: tuple[Challenge, ...]
    allocations: tuple[Allocation, ...]
    trials: tuple[AllocationTrial, ...]


_Verdict = tuple[CapabilityAnswer, str | None]


def capabilities_of(
    target: Target, address: TransportAddress | None, transport: Transport, evidence: Evidence
) -> tuple[Capability, ...]:
    """Return what is known of a TURN server on one path; nothing of one that did not ask for credentials."""
    if address is None:
        return ()
    asked = _asked(target.server, address, transport, evidence)
    if not any(item.exchange.answer and item.exchange.answer.nonce for item in asked.challenges):
        return ()
    named: tuple[tuple[str, _Verdict], ...] = (
        ("relay-ipv4", _family(asked, Family.IPV4)),
        ("relay-ipv6", _family(asked, Family.IPV6)),
        ("both-families", _tried(asked, "both-families", _both)),
        ("dont-fragment", _tried(asked, "dont-fragment", _granted)),
        ("even-port", _tried(asked, "even-port", _even)),
        ("reserved-port", _reserved(asked)),
        ("sha256", _sha256(asked)),
        ("userhash", _userhash(asked)),
        *((("tcp-relay", _tried(asked, "tcp", _granted)),) if _wished(asked, "tcp") else ()),
    )
    return tuple(Capability(name=name, answer=answer, why=why) for name, (answer, why) in named)


def _asked(uri: str, address: TransportAddress, transport: Transport, evidence: Evidence) -> Asked:
    def here(item: TurnStep) -> bool:
        return (item.server, item.destination, item.transport) == (uri, address, transport)

    challenges = evidence.of(Challenge, here)
    # Only one path of an address is used for trials; the others may be those of another server, which says who it is.
    who = {_identity(item) for item in challenges}
    alike = {
        (item.destination, item.transport)
        for item in evidence.of(Challenge, lambda item: item.destination.ip == address.ip)
        if _identity(item) in who
    }
    trials = evidence.of(AllocationTrial, lambda item: here(item) or (item.destination, item.transport) in alike)
    return Asked(challenges, evidence.of(Allocation, here), trials)


def _identity(item: Challenge) -> tuple[str | None, str | None] | None:
    answer = item.exchange.answer
    return None if answer is None else (answer.realm, answer.software)


def _wished(asked: Asked, wish: Wish) -> tuple[AllocationTrial, ...]:
    return tuple(item for item in asked.trials if wish in item.wishes)


def _tried(asked: Asked, wish: Wish, judge: Callable[[Answer], _Verdict]) -> _Verdict:
    """Judge the last answer that tells something, else say why none does."""
    found: _Verdict = ("undetermined", NOT_ASKED)
    for item in _wished(asked, wish):
        verdict = _verdict(item, wish, judge)
        found = verdict if verdict[0] != "undetermined" or found[0] == "undetermined" else found
    return found


def _verdict(item: AllocationTrial, wish: Wish, judge: Callable[[Answer], _Verdict]) -> _Verdict:
    answer = item.exchange.answer
    if answer is None:
        cut = item.exchange.failure in (Failure.DEADLINE, Failure.INTERRUPTED)
        return "undetermined", "the run ended before the answer" if cut else "no answer"
    if answer.success:
        return judge(answer)
    code = answer.error_code
    if code == UNKNOWN_ATTRIBUTE and ATTRIBUTES[wish] in answer.unknown_attributes:
        return "no", "the server does not know the attribute (420)"
    if (code, wish) in ((UNSUPPORTED_FAMILY, "ipv6"), (UNSUPPORTED_FAMILY, "ipv4"), (UNSUPPORTED_TRANSPORT, "tcp")):
        return "no", f"refused ({code})"
    return "undetermined", f"refused for another reason ({code})"


def _granted(_answer: Answer) -> _Verdict:
    return "yes", None


def _even(answer: Answer) -> _Verdict:
    port = answer.relayed.port if answer.relayed else None
    if port is None:
        return "undetermined", "granted without an address"
    return ("yes", None) if port % 2 == 0 else ("no", f"granted with the odd port {port}")


def _both(answer: Answer) -> _Verdict:
    if answer.relayed is not None and answer.relayed_also is not None:
        alike = answer.relayed.family is answer.relayed_also.family
        return ("no", "both addresses are of one family") if alike else ("yes", None)
    code = f"refused for the second family ({answer.family_error})" if answer.family_error else "one address was given"
    return "no", code


def _reserved(asked: Asked) -> _Verdict:
    """A port that was kept has to be had by its token (RFC 8656 section 7.2)."""
    used = _tried(asked, "reserved-port", _granted)
    if used[1] != NOT_ASKED:
        return ("no", "its token was refused") if used[0] == "undetermined" and _is_refusal(asked) else used
    return _tried(asked, "next-port", lambda answer: ("no", "no token came") if not answer.reservation_token else used)


def _is_refusal(asked: Asked) -> bool:
    return any(item.exchange.answer is not None for item in _wished(asked, "reserved-port"))


def _family(asked: Asked, family: Family) -> _Verdict:
    """Any relayed address of a family proves it; a refusal of what asked for it disproves it."""
    steps: tuple[Allocation | AllocationTrial, ...] = (*asked.allocations, *asked.trials)
    answers = [item.exchange.answer for item in steps if item.exchange.answer]
    given = {found.family for answer in answers for found in (answer.relayed, answer.relayed_also) if found}
    if family in given:
        return "yes", None
    refusals = [_refused_family(item, family) for item in steps]
    return next((why for why in refusals if why), ("undetermined", NOT_ASKED))


def _refused_family(item: Allocation | AllocationTrial, family: Family) -> _Verdict | None:
    """Return why an answer disproves a family; None where it was not asked for it, or has another reason."""
    answer = item.exchange.answer
    if answer is None:
        return None
    if family is Family.IPV6 and answer.family_error is not None:
        return "no", f"refused ({answer.family_error})"
    wanted = item.family if isinstance(item, Allocation) else _wanted(item)
    if wanted is not family:
        return None
    if answer.success:
        # IPv4 is asked for by saying nothing, which some servers take as leave to choose.
        return ("no", f"{answer.relayed} was given instead") if family is Family.IPV6 else None
    unknown = ATTRIBUTES["ipv6"] in answer.unknown_attributes and answer.error_code == UNKNOWN_ATTRIBUTE
    return ("no", f"refused ({answer.error_code})") if unknown or answer.error_code == UNSUPPORTED_FAMILY else None


def _wanted(item: AllocationTrial) -> Family:
    return Family.IPV6 if "ipv6" in item.wishes else Family.IPV4


def _sha256(asked: Asked) -> _Verdict:
    offered = [item.exchange.answer for item in asked.challenges if item.exchange.answer]
    if not any(SHA256 in answer.password_algorithms for answer in offered):
        return "no", "not offered"
    granted = [item for item in asked.allocations if item.exchange.succeeded]
    if not granted:
        return "undetermined", "offered; nothing was granted"
    return ("yes", None) if all(item.sha256 for item in granted) else ("no", "offered, and refused when used")


def _userhash(asked: Asked) -> _Verdict:
    answers = [item.exchange.answer for item in asked.challenges if item.exchange.answer]
    if any("username-anonymity" in answer.security_features for answer in answers):
        return "yes", None
    return "no", "not offered"
