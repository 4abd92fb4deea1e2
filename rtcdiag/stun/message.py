"""STUN messages (RFC 8489) as frozen values, whatever they were read from."""

import hmac
from collections.abc import Iterator
from typing import Any

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import AttributeType, ErrorCode
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.integrity import Check, fingerprint_of, integrity_of, integrity_sha256_of

MAX_PROBLEMS = 8
"""A hostile message could have thousands."""
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
