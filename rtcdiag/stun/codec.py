"""STUN messages (RFC 8489) from bytes and into bytes.

`decode` accepts what a sloppy sender sends, keeps every attribute in its order with its raw bytes, and names what was
wrong in `Message.problems`. It raises nothing but `StunError`.
"""

from collections.abc import Iterable, Iterator
from struct import pack, unpack_from
from typing import Any

from rtcdiag.stun.attributes import AttributeType, attribute_name
from rtcdiag.stun.header import COOKIE, HEADER_BYTES, MessageClass, Method, check_header, message_type, split_type
from rtcdiag.stun.integrity import fingerprint_of, signature_of, with_length
from rtcdiag.stun.message import MAX_PROBLEMS, Attribute, Message
from rtcdiag.stun.values import pack_value, size_problem, unpack_value

MAX_ATTRIBUTES = 256
"""A hostile message could have thousands."""
_METHODS = frozenset(Method)
# Numbers, for they are compared with every attribute: an enumeration's members take several times as long.
_INTEGRITY, _FINGERPRINT = int(AttributeType.MESSAGE_INTEGRITY), int(AttributeType.FINGERPRINT)
_MAY_REPEAT = frozenset(map(int, (AttributeType.XOR_PEER_ADDRESS, AttributeType.XOR_RELAYED_ADDRESS)))
_AFTER_INTEGRITY = frozenset(map(int, (AttributeType.MESSAGE_INTEGRITY_SHA256, AttributeType.FINGERPRINT)))


def _attribute(attribute_type: int, raw: bytes) -> bytes:
    return pack("!HH", attribute_type, len(raw)) + raw + bytes(-len(raw) % 4)


def encode(
    message_class: MessageClass,
    method: int,
    transaction_id: bytes,
    attributes: Iterable[tuple[int, Any]] = (),
    *,
    key: bytes | None = None,
    sha256: bool = False,
    fingerprint: bool = True,
) -> bytes:
    """Return a message as bytes, signed with MESSAGE-INTEGRITY, or with -SHA256 alone, where a key is given.

    `transaction_id` has 12 bytes; `attributes` are pairs of type and value, see `values.CODECS`. Raise ValueError
    for a message of 64 KiB or more.
    """
    assert len(transaction_id) == 12
    header = pack("!HHI12s", message_type(message_class, method), 0, COOKIE, transaction_id)
    data = header + b"".join(_attribute(kind, pack_value(kind, value, transaction_id)) for kind, value in attributes)
    if len(data) > 0xFFFF - 44:
        raise ValueError(f"a STUN message of {len(data)} bytes does not fit its length field")
    if key is not None:
        data += _attribute(*signature_of(data, key, sha256=sha256))
    if fingerprint:
        data += _attribute(AttributeType.FINGERPRINT, pack("!I", fingerprint_of(data)))
    return with_length(data, 0)


def decode(data: bytes) -> Message:
    """Read a datagram or frame; raise StunError where it is not a STUN message."""
    check_header(data)
    number, length = unpack_from("!HH", data)
    message_class, method = split_type(number)
    problems: list[str] = []
    if len(data) > HEADER_BYTES + length:
        problems.append(f"{len(data) - HEADER_BYTES - length} bytes follow the message")
    if length % 4:
        problems.append(f"the length field, {length}, is not a multiple of 4")
    raw = bytes(data[: HEADER_BYTES + length])
    attributes = tuple(_attributes(raw, problems))
    problems.extend(_order_problems(attributes))
    method = Method(method) if method in _METHODS else method
    return Message(message_class, method, raw[8:20], attributes, raw, tuple(problems[:MAX_PROBLEMS]))


def _attributes(raw: bytes, problems: list[str]) -> Iterator[Attribute]:
    offset = HEADER_BYTES
    for _ in range(MAX_ATTRIBUTES):
        if offset + 4 > len(raw):
            break
        kind, size = unpack_from("!HH", raw, offset)
        end = offset + 4 + size
        if end > len(raw):
            problems.append(f"{attribute_name(kind)} reaches {end - len(raw)} bytes past the end of the message")
            return
        value = raw[offset + 4 : end]
        yield Attribute(kind, _value(kind, value, raw[8:20], problems), value, offset)
        offset = offset + 4 + size + -size % 4
    if offset > len(raw):
        problems.append("the last attribute is not padded")
    elif offset < len(raw):
        problems.append(f"{len(raw) - offset} bytes at the end are no attribute, or one too many")


def _value(kind: int, raw: bytes, transaction_id: bytes, problems: list[str]) -> Any:
    try:
        value = unpack_value(kind, raw, transaction_id)
    except ValueError as error:
        problems.append(f"{attribute_name(kind)} {error}")
        return None
    wrong_size = size_problem(kind, len(raw))
    if wrong_size:
        problems.append(wrong_size)
    return value


def _order_problems(attributes: tuple[Attribute, ...]) -> Iterator[str]:
    seen: set[int] = set()
    for attribute in attributes:
        kind = attribute.type
        if _FINGERPRINT in seen:
            yield f"{attribute_name(kind)} follows FINGERPRINT"
        elif _INTEGRITY in seen and kind not in _AFTER_INTEGRITY:
            yield f"{attribute_name(kind)} follows MESSAGE-INTEGRITY"
        elif kind in seen and kind not in _MAY_REPEAT:
            yield f"{attribute_name(kind)} is repeated"
        seen.add(kind)
