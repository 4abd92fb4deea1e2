"""From a transaction to evidence: what a report keeps of messages, with credentials masked and strings cut."""

from itertools import islice
from typing import Any

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure
from rtcdiag.evidence.wire import Answer, Exchange, Sent, Stray
from rtcdiag.stun.attributes import AttributeType, FamilyErrorCode, attribute_name
from rtcdiag.stun.codec import decode
from rtcdiag.stun.describe import described, method_name
from rtcdiag.stun.header import MessageClass
from rtcdiag.stun.message import MAX_PROBLEMS, Attribute, Message
from rtcdiag.stun.request import Request
from rtcdiag.stun.security import offer_of
from rtcdiag.stun.transaction import Transaction

MASK = "(masked)"
MAX_TEXT_CHARS = 127
"""RFC 8489 allows fewer than 128 characters in REALM, SOFTWARE and reason phrases (sections 14.8, 14.9, 14.14)."""
_MAX_TEXT_BYTES = 763
_TEXT_STARTS_AT = {
    AttributeType.SOFTWARE: 0,
    AttributeType.REALM: 0,
    AttributeType.NONCE: 0,
    AttributeType.ERROR_CODE: 4,
}
_MAX_UNKNOWN = 16
_SHORTEST_PART = 4
"""A secret of three characters is masked where it is the whole text; inside words it would mask everything."""


_TOLD = frozenset(
    {
        AttributeType.MAPPED_ADDRESS,
        AttributeType.XOR_MAPPED_ADDRESS,
        AttributeType.OTHER_ADDRESS,
        AttributeType.RESPONSE_ORIGIN,
        AttributeType.XOR_RELAYED_ADDRESS,
        AttributeType.ALTERNATE_SERVER,
        AttributeType.LIFETIME,
        AttributeType.SOFTWARE,
        AttributeType.REALM,
        AttributeType.ERROR_CODE,
        AttributeType.UNKNOWN_ATTRIBUTES,
        AttributeType.FINGERPRINT,
    }
)
"""Attributes that a field of `Answer` tells, the first of each."""
_OLD_NAMES: dict[int, AttributeType] = {
    AttributeType.CHANGED_ADDRESS: AttributeType.OTHER_ADDRESS,
    AttributeType.SOURCE_ADDRESS: AttributeType.RESPONSE_ORIGIN,
}
"""Attributes of RFC 3489, and under which name a field tells them: where they came, the field does not tell which."""


def _clean(text: str | None, secrets: frozenset[str]) -> str | None:
    if text is None or text in secrets:
        return text and MASK
    for secret in secrets:
        if len(secret) >= _SHORTEST_PART:
            text = text.replace(secret, MASK)
    return text if len(text) <= MAX_TEXT_CHARS else text[:MAX_TEXT_CHARS] + "…"


def _long_texts(message: Message) -> tuple[str, ...]:
    texts = [found for found in message.attributes if found.type in _TEXT_STARTS_AT]
    sizes = ((found.type, len(found.raw) - _TEXT_STARTS_AT[AttributeType(found.type)]) for found in texts)
    return tuple(
        f"{attribute_name(kind)} has {size} bytes, more than the {_MAX_TEXT_BYTES} allowed"
        for kind, size in sizes
        if size > _MAX_TEXT_BYTES
    )


def _untold(message: Message, *, checked: bool) -> tuple[Attribute, ...]:
    """Return the attributes that no field of an `Answer` tells."""
    told = set(_TOLD) - {_OLD_NAMES[found.type] for found in message.attributes if found.type in _OLD_NAMES}
    told |= {AttributeType.MESSAGE_INTEGRITY} if checked else set()
    left: list[Attribute] = []
    signed = False
    for found in message.attributes:
        after = signed and found.type != AttributeType.FINGERPRINT
        if after or found.type not in told or found.value is None:
            left.append(found)
        told.discard(found.type)
        signed = signed or found.type == AttributeType.MESSAGE_INTEGRITY
    return tuple(left)


