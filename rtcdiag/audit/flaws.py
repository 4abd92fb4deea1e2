"""Known flaws by the version that a server announces."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

import msgspec

Version = tuple[int, ...]
_ANNOUNCED = re.compile(r"\b(?P<product>[A-Za-z]{3,20})[-/ ]v?(?P<version>[0-9]{1,4}(?:\.[0-9]{1,6}){1,3})")


class Flaw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One flaw."""

    product: str
    fixed: str
    """The first version without it."""
    id: str
    what: str
    source: str


def version_of(text: str) -> Version:
    """Read ``4.6.1``; raise ValueError for what is no version."""
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6}){1,3}", text):
        raise ValueError(f"{text!r} is no version")
    return tuple(map(int, text.split(".")))


def announced(software: str) -> tuple[str, Version] | None:
    """Return the product, in lower case, and the version that a SOFTWARE text names; None where it names none."""
    match = _ANNOUNCED.search(software)
    return (match["product"].lower(), version_of(match["version"])) if match else None


def flaws_of(software: str) -> tuple[Flaw, ...]:
    """Return the known flaws of the version that a SOFTWARE text names."""
    found = announced(software)
    if found is None:
        return ()
    product, version = found
    return tuple(flaw for flaw in _flaws() if flaw.product == product and version < version_of(flaw.fixed))


@lru_cache(maxsize=1)
def _flaws() -> tuple[Flaw, ...]:
    text = files("rtcdiag.audit").joinpath("flaws.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["flaw"], tuple[Flaw, ...])
