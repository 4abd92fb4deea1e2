"""STUN messages (RFC 8489): frozen values, made from bytes and turned into bytes.

`decode` accepts what a sloppy sender sends, keeps every attribute in its order with its raw bytes, and names what was
wrong in `Message.problems`. It raises nothing but `StunError`.
"""

import hmac
from collections.abc import Iterable, Iterator
from struct import pack, unpack_from
from typing import Any

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import AttributeType, ErrorCode, attribute_name
from rtcdiag.stun.header import COOKIE, HEADER_BYTES, MessageClass, Method, check_header, message_type, split_type
from rtcdiag.stun.integrity import Check, fingerprint_of, integrity_of, integrity_sha256_of, signature_of, with_length
from rtcdiag.stun.values import pack_value, size_problem, unpack_value

MAX_PROBLEMS = 8
"""A hostile message could have thousands, of attributes as well."""
MAX_ATTRIBUTES = 256
_METHODS = frozenset(Method)
# Numbers, for they are compared with every attribute: an enumeration's members take several times as long.
_INTEGRITY, _FINGERPRINT = int(AttributeType.MESSAGE_INTEGRITY), int(AttributeType.FINGERPRINT)
_MAY_REPEAT = frozenset(map(int, (AttributeType.XOR_PEER_ADDRESS, AttributeType.XOR_RELAYED_ADDRESS)))
_AFTER_INTEGRITY = frozenset(map(int, (AttributeType.MESSAGE_INTEGRITY_SHA256, AttributeType.FINGERPRINT)))


class Attribute(msgspec.Struct, frozen=True):
    """One attribute as it stood in a message."""

    type: int
    value: Any
    """The value as `values.CODECS` reads it; None where it could not be read."""
    raw: bytes
    offset: int
    """Where its header starts in the message."""


