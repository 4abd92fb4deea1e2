"""The address of a room with its key: all that the second person is given.

``https://host/ROOM#KEY``: the part after ``#`` never reaches a server, so that the rendezvous sees only ciphertext.
"""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Self
from urllib.parse import SplitResult, urlsplit

import msgspec

KEY_BYTES = 16
"""128 bits; with three bytes by which a slip is noticed before anybody is asked."""
_CHECK_BYTES = 3
_SECRET_LENGTH = 26
_ROOM = re.compile(r"[A-Za-z0-9_-]{22}")
_SECRET = re.compile(r"[A-Za-z0-9_-]*")
_AROUND = " \t\r\n\"'<>`,;"
_MOST = 500


class InvitationError(ValueError):
    """What was given is no address of a rendezvous or of a room; the message says why, and never repeats the key."""


class Rendezvous(msgspec.Struct, frozen=True):
    """Where a rendezvous is, without a slash at the end: ``https://host:port/path``."""

    url: str

    @property
    def host(self) -> str:
        """Return who is contacted: host, and port where one is named."""
        return urlsplit(self.url).netloc

    @property
    def encrypted(self) -> bool:
        """Whether the way to it is."""
        return self.url.startswith("https:")


class Invitation(msgspec.Struct, frozen=True):
    """One room of a rendezvous, and the key that both ends encrypt with."""

    rendezvous: Rendezvous
    room: str
    key: bytes

    @classmethod
    def to(cls, rendezvous: Rendezvous, room: str) -> Self:
        """Invite to a room that the rendezvous has made, with a new key."""
        if not _ROOM.fullmatch(room):
            raise InvitationError("the rendezvous named a room that is none")
        return cls(rendezvous, room, secrets.token_bytes(KEY_BYTES))

    def __str__(self) -> str:
        secret = urlsafe_b64encode(self.key + _check(self.room, self.key)).decode().rstrip("=")
        return f"{self.rendezvous.url}/{self.room}#{secret}"

    def __repr__(self) -> str:
        """Leave the key out of crashes and logs."""
        return f"Invitation({self.rendezvous.url}/{self.room})"


def is_invitation(text: str) -> bool:
    """Tell whether a code is meant as the address of a room."""
    return re.match(r"https?:", text.strip(_AROUND), re.IGNORECASE) is not None


def parse_rendezvous(text: str) -> Rendezvous:
    """Read the address of a rendezvous; raise InvitationError for what is none."""
    parts = _split(text)
    if parts.fragment or _ROOM.fullmatch(parts.path.strip("/")):
        raise InvitationError("this is the address of a room: to join it, run rtcdiag connect 'ADDRESS'")
    return Rendezvous(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}")


def parse_invitation(text: str) -> Invitation:
    """Read the address of a room; raise InvitationError for what is cut off, misspelled or something else."""
    parts = _split(text)
    before, _, room = parts.path.rpartition("/")
    if not _ROOM.fullmatch(room):
        raise InvitationError("there is no room in this address: it is cut off, or is the rendezvous' own address")
    if not parts.fragment:
        raise InvitationError("the key is missing: put quotes around the whole address, with what follows the #")
    return Invitation(
        Rendezvous(f"{parts.scheme}://{parts.netloc}{before.rstrip('/')}"), room, _key(room, parts.fragment)
    )


def _split(text: str) -> SplitResult:
    text = text.strip(_AROUND)
    if len(text) > _MOST or not text.isascii() or not text.isprintable() or " " in text:
        raise InvitationError("it is no address: write https://HOST/…")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvitationError("its host or port cannot be read: write https://HOST:PORT/…") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise InvitationError("the address of a rendezvous is https://HOST, with :PORT where it is not 443")
    if parts.username is not None or parts.password is not None or parts.query:
        raise InvitationError("the address of a rendezvous holds no user name, password or ?")
    return parts


def _key(room: str, secret: str) -> bytes:
    if not _SECRET.fullmatch(secret) or len(secret) > _SECRET_LENGTH:
        raise InvitationError("the key after # has something else around or in it: copy the address again")
    if len(secret) < _SECRET_LENGTH:
        raise InvitationError("the key after # is cut off: copy the whole address")
    data = urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    key, check = data[:KEY_BYTES], data[KEY_BYTES:]
    if check != _check(room, key):
        raise InvitationError("the key after # is not this room's: a character is wrong, or two addresses were mixed")
    return key


def _check(room: str, key: bytes) -> bytes:
    return sha256(b"rtcdiag room\0" + room.encode() + key).digest()[:_CHECK_BYTES]
