"""A configuration as the rules of coturn read it: defaults by version, the last of repeated switches, all ranges."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import msgspec

from rtcdiag.address import IPAddress
from rtcdiag.audit.flaws import Version, version_of
from rtcdiag.audit.ranges import Range, parse_range
from rtcdiag.evidence import ConfigLine, TurnConfig

_SAFER_DEFAULTS: Version = (4, 7, 0)
"""From here on no software attribute, no MAPPED-ADDRESS and no TLS before 1.2 unless asked for."""
_RATE_LIMIT: Version = (4, 17, 0)
"""Known to have unauthorized-ratelimit; older ones complain of a line that they do not know."""


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a configuration, and the lines to put in place of the present ones."""

    code: str
    lines: tuple[ConfigLine, ...] = ()
    """The lines that are to go."""
    suggested: tuple[str, ...] = ()
    """What to write instead, or to add where there is nothing to replace."""
    facts: dict[str, Any] = {}
    is_milder: bool = False


class Conf:
    """The settings of one file."""

    def __init__(self, config: TurnConfig) -> None:
        """Take the settings; an unknown version is taken for an old one, whose defaults need more lines."""
        self._lines = config.lines
        version = _version(config.version)
        self.has_safer_defaults = version is not None and version >= _SAFER_DEFAULTS
        self.has_rate_limit = version is not None and version >= _RATE_LIMIT
        self.allowed = tuple(self._ranges("allowed-peer-ip"))
        self.denied = tuple(self._ranges("denied-peer-ip"))

    def all(self, *options: str) -> tuple[ConfigLine, ...]:
        """Return the lines of some options."""
        return tuple(line for line in self._lines if line.option in options)

    @property
    def lines(self) -> tuple[ConfigLine, ...]:
        """All lines."""
        return self._lines

    def value(self, option: str) -> str | None:
        """Return the value that counts: the last."""
        found = self.all(option)
        return found[-1].value if found else None

    def flag(self, option: str) -> bool:
        """Tell whether a switch is on: without a value it is, and the last of several counts."""
        found = self.all(option)
        return bool(found) and _is_true(found[-1].value)

    def number(self, option: str, default: int) -> int:
        """Return a number, as ``atoi`` reads it."""
        text = self.value(option)
        digits = text[: next((at for at, char in enumerate(text) if not char.isdigit()), len(text))] if text else ""
        return int(digits[:9]) if digits and digits.isascii() else default

    def addresses(self, option: str) -> Iterator[tuple[ConfigLine, IPAddress]]:
        """Yield the public, or only, address of each line: of ``PUBLIC/PRIVATE`` the first."""
        for line in self.all(option):
            try:
                yield line, ip_address((line.value or "").partition("/")[0].strip())
            except ValueError:
                continue

    def _ranges(self, option: str) -> Iterator[Range]:
        for line in self.all(option):
            try:
                found = parse_range(line.value or "")
            except ValueError:
                continue
            if not found.is_boundless:
                yield found

    def is_denied(self, ip: IPAddress, denied: tuple[Range, ...] | None = None) -> bool:
        """Tell whether coturn refuses a peer by its ranges: what is allowed goes before what is denied."""
        ranges = self.denied if denied is None else denied
        return any(item.has(ip) for item in ranges) and not any(item.has(ip) for item in self.allowed)


def _version(text: str | None) -> Version | None:
    try:
        return version_of(text) if text is not None else None
    except ValueError:
        return None


def _is_true(value: str | None) -> bool:
    return not value or not (value[0] in "0nNfF" or value.lower() == "off")
