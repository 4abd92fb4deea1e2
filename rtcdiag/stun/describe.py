"""Messages in words for evidence: each attribute as its name and its value, without anything that must stay secret.

A username is told by its shape, a nonce by its beginning, and what proves or identifies somebody (MESSAGE-INTEGRITY,
passwords, tokens, payloads) by its size only.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode, FamilyErrorCode, IcmpError, attribute_name
from rtcdiag.stun.credentials import shape_of
from rtcdiag.stun.header import Method
from rtcdiag.stun.message import Attribute
from rtcdiag.stun.security import MD5, SHA256, algorithms_of

NONCE_SHOWN = 8
MAX_DESCRIBED = 32
"""More attributes than these are counted: no honest message has as many."""
_FAMILIES = {1: "IPv4", 2: "IPv6"}
_PROTOCOLS = {6: "TCP", 17: "UDP"}
_ALGORITHMS = {MD5: "MD5", SHA256: "SHA-256"}
_METHODS = {
    Method.BINDING: "Binding",
    Method.SHARED_SECRET: "Shared Secret",
    Method.ALLOCATE: "Allocate",
    Method.REFRESH: "Refresh",
    Method.SEND: "Send",
    Method.DATA: "Data",
    Method.CREATE_PERMISSION: "CreatePermission",
    Method.CHANNEL_BIND: "ChannelBind",
    Method.CONNECT: "Connect",
    Method.CONNECTION_BIND: "ConnectionBind",
    Method.CONNECTION_ATTEMPT: "ConnectionAttempt",
}


def method_name(method: int) -> str:
    """Return the name of a method in the RFC, or ``method 0x0FF``."""
    return _METHODS[Method(method)] if method in _METHODS else f"method 0x{method:03X}"


def described(attributes: tuple[Attribute, ...]) -> Iterator[tuple[str, str]]:
    """Yield name and value of each attribute, at most `MAX_DESCRIBED` of them; what is left is counted."""
    for attribute in attributes[:MAX_DESCRIBED]:
        yield attribute_name(attribute.type), value_words(attribute)
    if len(attributes) > MAX_DESCRIBED:
        yield "and", f"{len(attributes) - MAX_DESCRIBED} more attributes"


def value_words(attribute: Attribute) -> str:
    """Return an attribute's value for a reader; its size where it could not be read, is secret, or is not known."""
    words = _WORDS.get(attribute.type)
    if attribute.value is None:
        return f"unreadable, {_bytes(attribute.raw)}"
    if words is not None:
        return words(attribute.value)
    return str(attribute.value) if attribute.type in _PLAIN else _bytes(attribute.raw)


def _bytes(raw: bytes) -> str:
    return f"{len(raw)} bytes"


def _username(name: str) -> str:
    shape = shape_of(name)
    if shape.expires_at is None:
        return "(not shown: no expiry time in it)"
    return f"(not shown: time-limited, until {datetime.fromtimestamp(shape.expires_at, UTC):%Y-%m-%dT%H:%M:%SZ})"


def _nonce(value: bytes) -> str:
    shown = value[:NONCE_SHOWN].decode("ascii", "backslashreplace")
    return f"{shown}… ({len(value)} bytes)" if len(value) > NONCE_SHOWN else _hidden(value)


def _error(error: ErrorCode | FamilyErrorCode) -> str:
    family = f"{_FAMILIES.get(error.family, error.family)} " if isinstance(error, FamilyErrorCode) else ""
    return f"{family}{error.code} {error.reason}".rstrip()


def _icmp(error: IcmpError) -> str:
    return f"type {error.type}, code {error.code}"


def _types(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(attribute_name, numbers[:16]))


def _change(flags: int) -> str:
    return " and ".join(name for bit, name in ((4, "address"), (2, "port")) if flags & bit) or "nothing"


def _algorithms(value: bytes) -> str:
    return ", ".join(_ALGORITHMS.get(number, f"0x{number:04X}") for number in algorithms_of(value)) or "none"


def _hidden(_value: object) -> str:
    return "(not shown)"


_WORDS: dict[int, Callable[[Any], str]] = {
    A.USERNAME: _username,
    A.PASSWORD: _hidden,
    A.MESSAGE_INTEGRITY: _hidden,
    A.MESSAGE_INTEGRITY_SHA256: _hidden,
    A.USERHASH: _hidden,
    A.ACCESS_TOKEN: _hidden,
    A.RESERVATION_TOKEN: _hidden,
    A.MOBILITY_TICKET: _hidden,
    A.NONCE: _nonce,
    A.ERROR_CODE: _error,
    A.ADDRESS_ERROR_CODE: _error,
    A.UNKNOWN_ATTRIBUTES: _types,
    A.CHANGE_REQUEST: _change,
    A.CHANNEL_NUMBER: lambda number: f"0x{number:04X}",
    A.LIFETIME: lambda seconds: f"{seconds} s",
    A.CACHE_TIMEOUT: lambda seconds: f"{seconds} s",
    A.REQUESTED_TRANSPORT: lambda number: _PROTOCOLS.get(number, str(number)),
    A.REQUESTED_ADDRESS_FAMILY: lambda number: _FAMILIES.get(number, str(number)),
    A.ADDITIONAL_ADDRESS_FAMILY: lambda number: _FAMILIES.get(number, str(number)),
    A.EVEN_PORT: lambda flags: "and the next one" if flags & 0x80 else "",
    A.PASSWORD_ALGORITHM: _algorithms,
    A.PASSWORD_ALGORITHMS: _algorithms,
    A.ICMP: _icmp,
    A.DONT_FRAGMENT: lambda _: "",
    A.USE_CANDIDATE: lambda _: "",
    A.FINGERPRINT: lambda _: "",
}
_PLAIN = frozenset(
    {
        A.MAPPED_ADDRESS,
        A.RESPONSE_ADDRESS,
        A.SOURCE_ADDRESS,
        A.CHANGED_ADDRESS,
        A.REFLECTED_FROM,
        A.BANDWIDTH,
        A.XOR_PEER_ADDRESS,
        A.REALM,
        A.XOR_RELAYED_ADDRESS,
        A.XOR_MAPPED_ADDRESS,
        A.OLD_XOR_MAPPED_ADDRESS,
        A.TIMER_VAL,
        A.PRIORITY,
        A.RESPONSE_PORT,
        A.CONNECTION_ID,
        A.ALTERNATE_DOMAIN,
        A.SOFTWARE,
        A.ALTERNATE_SERVER,
        A.RESPONSE_ORIGIN,
        A.OTHER_ADDRESS,
        A.THIRD_PARTY_AUTHORIZATION,
    }
)
"""Attributes whose value reads as it is: addresses, numbers, texts."""
