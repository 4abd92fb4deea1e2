"""SDP of any application, plain or as ``{type, sdp}`` JSON (also in base64): what ICE needs of it.

Read as people paste it: with wrapped lines, quoting, typographic quotes, escaped line ends. RFC 8866 is the form, RFC
8839 what ICE writes into it, RFC 9143 bundling.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice, product
from typing import Any, Literal, NamedTuple

from rtcdiag.evidence.session import SessionRole
from rtcdiag.signaling.candidate import parse_candidate
from rtcdiag.signaling.errors import NoCredentialsError, WrongRoleError
from rtcdiag.signaling.messages import Description

Form = Literal["plain", "json", "base64"]
MAX_CHARACTERS = 100_000
MAX_CANDIDATES = 256
"""So many are looked at; how many of them are taken is the session's affair."""

_LINE = re.compile(r"[a-z]=")
_NO_WIDTH = re.compile(r"[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_QUOTING = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)+")
_SMART = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u00a0": " "})
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_WRAPS_TRIED = 6
_OBJECTS_TRIED = 20
_JSON = json.JSONDecoder(strict=False)
_BROKEN_ESCAPE = re.compile(r"((?<!\\)(?:\\\\)*\\)\r?\n")


class Section(NamedTuple):
    """One media description: its ``m=`` line and the attributes that follow, without ``a=``."""

    media: str
    attributes: tuple[str, ...]

    def value(self, name: str) -> str | None:
        """Return the first value of an attribute, None where there is none."""
        return next(self.values(name), None)

    def values(self, name: str) -> Iterator[str]:
        """Return every value of an attribute; an attribute without one has an empty value."""
        for attribute in self.attributes:
            key, _, value = attribute.partition(":")
            if key == name:
                yield value

    @property
    def is_rejected(self) -> bool:
        """Whether its port says that it is not wanted (and not that it waits for the bundle)."""
        words = self.media.split()
        return len(words) > 1 and words[1] == "0" and "bundle-only" not in self.attributes


class Foreign(NamedTuple):
    """Another application's description."""

    description: Description
    form: Form
    session: Section
    """The part before the first media description."""
    sections: tuple[Section, ...]
    used: int
    """Which section's transport is used: all others share it, or are not taken."""

    @property
    def bundled(self) -> tuple[str, ...]:
        """The identifiers of the sections that share one transport."""
        groups = (value.split() for value in self.session.values("group"))
        return next((tuple(words[1:]) for words in groups if words[:1] == ["BUNDLE"]), ())


def looks_like_sdp(text: str) -> bool:
    """Whether SDP begins in a text."""
    return _found(text) is not None


def is_whole(text: str) -> bool:
    """Whether a text holds SDP as JSON that is complete; of plain SDP nobody can tell."""
    found = _found(text)
    return found is not None and found[0] != "plain" and bool(found[2])


def read(text: str, wanted: SessionRole) -> Foreign:
    """Return the description in a text that looks like SDP; raise CopiedTextError where it is of no use."""
    found = _found(text)
    assert found is not None, "the caller has looked"
    form, kind, sdp = found
    if not sdp:
        raise NoCredentialsError("its JSON is cut off, or damaged")
    session, *sections = _sections(sdp)
    role = _role(kind, sections, wanted)
    if role != wanted:
        raise WrongRoleError(wanted)
    foreign = Foreign(_EMPTY, form, session, tuple(sections), 0)
    used = _used(foreign)
    return foreign._replace(description=_description(foreign, used, role), used=used)


_EMPTY = Description(session="", role="offerer", ufrag="", pwd="")


