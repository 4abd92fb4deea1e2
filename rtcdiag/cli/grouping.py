"""A command takes groups of options: named tuples, each written once.

``grouped`` turns a function of groups into one with a parameter for each of their fields, which is what typer reads.
"""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """Return the command with each parameter that is a group replaced by the group's options."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {
        name: hint for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, tuple)
    }

    @wraps(command)
    def flat(**values: Any) -> int:
        built = {name: group(**{each: values.pop(each) for each in group._fields}) for name, group in groups.items()}
        return command(**values, **built)

    own = [item.replace(annotation=hints[item.name]) for item in signature(command).parameters.values()]
    parameters = [part for item in own for part in (_options(groups[item.name]) if item.name in groups else [item])]
    flat.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # what inspect looks for first
    return flat


def _options(group: type[Any]) -> list[Parameter]:
    hints, defaults = get_type_hints(group, include_extras=True), group._field_defaults
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=hints[name])
        for name in group._fields
    ]
