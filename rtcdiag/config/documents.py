"""JSON, YAML and TOML of strangers to plain values: bounded in length and depth before anything is built of it."""

import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from rtcdiag.config.errors import PlaceError

if TYPE_CHECKING:
    import yaml

YAML_BYTES = 256 << 10
"""YAML is read by Python itself, a second for each mebibyte."""
MOST_LEVELS = 32
TOO_DEEP = "nested too deeply"
_Tree = TypeVar("_Tree")


def check_length(text: str, limit: int) -> None:
    """Raise where a text is too long, or empty."""
    if len(text) > limit:
        shown = f"{limit >> 20} MiB" if limit >> 20 else f"{limit >> 10} KiB"
        raise PlaceError("$", f"longer than {shown}")
    if not text.strip("\ufeff \t\r\n"):
        raise PlaceError("$", "empty")


def json_tree(text: str, limit: int) -> Any:
    """Return what a JSON text holds; raise PlaceError."""
    check_length(text, limit)
    try:
        return _shallow(msgspec.json.decode(text.removeprefix("\ufeff").encode()))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise PlaceError("$", f"not JSON: {error}") from None
    except RecursionError:
        raise PlaceError("$", TOO_DEEP) from None


def toml_tree(text: str, limit: int) -> dict[str, Any]:
    """Return what a TOML text holds; raise PlaceError."""
    check_length(text, limit)
    try:
        return _shallow(tomllib.loads(text.removeprefix("\ufeff")))
    except PlaceError:
        raise
    except RecursionError:
        raise PlaceError("$", TOO_DEEP) from None
    except ValueError as error:  # so is tomllib's own error
        raise PlaceError("$", f"not TOML: {error}") from None


def yaml_tree(text: str) -> Any:
    """Return what a YAML text holds, without aliases, which could make it grow beyond all bounds; raise PlaceError."""
    import yaml  # noqa: PLC0415 - it is imported where a file looks like YAML

    check_length(text, YAML_BYTES)
    try:
        return yaml.load(text.removeprefix("\ufeff"), Loader=_loader())  # noqa: S506 - it is a SafeLoader
    except PlaceError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1})" if mark else ""
        raise PlaceError("$", f"not YAML: {_one_line(error.problem or error.context)}{where}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise PlaceError("$", f"not YAML: {_one_line(str(error))}") from None
    except RecursionError:
        raise PlaceError("$", TOO_DEEP) from None


def _shallow(tree: _Tree) -> _Tree:
    """Return what was read, or raise where it goes deeper than any list does: who reads it goes down with it."""
    level: list[Any] = [tree]
    for _ in range(MOST_LEVELS):
        inner = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [one for items in inner for one in items]
        if not level:
            return tree
    raise PlaceError("$", TOO_DEEP)


def _loader() -> type["yaml.SafeLoader"]:
    import yaml  # noqa: PLC0415 - as above

    class Bounded(yaml.SafeLoader):
        """Refuses what grows: aliases, and deep nesting."""

        levels = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise PlaceError("$", f"aliases (*name) are not taken (line {self.line + 1})")
            self.levels += 1
            if self.levels > MOST_LEVELS:
                raise PlaceError("$", TOO_DEEP)
            node = super().compose_node(parent, index)
            self.levels -= 1
            return node

    return Bounded


def _one_line(text: str | None) -> str:
    return " ".join((text or "unreadable").split())[:200]
