"""The code that two people copy: one line for one description, a few hundred characters.

``rtcd1.`` + ``o`` (offer) or ``a`` (answer) + ``.`` + base64url of `packing.pack` and a CRC-32 + ``.``: the final mark
tells a whole code from one that was cut off. Everything else in the text around it is passed over, and so is what mail,
chats and terminals put into it: line breaks, quoting, emphasis, characters without width.
"""

import base64
import binascii
import re
import struct
from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from rtcdiag.evidence.session import SessionRole
from rtcdiag.signaling.errors import (
    CopiedTextError,
    CutOffError,
    DamagedError,
    ExpiredError,
    NewerVersionError,
    NoCodeError,
    OtherSessionError,
    OwnDescriptionError,
    UsedError,
    WrongRoleError,
)
from rtcdiag.signaling.messages import Description
from rtcdiag.signaling.packing import NewerFormError, UnpackError, pack, unpack

FORM = 1
LIFETIME_S = 600
"""How long a code is good: the time that two people take to copy two of them."""
SKEW_S = 300
"""So far may the clocks of two computers be apart."""
MAX_CHARACTERS = 100_000
"""So much of a text is looked at: more than any description has."""

_LETTERS: dict[str, SessionRole] = {"o": "offerer", "a": "answerer"}
_HEAD = re.compile(r"rtcd(\d{1,6})\.(?:([a-zA-Z])\.)?")
_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")
_LONG_TAIL = re.compile(r"(?:^|\s)[A-Za-z0-9_-]{40,}\.[\s`'\"*]*$")
_IN_BETWEEN = re.compile(r"[\s\x00-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff>=*`'\"|\\"
                         r"\u2018-\u201f\u2039\u203a\u00ab\u00bb]+")  # fmt: skip
_DASHES = str.maketrans({"\u2014": "--", "\u2013": "-", "\u2010": "-", "\u2011": "-", "\u2212": "-"})
"""What a text field makes of hyphens by itself; the checksum tells whether it was that."""


class Whole(NamedTuple):
    """A code as found in a text: how far it goes is known."""

    form: int
    letter: str
    payload: str
    """What stands between the head and the final mark; not checked yet."""


def encode(description: Description) -> str:
    """Return the code of a description; raise ValueError where it holds what an ICE agent never tells."""
    letter = next(letter for letter, role in _LETTERS.items() if role == description.role)
    data = pack(description)
    checked = data + struct.pack(">I", crc32(letter.encode() + data))
    return f"rtcd{FORM}.{letter}.{base64.urlsafe_b64encode(checked).decode('ascii').rstrip('=')}."


def decode(text: str, wanted: SessionRole) -> Description:
    """Return the description of the one end that is wanted from a text; raise CopiedTextError where there is none.

    Of several codes, as in an answer by mail below which the offer is quoted, it is the first of that end.
    """
    found = _codes(text)
    fitting = [item for item in found if isinstance(item, Whole) and _LETTERS.get(item.letter) == wanted]
    problems: list[CopiedTextError] = []
    for item in fitting or found[:1]:
        try:
            return _of(item, wanted)
        except CopiedTextError as error:
            problems.append(error)
    raise problems[0] if problems else _headless(text, wanted)


def looks_like_code(text: str) -> bool:
    """Whether a text has the head of a code."""
    return bool(_HEAD.search(_cleaned(text)))


def is_whole(text: str) -> bool:
    """Whether a text holds a code up to its final mark: nothing more needs to be waited for."""
    return any(isinstance(item, Whole) for item in _codes(text))


def _cleaned(text: str) -> str:
    return _IN_BETWEEN.sub("", text[:MAX_CHARACTERS]).translate(_DASHES)


def _headless(text: str, wanted: SessionRole) -> CopiedTextError:
    """Tell a code without its beginning, or with no more than a part of that, from any other text."""
    cleaned = _cleaned(text)
    if _LONG_TAIL.search(re.sub(r"[\r\n]+[ \t>]*", "", text[-MAX_CHARACTERS:])):
        return CutOffError(beginning=True)
    return CutOffError() if cleaned and f"rtcd{FORM}.".startswith(cleaned) else NoCodeError(wanted)


def _codes(text: str) -> list[Whole | CopiedTextError]:
    """Return each code in a text, or what is wrong with it already; one ends where the next begins."""
    cleaned = _cleaned(text)
    heads = list(_HEAD.finditer(cleaned))
    ends = [*(head.start() for head in heads[1:]), len(cleaned)]
    return [_whole(head, cleaned[head.end() : end]) for head, end in zip(heads, ends, strict=False)]


def _whole(head: re.Match[str], rest: str) -> Whole | CopiedTextError:
    form, letter = int(head[1]), head[2]
    if form > FORM:
        return NewerVersionError()
    if letter is None:
        return CutOffError() if len(rest) <= 1 else DamagedError("its beginning is not rtcd1.o. or rtcd1.a.")
    payload, mark, _ = rest.partition(".")
    if not _ALPHABET.fullmatch(payload):
        return DamagedError("it holds a character that no code has")
    return Whole(form, letter, payload) if mark else CutOffError()


def _of(found: Whole | CopiedTextError, wanted: SessionRole) -> Description:
    if not isinstance(found, Whole):
        raise found
    if (description := _decoded(found)).role != wanted:
        raise WrongRoleError(wanted)
    return description


def _decoded(whole: Whole) -> Description:
    role = _LETTERS.get(whole.letter)
    if role is None or whole.form < FORM:
        raise DamagedError("its beginning is not rtcd1.o. or rtcd1.a.")
    try:
        checked = base64.urlsafe_b64decode(whole.payload + "=" * (-len(whole.payload) % 4))
        data, checksum = checked[:-4], checked[-4:]
        if checksum != struct.pack(">I", crc32(whole.letter.encode() + data)):
            raise DamagedError
        return unpack(data, role)
    except NewerFormError:
        raise NewerVersionError from None
    except (binascii.Error, UnpackError):
        raise DamagedError from None


class Expected(NamedTuple):
    """What a description has to be beside well-formed."""

    now_s: float
    own: Description | None = None
    """What this end told already."""
    is_used: Callable[[Description], bool] = lambda _: False
    """Whether this computer took it before."""


def accept(text: str, wanted: SessionRole, expected: Expected) -> Description:
    """Return the other end's description from a text; raise CopiedTextError where it cannot be used here and now."""
    own = expected.own
    try:
        description = decode(text, wanted)
    except WrongRoleError:
        if own is not None and decode(text, own.role).session == own.session:
            raise OwnDescriptionError(own.role) from None
        raise
    if expected.is_used(description):
        raise UsedError
    if own is not None and own.session != description.session:
        raise OtherSessionError
    if description.expires_at_s is not None and expected.now_s > description.expires_at_s + SKEW_S:
        raise ExpiredError(description.expires_at_s)
    return description
