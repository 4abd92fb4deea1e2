"""Nonces that need no memory: each says until when it is good and proves that this server made it for this client."""

import hmac
from hashlib import sha256

from rtcdiag.server.effects import Client


class Nonces:
    """Makes and checks nonces (RFC 8489 section 9.2.4); times are milliseconds of the server's clock."""

    def __init__(self, secret: bytes, lifetime_s: int) -> None:
        self._secret = secret
        self._lifetime_ms = lifetime_s * 1000

    def make(self, now_ms: float, client: Client) -> bytes:
        """Return a nonce for a client: another client cannot use it."""
        until = b"%x" % int(now_ms + self._lifetime_ms)
        return until + b"-" + self._proof(until, client)

    def is_good(self, now_ms: float, client: Client, nonce: bytes) -> bool:
        """True for an unexpired nonce of this server for this client."""
        until, _, proof = nonce.partition(b"-")
        if not hmac.compare_digest(proof, self._proof(until, client)):
            return False
        return now_ms < int(until, 16)

    def _proof(self, until: bytes, client: Client) -> bytes:
        text = until + f"|{client.transport}|{client.remote}".encode()
        return hmac.new(self._secret, text, sha256).hexdigest()[:16].encode()
