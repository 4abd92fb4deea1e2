"""What is wrong with a configuration, and at which place of it."""

from typing import Any


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


def mapping(value: Any, path: str, what: str) -> dict[str, Any]:
    """Return an object with names, or raise; ``what`` it should be."""
    if not isinstance(value, dict):
        raise PlaceError(path, f"expected {what}, found {kind_of(value)}")
    return value
