"""The secret that pseudonyms are chosen with: without it nobody can tell which address or name one stands for."""

import hmac
from collections.abc import Iterable
from typing import TypeVar

_Item = TypeVar("_Item")
_TAG_BYTES = 8
MIN_BYTES = 16
"""A shorter key could be guessed, and with it every IPv4 address."""


class Key:
    """A secret, which never prints; ``id`` names it where several reports share it, and is None where they do not."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: bytes, *, shared: bool = False) -> None:
        """Take the secret; ``shared`` says that other reports are redacted with the same one."""
        self._secret = secret
        self.id = self.tag("key", "") if shared else None

    def __repr__(self) -> str:
        return "Key(…)"

    def tag(self, purpose: str, text: str) -> str:
        """Return 16 hexadecimal digits that are the same for the same text, and tell nothing of it without the key."""
        return self._digest(purpose, text)[:_TAG_BYTES].hex()

    def number(self, purpose: str, text: str, below: int) -> int:
        """Return a number from 0 that only the key and the text decide."""
        return int.from_bytes(self._digest(purpose, text)[:16]) % below

    def shuffled(self, purpose: str, items: Iterable[_Item]) -> list[_Item]:
        """Return the items in an order that only the key and the purpose decide."""
        return sorted(items, key=lambda item: self._digest(purpose, str(item)))

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}\0{text}".encode(), "sha256")
