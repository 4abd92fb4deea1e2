"""Requests: bytes with what is needed to recognize and check their answers."""

from collections.abc import Iterable
from secrets import token_bytes
from typing import Any

import msgspec

from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.codec import encode
from rtcdiag.stun.header import MessageClass, Method


class Request(msgspec.Struct, frozen=True):
    """A request that is ready to be sent."""

    method: int
    transaction_id: bytes
    data: bytes
    signed: bool = False
    """Whether it carries MESSAGE-INTEGRITY."""


def new_transaction_id() -> bytes:
    """Return 12 bytes that cannot be guessed (RFC 8489 section 5)."""
    return token_bytes(12)


def new_request(
    method: int,
    attributes: Iterable[tuple[int, Any]] = (),
    *,
    key: bytes | None = None,
    sha256: bool = False,
    fingerprint: bool = True,
    transaction_id: bytes | None = None,
) -> Request:
    """Make a request with a fresh transaction id, signed where a key is given."""
    chosen = transaction_id or new_transaction_id()
    data = encode(MessageClass.REQUEST, method, chosen, attributes, key=key, sha256=sha256, fingerprint=fingerprint)
    return Request(method, chosen, data, signed=key is not None)


def binding_request(
    *,
    change_ip: bool = False,
    change_port: bool = False,
    attributes: Iterable[tuple[int, Any]] = (),
    transaction_id: bytes | None = None,
) -> Request:
    """Make a Binding request, with CHANGE-REQUEST where something is to change (RFC 5780 section 7.2)."""
    flags = (4 if change_ip else 0) | (2 if change_port else 0)
    change = [(AttributeType.CHANGE_REQUEST, flags)] if flags else []
    return new_request(Method.BINDING, [*change, *attributes], transaction_id=transaction_id)
