"""Who may relay: long-term and time-limited credentials (RFC 8489 section 9.2.4)."""

from struct import pack
from typing import Literal

from rtcdiag.server.allocation import User
from rtcdiag.server.config import ServerConfig
from rtcdiag.server.effects import Client
from rtcdiag.server.nonces import Nonces
from rtcdiag.server.replies import RefusedError
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.credentials import long_term_key, password_of, shape_of
from rtcdiag.stun.message import Message
from rtcdiag.stun.security import MD5, SHA256

_OFFERED = pack("!HHHH", SHA256, 0, MD5, 0)
"""PASSWORD-ALGORITHMS, each without parameters."""
_ANNOUNCED = b"obMatJos2AAAB"
"""How a nonce says that there are such (RFC 8489 section 9.2)."""


class Door:
    """Lets authenticated requests in; `unix_s` is the UNIX time at which the server's clock was 0."""

    def __init__(self, config: ServerConfig, nonce_secret: bytes, unix_s: float) -> None:
        self._realm = config.realm
        self._secret = config.secret
        self._unix_s = unix_s
        self._nonces = Nonces(nonce_secret, config.nonce_lifetime_s)
        self._users = {user.username: user.password for user in config.users}
        self._sha256 = config.sha256

    def admit(self, now_ms: float, client: Client, request: Message) -> User:
        """Return who signed the request; raise RefusedError 400, 401 or 438."""
        if request.raw_of(A.MESSAGE_INTEGRITY) is None and not (self._sha256 and _is_modern(request)):
            raise self._challenge(401, now_ms, client)
        username, nonce = request.username, request.nonce
        if username is None or nonce is None or request.realm is None:
            raise RefusedError(400)
        key = self._key(now_ms, username, self._algorithm(request))
        if key is None or request.check_integrity(key) != "valid":
            raise self._challenge(401, now_ms, client)
        if not self._nonces.is_good(now_ms, client, nonce.removeprefix(_ANNOUNCED)):
            raise self._challenge(438, now_ms, client)
        return User(username, key)

    def _algorithm(self, request: Message) -> Literal["md5", "sha256"]:
        """Return how the key is made; raise RefusedError 400 where the offer does not come back as it was."""
        chosen = request.raw_of(A.PASSWORD_ALGORITHM)
        if not self._sha256 or chosen is None:
            return "md5"
        if request.raw_of(A.PASSWORD_ALGORITHMS) != _OFFERED or chosen not in (_OFFERED[:4], _OFFERED[4:]):
            raise RefusedError(400)
        return "sha256" if chosen == _OFFERED[:4] else "md5"

    def _challenge(self, code: int, now_ms: float, client: Client) -> RefusedError:
        nonce = self._nonces.make(now_ms, client)
        if not self._sha256:
            return RefusedError(code, [(A.REALM, self._realm), (A.NONCE, nonce)])
        offer = [(A.REALM, self._realm), (A.NONCE, _ANNOUNCED + nonce), (A.PASSWORD_ALGORITHMS, _OFFERED)]
        return RefusedError(code, offer)

    def _key(self, now_ms: float, username: str, algorithm: Literal["md5", "sha256"]) -> bytes | None:
        password = self._users.get(username)
        if password is None and self._secret is not None:
            until_s = shape_of(username).expires_at
            is_good = until_s is not None and until_s > self._unix_s + now_ms / 1000
            password = password_of(self._secret.value, username) if is_good else None
        return None if password is None else long_term_key(username, self._realm, password, algorithm)


def _is_modern(request: Message) -> bool:
    return request.raw_of(A.MESSAGE_INTEGRITY_SHA256) is not None
