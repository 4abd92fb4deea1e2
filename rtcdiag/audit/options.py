"""What coturn's options are called, which of their values may be shown, and which secrets everybody knows."""

import tomllib
from functools import lru_cache
from importlib.resources import files

import msgspec


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lists of ``options.toml``."""

    shown: frozenset[str]
    switches: frozenset[str]
    """Of all: what coturn 4.6.1 does not start with where there is neither yes nor no behind it."""
    secret: frozenset[str]
    other: frozenset[str]
    well_known_secrets: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        """Every option of coturn."""
        return self.shown | self.secret | self.other


@lru_cache(maxsize=1)
def options() -> Options:
    """Return the lists."""
    text = files("rtcdiag.audit").joinpath("options.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Options)