def _attributes(attributes: tuple[Attribute, ...], secrets: frozenset[str]) -> tuple[str, ...]:
    return tuple(f"{name} {_clean(words, secrets) or ''}".rstrip() for name, words in described(attributes))


def sent_of(request: Request, *, secrets: frozenset[str] = frozenset()) -> Sent:
    """Keep what a report needs of a request."""
    message = decode(request.data)
    return Sent(
        method=method_name(request.method),
        transaction_id=request.transaction_id.hex(),
        size_bytes=len(request.data),
        attributes=_attributes(message.attributes, secrets),
    )


def answer_of(
    message: Message,
    *,
    t_ms: float,
    source: TransportAddress | None,
    expected_source: bool = True,
    late: bool = False,
    key: bytes | None = None,
    secrets: frozenset[str] = frozenset(),
) -> Answer:
    """Keep what a report needs of a response; integrity is unchecked without a key, `secrets` never come through."""
    return Answer(
        t_ms=t_ms,
        source=source,
        expected_source=expected_source,
        late=late,
        size_bytes=len(message.raw),
        success=message.message_class is MessageClass.SUCCESS,
        mapped=message.mapped,
        xor_mapped=message.xor_mapped,
        other_address=message.other_address,
        response_origin=message.response_origin,
        relayed=message.relayed,
        relayed_also=next(islice(message.every(AttributeType.XOR_RELAYED_ADDRESS), 1, None), None),
        family_error=_family_error(message),
        reservation_token=message.first(AttributeType.RESERVATION_TOKEN) is not None,
        alternate_server=message.alternate_server,
        alternate_domain=_clean(message.first(AttributeType.ALTERNATE_DOMAIN), secrets),
        lifetime_s=message.lifetime_s,
        software=_clean(message.software, secrets),
        realm=_clean(message.realm, secrets),
        nonce=message.nonce is not None,
        unknown_attributes=message.unknown_attributes[:_MAX_UNKNOWN],
        fingerprint=message.fingerprint,
        integrity=message.check_integrity(key) if key is not None else "unchecked",
        problems=(*message.problems, *_long_texts(message))[:MAX_PROBLEMS],
        more_attributes=_attributes(_untold(message, checked=key is not None), secrets),
        **_offered(message),
        **_refused(message, secrets),
    )


def _offered(message: Message) -> dict[str, Any]:
    offer = offer_of(message)
    return {"security_features": offer.features, "password_algorithms": offer.algorithms}


def _refused(message: Message, secrets: frozenset[str]) -> dict[str, Any]:
    error = message.error
    return {"error_code": error.code, "reason": _clean(error.reason, secrets)} if error else {}


def _family_error(message: Message) -> int | None:
    value: FamilyErrorCode | None = message.first(AttributeType.ADDRESS_ERROR_CODE)
    return value.code if value is not None else None


def exchange_of(
    transaction: Transaction,
    *,
    failure: Failure = Failure.TIMEOUT,
    refused_by: str | None = None,
    key: bytes | None = None,
    secrets: frozenset[str] = frozenset(),
) -> Exchange:
    """Keep what a report needs of a transaction; `failure` says why there is no answer, where there is none."""
    answers = (
        answer_of(
            found.message,
            t_ms=found.t_ms,
            source=found.source,
            expected_source=found.expected_source,
            late=found.late,
            key=key,
            secrets=secrets,
        )
        for found in transaction.arrivals
    )
    strays = (
        Stray(t_ms=found.t_ms, source=found.source, size_bytes=found.size_bytes, why=found.why)
        for found in transaction.rejects
    )
    return Exchange(
        sent_ms=tuple(transaction.sent_ms),
        request=sent_of(transaction.request, secrets=secrets) if transaction.sent_ms else None,
        answers=tuple(answers),
        strays=tuple(strays),
        stray_count=transaction.reject_count,
        failure=None if transaction.answer else failure,
        refused_by=None if transaction.answer else refused_by,
        rtt_ms=transaction.rtt_ms,
    )
