"""Every text and address of a report, reached by the types of its fields: what a newer version adds is reached too.

A field whose type allows fixed words only (a literal, an enumeration) is none of them, and stays as it is.
"""

from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.findings import Finding, retold
from rtcdiag.redact.roles import Role, role_of, role_of_fact

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
Text = Callable[[str, Role], str]
Address = Callable[[TransportAddress], TransportAddress]
_BARE = (bool, int, float, Enum, type(None))


class Field(msgspec.Struct, frozen=True):
    """A field that may hold something to replace."""

    name: str
    role: Role
    free: bool
    """Whether a text in it may be any."""


def rewritten(value: _Struct, text: Text, address: Address) -> _Struct:
    """Return a struct with each text and each transport address replaced, at any depth."""
    changed = {
        field.name: new
        for field in _fields(type(value))
        if (new := _rewritten(old := getattr(value, field.name), field, text, address)) is not old
    }
    made = msgspec.structs.replace(value, **changed) if changed else value
    return _in_words(made) if isinstance(made, Finding) else made


def _in_words(finding: Any) -> Any:
    """Return a finding whose words have what now stands for a name that no words could be searched for."""
    named = any(role_of_fact(name) is not Role.TEXT for name in finding.facts)
    return retold(finding) if named else finding


def _rewritten(value: Any, field: Field, text: Text, address: Address) -> Any:
    if isinstance(value, str):
        return text(value, field.role) if field.free and type(value) is str else value
    if isinstance(value, TransportAddress):
        return address(value)
    if isinstance(value, msgspec.Struct):
        return rewritten(value, text, address)
    if isinstance(value, (tuple, list)):
        return type(value)(_rewritten(item, field, text, address) for item in value)
    if isinstance(value, dict):
        return {
            text(str(name), Role.TEXT): _rewritten(item, _entry(field, str(name)), text, address)
            for name, item in value.items()
        }
    return value


def _entry(field: Field, name: str) -> Field:
    """Return what an entry of a field may hold: a fact says it by its name."""
    return Field(name, role_of_fact(name), free=True) if field.name == "facts" else field


@lru_cache(maxsize=256)
def _fields(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    found = msgspec.structs.fields(kind)
    return tuple(
        Field(item.name, role_of(kind.__name__, item.name), _is_free(item.type)) for item in found if _holds(item.type)
    )


def _holds(kind: Any) -> bool:
    """Tell whether a field of this type can hold a text or an address: one of numbers and fixed words cannot."""
    if get_origin(kind) is Literal or kind is Ellipsis:
        return False
    parts = get_args(kind)
    return any(map(_holds, parts)) if parts else not (isinstance(kind, type) and issubclass(kind, _BARE))


def _is_free(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return False
    return kind is str or kind is Any or any(_is_free(part) for part in get_args(kind))