class Message(msgspec.Struct, frozen=True):
    """One STUN message."""

    message_class: MessageClass
    method: int
    """A `Method` where the number is known."""
    transaction_id: bytes
    attributes: tuple[Attribute, ...]
    """Every attribute, in order, known or not."""
    raw: bytes
    problems: tuple[str, ...] = ()
    """What the sender got wrong, at most `MAX_PROBLEMS` of them."""

    def every(self, attribute_type: int) -> Iterator[Any]:
        """Yield the readable values of a type; what follows MESSAGE-INTEGRITY is ignored (RFC 8489 section 14.5)."""
        signed = False
        for attribute in self.attributes:
            ignored = signed and attribute_type not in _AFTER_INTEGRITY
            if attribute.type == attribute_type and attribute.value is not None and not ignored:
                yield attribute.value
            signed = signed or attribute.type == _INTEGRITY

    def first(self, attribute_type: int) -> Any:
        """Return the first readable value of a type, or None."""
        # A reader asks for twenty types, of which a message has six.
        for attribute in self.attributes:
            if attribute.type == attribute_type:
                return next(self.every(attribute_type), None)
        return None

    def raw_of(self, attribute_type: int) -> bytes | None:
        """Return the bytes of the first attribute of a type, readable or not; None without one."""
        found = self._find(attribute_type)
        return None if found is None else found.raw

    @property
    def mapped(self) -> TransportAddress | None:
        """MAPPED-ADDRESS: where the server says the request came from."""
        return self._address(AttributeType.MAPPED_ADDRESS)

    @property
    def xor_mapped(self) -> TransportAddress | None:
        """XOR-MAPPED-ADDRESS: the same, hidden from middleboxes that rewrite addresses."""
        return self._address(AttributeType.XOR_MAPPED_ADDRESS)

    @property
    def other_address(self) -> TransportAddress | None:
        """OTHER-ADDRESS, or CHANGED-ADDRESS of an RFC 3489 server: the server's alternate address and port."""
        return self._address(AttributeType.OTHER_ADDRESS) or self._address(AttributeType.CHANGED_ADDRESS)

    @property
    def response_origin(self) -> TransportAddress | None:
        """RESPONSE-ORIGIN, or SOURCE-ADDRESS of an RFC 3489 server: where the server says it answers from."""
        return self._address(AttributeType.RESPONSE_ORIGIN) or self._address(AttributeType.SOURCE_ADDRESS)

    @property
    def relayed(self) -> TransportAddress | None:
        """The first XOR-RELAYED-ADDRESS."""
        return self._address(AttributeType.XOR_RELAYED_ADDRESS)

    @property
    def alternate_server(self) -> TransportAddress | None:
        """ALTERNATE-SERVER of a 300 (Try Alternate)."""
        return self._address(AttributeType.ALTERNATE_SERVER)

    @property
    def peers(self) -> tuple[TransportAddress, ...]:
        """Every XOR-PEER-ADDRESS."""
        return tuple(self.every(AttributeType.XOR_PEER_ADDRESS))

    @property
    def error(self) -> ErrorCode | None:
        """ERROR-CODE; its reason phrase is often empty."""
        value: ErrorCode | None = self.first(AttributeType.ERROR_CODE)
        return value

    @property
    def unknown_attributes(self) -> tuple[int, ...]:
        """UNKNOWN-ATTRIBUTES: the attribute types that a server refused with 420."""
        return self.first(AttributeType.UNKNOWN_ATTRIBUTES) or ()

    @property
    def software(self) -> str | None:
        """SOFTWARE, as sent."""
        return self._text(AttributeType.SOFTWARE)

    @property
    def username(self) -> str | None:
        """USERNAME."""
        return self._text(AttributeType.USERNAME)

    @property
    def realm(self) -> str | None:
        """REALM."""
        return self._text(AttributeType.REALM)

    @property
    def nonce(self) -> bytes | None:
        """NONCE, byte for byte."""
        value: bytes | None = self.first(AttributeType.NONCE)
        return value

    @property
    def data(self) -> bytes | None:
        """DATA of a Send or Data indication."""
        value: bytes | None = self.first(AttributeType.DATA)
        return value

    @property
    def lifetime_s(self) -> int | None:
        """LIFETIME in seconds."""
        return self._number(AttributeType.LIFETIME)

    @property
    def channel(self) -> int | None:
        """CHANNEL-NUMBER."""
        return self._number(AttributeType.CHANNEL_NUMBER)

    @property
    def requested_transport(self) -> int | None:
        """The IP protocol number in REQUESTED-TRANSPORT: 17 is UDP."""
        return self._number(AttributeType.REQUESTED_TRANSPORT)

    @property
    def requested_family(self) -> int | None:
        """The byte in REQUESTED-ADDRESS-FAMILY: 1 is IPv4, 2 is IPv6."""
        return self._number(AttributeType.REQUESTED_ADDRESS_FAMILY)

    @property
    def change_request(self) -> tuple[bool, bool]:
        """CHANGE-REQUEST as (change IP, change port), both False without one (RFC 5780 section 7.2)."""
        flags = self._number(AttributeType.CHANGE_REQUEST) or 0
        return bool(flags & 4), bool(flags & 2)

    @property
    def fingerprint(self) -> Check:
        """Whether FINGERPRINT fits the bytes before it (RFC 8489 section 14.7)."""
        found = self._find(AttributeType.FINGERPRINT)
        if found is None:
            return "absent"
        return _check(found.value == fingerprint_of(self.raw[: found.offset]))

    def check_integrity(self, key: bytes) -> Check:
        """Compare MESSAGE-INTEGRITY, or else MESSAGE-INTEGRITY-SHA256, with what `key` gives."""
        found = self._find(AttributeType.MESSAGE_INTEGRITY)
        if found is not None:
            return _check(hmac.compare_digest(found.raw, integrity_of(self.raw[: found.offset], key)))
        found = self._find(AttributeType.MESSAGE_INTEGRITY_SHA256)
        if found is None:
            return "absent"
        expected = integrity_sha256_of(self.raw[: found.offset], key, len(found.raw))
        return _check(len(found.raw) >= 16 and hmac.compare_digest(found.raw, expected))

    def _find(self, attribute_type: int) -> Attribute | None:
        return next((found for found in self.attributes if found.type == attribute_type), None)

    def _address(self, attribute_type: int) -> TransportAddress | None:
        value: TransportAddress | None = self.first(attribute_type)
        return value

    def _text(self, attribute_type: int) -> str | None:
        value: str | None = self.first(attribute_type)
        return value

    def _number(self, attribute_type: int) -> int | None:
        value: int | None = self.first(attribute_type)
        return value


def _check(fits: bool) -> Check:
    return "valid" if fits else "invalid"


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
