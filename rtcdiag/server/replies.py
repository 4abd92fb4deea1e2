"""Responses: how every one of them is built, and how a refusal travels from where it is found to the client."""

from collections.abc import Iterable
from typing import Any

from rtcdiag.stun.attributes import AttributeType, ErrorCode, comprehension_required
from rtcdiag.stun.codec import encode
from rtcdiag.stun.header import MessageClass
from rtcdiag.stun.message import Message

SOFTWARE = "rtcdiag"
"""Without a version: it helps nobody but an attacker."""
_REASONS = {
    400: "Bad Request",
    401: "Unauthenticated",
    403: "Forbidden",
    420: "Unknown Attribute",
    437: "Allocation Mismatch",
    438: "Stale Nonce",
    440: "Address Family not Supported",
    441: "Wrong Credentials",
    442: "Unsupported Transport Protocol",
    443: "Peer Address Family Mismatch",
    486: "Allocation Quota Reached",
    508: "Insufficient Capacity",
}

Attributes = Iterable[tuple[int, Any]]


class RefusedError(Exception):
    """A request that is answered with an error response (RFC 8489 section 14.8, RFC 8656 section 19)."""

    def __init__(self, code: int, attributes: Attributes = ()) -> None:
        super().__init__(f"{code} {_REASONS[code]}")
        self.code = code
        self.attributes = tuple(attributes)


def success(request: Message, attributes: Attributes, key: bytes | None = None) -> bytes:
    """Build a success response, signed where a key is given."""
    values = [*attributes, (AttributeType.SOFTWARE, SOFTWARE)]
    return _encoded(MessageClass.SUCCESS, request, values, key)


def refusal(request: Message, refused: RefusedError, key: bytes | None = None) -> bytes:
    """Build an error response; it is unsigned where the client is not known yet, and then as short as can be."""
    software = [(AttributeType.SOFTWARE, SOFTWARE)] if key is not None else []
    error = (AttributeType.ERROR_CODE, ErrorCode(refused.code, _REASONS[refused.code]))
    values = [error, *refused.attributes, *software]
    return _encoded(MessageClass.ERROR, request, values, key)


def _encoded(kind: MessageClass, request: Message, values: Attributes, key: bytes | None) -> bytes:
    """Sign as the request is signed (RFC 8489 section 9.2.4)."""
    sha256 = request.raw_of(AttributeType.MESSAGE_INTEGRITY) is None
    return encode(kind, request.method, request.transaction_id, values, key=key, sha256=sha256)


def refuse_unknown(request: Message, understood: frozenset[int]) -> None:
    """Raise 420 with UNKNOWN-ATTRIBUTES where comprehension is required of what is not understood."""
    kinds = dict.fromkeys(found.type for found in request.attributes if comprehension_required(found.type))
    unknown = tuple(kind for kind in kinds if kind not in understood)[:16]
    if unknown:
        raise RefusedError(420, [(AttributeType.UNKNOWN_ATTRIBUTES, unknown)])
