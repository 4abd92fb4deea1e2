"""End-to-end encryption of what a rendezvous carries: it sees lengths and times, and can only lose messages.

ChaCha20-Poly1305 (RFC 8439). Each sender draws 16 random bytes and derives a key of its own from these and the room's
key (HKDF, RFC 5869), so that no nonce is ever used twice under one key, even where a person joins a room again with
another process. The nonce is the number of the message. Room, direction and number are authenticated with it.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rtcdiag.evidence.session import SessionRole

_SALT_BYTES = 16
_TAG_BYTES = 16
_VERSION = b"rtcdiag rendezvous 1"
OVERHEAD_BYTES = _SALT_BYTES + _TAG_BYTES


class SealingError(ValueError):
    """A message was not sealed by the other end for this place in this room."""


class Sealer:
    """One end's outgoing direction."""

    def __init__(self, key: bytes, room: str, role: SessionRole) -> None:
        self._salt = secrets.token_bytes(_SALT_BYTES)
        self._room, self._role = room, role
        self._cipher = _cipher(key, self._salt, room, role)

    def seal(self, number: int, data: bytes) -> bytes:
        """Encrypt the message of this number, from 1; a number is used once."""
        sealed = self._cipher.encrypt(_nonce(number), data, _bound(self._room, self._role, number))
        return self._salt + sealed


class Opener:
    """One end's incoming direction: `role` is the sender's."""

    def __init__(self, key: bytes, room: str, role: SessionRole) -> None:
        self._key, self._room, self._role = key, room, role
        self._salt: bytes | None = None
        self._cipher: ChaCha20Poly1305 | None = None

    def open(self, number: int, sealed: bytes) -> bytes:
        """Return the message of this number; raise SealingError for a changed, moved, replayed or reflected one."""
        salt, rest = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:]
        if self._cipher is None or salt != self._salt:
            if self._salt is not None:
                raise SealingError("it is of another sender than the messages before")
            cipher = _cipher(self._key, salt, self._room, self._role)
        else:
            cipher = self._cipher
        try:
            data = cipher.decrypt(_nonce(number), rest, _bound(self._room, self._role, number))
        except (InvalidTag, ValueError):
            raise SealingError("it was not encrypted by the other end for this room and this place") from None
        # Only who has the key may decide which sender this is.
        self._salt, self._cipher = salt, cipher
        return data


def _cipher(key: bytes, salt: bytes, room: str, role: SessionRole) -> ChaCha20Poly1305:
    info = b"\0".join([_VERSION, room.encode(), role.encode()])
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt, info).derive(key))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(room: str, role: SessionRole, number: int) -> bytes:
    return b"\0".join([_VERSION, room.encode(), role.encode(), str(number).encode()])
