"""Who may relay: long-term and time-limited credentials (RFC 8489 section 9.2.4)."""

from rtcdiag.server.allocation import User
from rtcdiag.server.config import ServerConfig
from rtcdiag.server.effects import Client
from rtcdiag.server.nonces import Nonces
from rtcdiag.server.replies import RefusedError
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.credentials import long_term_key, password_of, shape_of
from rtcdiag.stun.message import Message


class Door:
    """Lets authenticated requests in; `unix_s` is the UNIX time at which the server's clock was 0."""

    def __init__(self, config: ServerConfig, nonce_secret: bytes, unix_s: float) -> None:
        self._realm = config.realm
        self._secret = config.secret
        self._unix_s = unix_s
        self._nonces = Nonces(nonce_secret, config.nonce_lifetime_s)
        self._keys = {user.username: long_term_key(user.username, config.realm, user.password) for user in config.users}

    def admit(self, now_ms: float, client: Client, request: Message) -> User:
        """Return who signed the request; raise RefusedError 400, 401 or 438."""
        if request.raw_of(AttributeType.MESSAGE_INTEGRITY) is None:
            raise self._challenge(401, now_ms, client)
        username, nonce = request.username, request.nonce
        if username is None or nonce is None or request.realm is None:
            raise RefusedError(400)
        key = self._key(now_ms, username)
        if key is None or request.check_integrity(key) != "valid":
            raise self._challenge(401, now_ms, client)
        if not self._nonces.is_good(now_ms, client, nonce):
            raise self._challenge(438, now_ms, client)
        return User(username, key)

    def _challenge(self, code: int, now_ms: float, client: Client) -> RefusedError:
        nonce = self._nonces.make(now_ms, client)
        return RefusedError(code, [(AttributeType.REALM, self._realm), (AttributeType.NONCE, nonce)])

    def _key(self, now_ms: float, username: str) -> bytes | None:
        if username in self._keys or self._secret is None:
            return self._keys.get(username)
        until_s = shape_of(username).expires_at
        if until_s is None or until_s <= self._unix_s + now_ms / 1000:
            return None
        return long_term_key(username, self._realm, password_of(self._secret.value, username))
