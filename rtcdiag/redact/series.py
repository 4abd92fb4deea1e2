"""Redact many results of one run, one after the other, with the same pseudonyms in all of them."""

from collections.abc import Iterable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from rtcdiag.evidence import Environment, Observation
from rtcdiag.redact.addresses import Addresses, Known
from rtcdiag.redact.key import Key
from rtcdiag.redact.mapping import Mapping, Words
from rtcdiag.redact.roles import Role
from rtcdiag.redact.survey import own_words, surveyed_parts
from rtcdiag.redact.walk import rewritten
from rtcdiag.report import Level, Redaction, observation_of, raw_piece

_Struct = TypeVar("_Struct", bound=Struct)


class Series:
    """What stands for all that the results of one run hold, as they come; it grows with the names in them."""

    def __init__(self, level: Level, key: Key) -> None:
        """Know nothing yet."""
        self.level, self._key = level, key
        self._interfaces: dict[str, None] = {}
        self._own = own_words() if level == "strict" else frozenset()
        nothing = Known(all=frozenset(), named=frozenset())
        addresses = Addresses(nothing, key, again=False)
        self._mapping = Mapping(addresses, key, again=False, words=Words() if level == "strict" else None)

    def meet(self, environment: Environment) -> None:
        """Take in what the interfaces are called, whatever is redacted next."""
        if self.level != "none":
            self._learn((environment,))

    def text(self, text: str) -> str:
        """Return a URI redacted."""
        if self.level == "none":
            return text
        self._learn((), (text,))
        return self._mapping.text(text, Role.TEXT)

    def redacted(self, found: _Struct) -> _Struct:
        """Return a result with everything in it replaced, its evidence too; OverflowError: too many addresses."""
        if self.level == "none":
            return found
        evidence: tuple[Observation | None, ...] = tuple(map(observation_of, getattr(found, "evidence", ())))
        seen = tuple(item for item in evidence if item is not None)
        self._learn((found, *seen))
        made = rewritten(found, self._mapping.text, self._mapping.address)
        changed: dict[str, object] = {"redaction": Redaction(level=self.level, key_id=self._key.id)}
        if seen:
            told = (rewritten(item, self._mapping.text, self._mapping.address) for item in seen)
            changed["evidence"] = tuple(map(raw_piece, told))
        return replace(made, **changed)

    def _learn(self, parts: Iterable[Struct], texts: Iterable[str] = ()) -> None:
        known, words = surveyed_parts(parts, texts)
        self._interfaces |= dict.fromkeys(words.interfaces)
        self._mapping.learn(known, replace(words, interfaces=tuple(self._interfaces), own=self._own))