def _found(text: str) -> tuple[Form, str | None, str] | None:
    """Return in which form, of which type and what SDP is in a text; no SDP where the JSON around it is cut off."""
    text = _QUOTING.sub("", _NO_WIDTH.sub("", text[:MAX_CHARACTERS]))
    tree = _json(text)
    if tree is not None:
        return ("json", *tree)
    joined = "".join(text.split()).strip("`'\"*")
    if _BASE64.fullmatch(joined) and _begins_json(inner := _from_base64(joined)):
        return ("base64", *(_json(inner) or _CUT_OFF))
    if _begins_json(text):
        return ("json", *_CUT_OFF)
    at = re.search(r"(?:^|[\s\"'`])v=0\s*(?:\n|\r|\\r|\\n)", text)
    return ("plain", None, text[at.start() :].lstrip(" \t\r\n\"'`")) if at else None


_SDP_KEY = re.compile(r"""["\u201c\u201d]sdp\\?["\u201c\u201d]\s*:""")
_CUT_OFF: tuple[None, str] = (None, "")


def _begins_json(text: str) -> bool:
    """Whether an object begins somewhere before a key for SDP."""
    begin = text.find("{")
    return begin >= 0 and _SDP_KEY.search(text, begin) is not None


def _from_base64(text: str) -> str:
    """Decode as much of it as is there; the caller has looked at its characters."""
    digits = text.rstrip("=")
    whole = digits[: len(digits) - (len(digits) % 4 == 1)]  # a lone last one is no byte
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("utf-8", "replace")


def _json(text: str) -> tuple[str | None, str] | None:
    """Return type and SDP from the first JSON in a text that has SDP; of each, with what copying did to it undone."""
    if "sdp" not in text or "}" not in text:
        return None
    text = text[: text.rindex("}") + 1]
    begins = [found.start() for found in islice(re.finditer(r"\{", text), _OBJECTS_TRIED)]
    return next((found for begin in begins if (found := _json_from(text[begin:])) is not None), None)


def _json_from(text: str) -> tuple[str | None, str] | None:
    """Return type and SDP from the JSON with which a text begins, whatever comes behind."""
    joined = text.replace("\r", "").replace("\n", "")
    apart = _BROKEN_ESCAPE.sub(r"\1", text)
    # Lines of one width were broken anywhere, also inside of a word; others mostly where a blank was.
    first, second = (joined, apart) if len({len(line) for line in text.split("\n")[:-1]}) == 1 else (apart, joined)
    for each in (first, second, first.translate(_SMART), second.translate(_SMART), _unescaped(joined)):
        try:
            found = _described(_JSON.raw_decode(each)[0])
        except (ValueError, RecursionError):
            continue
        if found is not None:
            return found
    return None


def _unescaped(text: str) -> str:
    """Return JSON that stood in a string of JSON, as logs write it."""
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return ""


def _described(tree: Any, depth: int = 0) -> tuple[str | None, str] | None:
    if not isinstance(tree, dict) or depth > 3:
        return None
    sdp, kind = tree.get("sdp"), tree.get("type")
    if isinstance(sdp, str):
        return (kind if isinstance(kind, str) else None), sdp
    return next((found for item in tree.values() if (found := _described(item, depth + 1))), None)


def _sections(sdp: str) -> list[Section]:
    """Return the session's part and each media description; there are always two or more."""
    media, attributes = "", list[str]()
    found: list[Section] = []
    for line in _lines(sdp):
        if line.startswith("m="):
            found.append(Section(media, tuple(attributes)))
            media, attributes = line[2:], []
        elif line.startswith("a="):
            attributes.append(line[2:])
        elif line.startswith("o="):
            attributes.append("origin:" + line[2:])
    found.append(Section(media, tuple(attributes)))
    if len(found) < 2:
        raise NoCredentialsError("it has no media description")
    return found


def _lines(sdp: str) -> Iterator[str]:
    """Return the lines, with those put together that were wrapped; what comes after a blank line may be no SDP."""
    if "\\n" in sdp and sdp.count("\n") < 3:
        sdp = sdp.replace("\\r", "").replace("\\n", "\n")
    wrapped = list(_parts(re.sub(r"(?m)^([a-z])\n=", r"\1=", sdp.replace("\r", ""))))
    widths = {len(part) for parts in wrapped for part in parts[:-1]}
    blank = " " if len(widths) > 1 else ""  # lines of one width were broken anywhere, others between words
    return (_joined(parts, blank) for parts in wrapped)


