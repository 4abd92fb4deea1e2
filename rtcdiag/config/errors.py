"""What is wrong with a configuration, and at which place of it."""

import unicodedata
from typing import Any

_NEVER = ("Cc", "Cs")
"""Control characters, and halves of characters: bytes of the environment that are no text become such."""


class ConfigError(ValueError):
    """A list that is none; the message is one line with the file's name and the place: ``$.iceServers[2].urls``."""


class PlaceError(ValueError):
    """The same while the file's name is not known: the place, and why."""

    def __init__(self, path: str, why: str) -> None:
        """Put the two into one line."""
        super().__init__(f"{path}: {why}")


def kind_of(value: Any) -> str:
    """Return what kind of value stands there, and not what it says: it may be a password."""
    if value is None:
        return "null"
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return kinds.get(type(value), "an object")


def string(value: Any, path: str) -> str:
    """Return a string, or raise."""
    if not isinstance(value, str):
        raise PlaceError(path, f"expected a string, found {kind_of(value)}")
    return value


def login(value: Any, path: str) -> str:
    """Return a username, password or secret, or raise: none has control characters (RFC 8265 section 4.2.1)."""
    text = string(value, path)
    if any(unicodedata.category(character) in _NEVER for character in text):
        raise PlaceError(path, "a line break or another control character in it (at its end?)")
    return text


def mapping(value: Any, path: str, what: str) -> dict[str, Any]:
    """Return an object with names, or raise; ``what`` it should be."""
    if not isinstance(value, dict):
        raise PlaceError(path, f"expected {what}, found {kind_of(value)}")
    return value
