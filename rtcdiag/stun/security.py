"""What a challenge offers beyond MD5 and SHA-1: the features in its NONCE, and PASSWORD-ALGORITHMS (RFC 8489)."""

from base64 import b64decode
from typing import Literal

import msgspec

from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.message import Message

Feature = Literal["password-algorithms", "username-anonymity"]
MD5, SHA256 = 1, 2
"""Numbers of password algorithms (RFC 8489 section 18.5)."""
MAX_ALGORITHMS = 8
_COOKIE = b"obMatJos2"
_FEATURE_CHARS = 4
# Bit 0 is the right-most one by the example in appendix B.1 and by an erratum, the left-most by the text of section
# 18.1. Servers do both, and no other bit is assigned, so that either is understood.
_BITS: tuple[tuple[Feature, int], ...] = (("password-algorithms", 0x800001), ("username-anonymity", 0x400002))


class Offer(msgspec.Struct, frozen=True):
    """What a challenge offers."""

    features: tuple[Feature, ...] = ()
    algorithms: tuple[int, ...] = ()
    """Numbers of PASSWORD-ALGORITHMS, the preferred first; empty without the attribute."""
    raw: bytes | None = None
    """PASSWORD-ALGORITHMS as it came: a client repeats it byte for byte."""

    @property
    def chosen(self) -> int | None:
        """The algorithm to sign with; None where the request is signed as before RFC 8489 (section 9.2.5)."""
        if "password-algorithms" not in self.features:
            return None
        return next((number for number in (SHA256, MD5) if number in self.algorithms), None)


def offer_of(challenge: Message) -> Offer:
    """Read what a challenge offers; nothing where it is one as before RFC 8489."""
    raw = challenge.raw_of(AttributeType.PASSWORD_ALGORITHMS)
    return Offer(features_of(challenge.nonce or b""), algorithms_of(raw or b""), raw)


def features_of(nonce: bytes) -> tuple[Feature, ...]:
    """Return the security features that a nonce announces (RFC 8489 section 9.2)."""
    told = nonce[len(_COOKIE) : len(_COOKIE) + _FEATURE_CHARS]
    if not nonce.startswith(_COOKIE) or len(told) < _FEATURE_CHARS:
        return ()
    try:
        bits = int.from_bytes(b64decode(told, validate=True), "big")
    except ValueError:
        return ()
    return tuple(name for name, mask in _BITS if bits & mask)


def algorithms_of(raw: bytes) -> tuple[int, ...]:
    """Read the numbers of PASSWORD-ALGORITHMS (RFC 8489 section 14.11), each of which has parameters behind it."""
    found: list[int] = []
    at = 0
    while at + 4 <= len(raw) and len(found) < MAX_ALGORITHMS:
        size = int.from_bytes(raw[at + 2 : at + 4], "big")
        found.append(int.from_bytes(raw[at : at + 2], "big"))
        at += 4 + size + -size % 4
    return tuple(found)