def _parts(sdp: str) -> Iterator[list[str]]:
    """Return each line in the parts into which it was wrapped."""
    parts: list[str] = []
    for line in sdp.split("\n"):
        if _LINE.match(line.lstrip()) or not line.strip():
            if parts:
                yield parts
            parts = [line.lstrip()] if line.strip() else []
        elif parts:
            parts.append(line)
    if parts:
        yield parts


def _joined(parts: list[str], blank: str) -> str:
    """Put a wrapped line together: a blank where it was broken may have been lost."""
    usual = blank.join(part.strip() if blank else part for part in parts).strip()
    if len(parts) > 1 and usual.startswith("a="):
        name, colon, value = usual.partition(":")
        usual = "".join(name.split()) + colon + value if colon else usual
    if len(parts) == 1 or not parts[0].startswith("a=candidate:") or _candidate(usual[12:]):
        return usual
    for blanks in product(("", " "), repeat=min(len(parts) - 1, _WRAPS_TRIED)):
        line = "".join(part + blank for part, blank in zip(parts, (*blanks, ""), strict=False)).strip()
        if _candidate(line[12:]):
            return line
    return usual


def _role(kind: str | None, sections: list[Section], wanted: SessionRole) -> SessionRole:
    """Tell an offer from an answer: by its type, else by its DTLS role (RFC 5763 section 5)."""
    by_type: dict[str | None, SessionRole] = {"offer": "offerer", "answer": "answerer", "pranswer": "answerer"}
    by_setup: dict[str | None, SessionRole] = {"actpass": "offerer", "active": "answerer", "passive": "answerer"}
    setup = next((value for section in sections if (value := section.value("setup"))), None)
    return by_type.get(kind) or (by_setup.get(setup) if kind is None else None) or wanted


def _used(foreign: Foreign) -> int:
    """Return whose transport is used: that of the first section of the bundle, else of the first that is wanted."""
    for mid in foreign.bundled:
        for at, section in enumerate(foreign.sections):
            if section.value("mid") == mid and not section.is_rejected:
                return at
    return next((at for at, section in enumerate(foreign.sections) if not section.is_rejected), 0)


def _description(foreign: Foreign, used: int, role: SessionRole) -> Description:
    ufrag, pwd = (_credential(foreign, used, name) for name in ("ice-ufrag", "ice-pwd"))
    origin = foreign.session.value("origin") or ""
    return Description(
        session=hashlib.sha256(f"{''.join(origin.split())} {ufrag} {pwd}".encode()).hexdigest()[:16],
        role=role,
        ufrag=ufrag,
        pwd=pwd,
        candidates=_candidates(foreign, used, ufrag),
        lite=foreign.session.value("ice-lite") is not None,
    )


def _credential(foreign: Foreign, used: int, name: str) -> str:
    value = foreign.sections[used].value(name) or foreign.session.value(name) or ""
    value = "".join(value.split())
    if not re.fullmatch(r"[!-9;-~]{1,256}", value):  # a colon would split STUN's USERNAME elsewhere
        raise NoCredentialsError(f"it has no a={name}" if not value else f"its a={name} is none")
    return value


def _candidates(foreign: Foreign, used: int, ufrag: str) -> tuple[str, ...]:
    """Return the candidates of the transport that is used; applications that bundle may list them elsewhere."""
    own = _of([foreign.session, foreign.sections[used]])
    others = [section for section in foreign.sections if section.value("ice-ufrag") in {None, ufrag}]
    return own or _of(others)


def _of(sections: list[Section]) -> tuple[str, ...]:
    values = [value for section in sections for value in section.values("candidate")][:MAX_CANDIDATES]
    return tuple(dict.fromkeys(each for value in values if (each := _candidate(value)) is not None))


def _candidate(value: str) -> str | None:
    try:
        candidate = parse_candidate(f"candidate:{value}")
    except ValueError:
        return None
    return str(candidate) if candidate.component == 1 else None
