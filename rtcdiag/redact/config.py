"""A coturn configuration redacted: its ranges of peers still allow and deny what they did.

A range that is recommended, touches one that is, or is as wide as a provider's names nobody and stays. Of every other
one its first address is left, as a pseudonym. As pseudonyms are of ranges that good files deny, a line is added for
each address of the server's own that would be judged differently.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from rtcdiag.address import IPAddress
from rtcdiag.audit.conf_peers import own_addresses
from rtcdiag.audit.conf_view import Conf
from rtcdiag.audit.ranges import RECOMMENDED, Range, parse_range
from rtcdiag.evidence import ConfigLine, TurnConfig
from rtcdiag.redact.mapping import Mapping
from rtcdiag.redact.roles import Role
from rtcdiag.redact.walk import rewritten

_RANGES = ("allowed-peer-ip", "denied-peer-ip")
_WIDE = {4: 1 << 20, 6: 1 << 116}
"""So many addresses are a /12."""


def redacted_config(config: TurnConfig, mapping: Mapping) -> TurnConfig:
    """Return the configuration with everything in it replaced."""
    own = {ip: mapping.addresses.of(ip) for _, ip in own_addresses(Conf(config))}
    lines = tuple(_line(line, mapping) for line in config.lines)
    bare = rewritten(replace(config, lines=()), mapping.text, mapping.address)
    found = replace(bare, lines=lines)
    return replace(found, lines=(*lines, *_own_lines(Conf(config), Conf(found), own)))


def _line(line: ConfigLine, mapping: Mapping) -> ConfigLine:
    if line.value is None:
        return line
    role = Role.REALM if line.option == "realm" else Role.TEXT
    try:
        found = parse_range(line.value) if line.option in _RANGES else None
    except ValueError:
        found = None
    value = mapping.text(line.value, role) if found is None else str(_range(found, mapping))
    return replace(line, value=value)


def _range(found: Range, mapping: Mapping) -> Range:
    size = int(found.last) - int(found.first) + 1
    if size >= _WIDE[found.first.version] or any(_overlap(found, other) for other in RECOMMENDED):
        return found
    first = mapping.addresses.of(found.first)
    return Range(first, first)


def _overlap(one: Range, other: Range) -> bool:
    return one.has(other.first) or other.has(one.first)


def _own_lines(before: Conf, after: Conf, own: dict[IPAddress, IPAddress]) -> Iterator[ConfigLine]:
    """Yield a line for each own address that is denied where it was not, or the reverse."""
    for ip, pseudonym in own.items():
        if before.is_denied(ip) != after.is_denied(pseudonym):
            option = "denied-peer-ip" if before.is_denied(ip) else "allowed-peer-ip"
            yield ConfigLine(number=0, option=option, value=str(pseudonym))
