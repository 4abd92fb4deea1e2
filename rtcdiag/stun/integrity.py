"""MESSAGE-INTEGRITY and FINGERPRINT: what they are for the bytes before them (RFC 8489 sections 14.5 to 14.7)."""

import hmac
import zlib
from hashlib import sha1, sha256
from struct import pack
from typing import Literal

from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.header import HEADER_BYTES

SHA256_BYTES = 32
_FINGERPRINT_XOR = 0x5354554E


Check = Literal["valid", "invalid", "absent"]
"""What became of comparing an attribute with what it has to be."""


def with_length(data: bytes, extra: int) -> bytes:
    """Return a message from its first bytes, its length field set as if `extra` more bytes followed."""
    return data[:2] + pack("!H", len(data) - HEADER_BYTES + extra & 0xFFFF) + data[4:]


def integrity_of(data: bytes, key: bytes) -> bytes:
    """Return the value of MESSAGE-INTEGRITY that has to follow `data`."""
    # HMAC-SHA1 is what RFC 8489 section 14.5 prescribes and the only thing that servers accept.
    return hmac.digest(key, with_length(data, 24), sha1)


def integrity_sha256_of(data: bytes, key: bytes, size: int) -> bytes:
    """Return the value of MESSAGE-INTEGRITY-SHA256, cut to `size` bytes, that has to follow `data`."""
    return hmac.digest(key, with_length(data, 4 + size), sha256)[:size]


def signature_of(data: bytes, key: bytes, *, sha256: bool) -> tuple[int, bytes]:
    """Return type and value of the attribute that signs `data`: MESSAGE-INTEGRITY, or MESSAGE-INTEGRITY-SHA256."""
    if sha256:
        return AttributeType.MESSAGE_INTEGRITY_SHA256, integrity_sha256_of(data, key, SHA256_BYTES)
    return AttributeType.MESSAGE_INTEGRITY, integrity_of(data, key)


def fingerprint_of(data: bytes) -> int:
    """Return the value of FINGERPRINT that has to follow `data`."""
    return zlib.crc32(with_length(data, 8)) ^ _FINGERPRINT_XOR
