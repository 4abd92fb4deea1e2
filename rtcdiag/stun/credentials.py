"""Long-term credentials: their key, the time-limited kind, and what a username tells of itself."""

import hmac
import re
import unicodedata
from base64 import b64encode
from hashlib import md5, sha1, sha256
from typing import Literal

from rtcdiag.evidence.target import CredentialShape
from rtcdiag.targets import Credential

_TIME = r"(?P<{}>[0-9]{{9,11}})"
_TIMED = re.compile(rf"{_TIME.format('alone')}|{_TIME.format('first')}:.*|.*:{_TIME.format('last')}", re.DOTALL)


def opaque_string(text: str) -> str:
    """Prepare a password as RFC 8265 section 4.2 does: other spaces become a space, then normalization form C."""
    return unicodedata.normalize("NFC", "".join(" " if unicodedata.category(char) == "Zs" else char for char in text))


def long_term_key(
    username: str, realm: str | bytes, password: str, algorithm: Literal["md5", "sha256"] = "md5"
) -> bytes:
    """Return the key of MESSAGE-INTEGRITY (RFC 8489 section 9.2.2); a realm of the wire is taken byte for byte."""
    realm_bytes = realm.encode() if isinstance(realm, str) else realm
    text = b":".join([username.encode(), realm_bytes, opaque_string(password).encode()])
    return sha256(text).digest() if algorithm == "sha256" else md5(text, usedforsecurity=False).digest()


def password_of(secret: str, username: str) -> str:
    """Return the password of a time-limited username: what coturn's ``use-auth-secret`` computes."""
    return b64encode(hmac.new(secret.encode(), username.encode(), sha1).digest()).decode()


def mint(secret: str, name: str, expires_at_s: int) -> Credential:
    """Make a credential that is valid until a UNIX time; an empty name leaves only the time stamp as username."""
    username = f"{expires_at_s}:{name}" if name else str(expires_at_s)
    return Credential(username, password_of(secret, username))


def shape_of(username: str) -> CredentialShape:
    """Tell whether a username carries a UNIX time: ``time:name``, ``name:time`` or only ``time``."""
    match = _TIMED.fullmatch(username)
    if match is None:
        return CredentialShape(form="static")
    return CredentialShape(form="time-limited", expires_at=float(match["alone"] or match["first"] or match["last"]))
