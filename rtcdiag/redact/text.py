"""Addresses and names found in text: the program's own sentences, and whatever a server wrote."""

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from rtcdiag.address import IPAddress

_NUMBER = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_FOUR = rf"(?:0*{_NUMBER}\.){{3}}0*{_NUMBER}(?![0-9])"
_ADDRESS = re.compile(
    rf"(?P<four>(?<![0-9])(?<![0-9]\.){_FOUR})"
    rf"|(?P<six>(?<![0-9A-Za-z:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:(?:{_FOUR}|[0-9A-Fa-f:]*))"
)
# Possessive, so that a long text is read once, whatever stands in it.
_TOKEN = re.compile(r"(?:\*\.)?[A-Za-z0-9_]++(?:[.*-]++[A-Za-z0-9_]++)*+")
_SCHEMES = frozenset({"stun", "stuns", "turn", "turns", "http", "https"})
_HOST_OF = re.compile(r"(?:stuns?|turns?):([^\s:?\[\]]+)|https?://(?:[^\s/@]*@)?([^\s:/?\[\]]+)", re.IGNORECASE)


class Found(NamedTuple):
    """An address in a text."""

    ip: IPAddress
    text: str
    sure: bool
    """Whether it can be nothing else: with more numbers behind it, it may be a version."""


def addresses_in(text: str) -> Iterator[Found]:
    """Yield the IP addresses that stand in a text."""
    found = (_found(match) for match in _ADDRESS.finditer(text))
    return (each for each in found if each is not None)


def with_addresses(text: str, pseudonym: Callable[[Found], IPAddress]) -> str:
    """Return the text with each address replaced, in the form in which it stood there."""

    def replaced(match: re.Match[str]) -> str:
        found = _found(match)
        if found is None or (made := pseudonym(found)) == found.ip:
            return match[0]
        return str(made) + match[0][len(found.text) :]

    return _ADDRESS.sub(replaced, text)


def _found(match: re.Match[str]) -> Found | None:
    if match["six"]:
        # Behind an address a colon may stand that is none of it: "2001:db8::1: no route".
        texts = (match[0][: len(match[0]) - colons] for colons in range(3) if match[0].endswith(":" * colons))
        return next((Found(ip, text, sure=True) for text in texts if (ip := _ipv6(text)) is not None), None)
    more = re.match(r"\.[0-9]", match.string[match.end() : match.end() + 2])
    return Found(IPv4Address(".".join(str(int(part)) for part in match[0].split("."))), match[0], sure=not more)


def _ipv6(text: str) -> IPv6Address | None:
    try:
        return IPv6Address(text)
    except ValueError:
        return None


def in_dashes(ips: Iterable[IPAddress]) -> re.Pattern[str] | None:
    """Return what finds these IPv4 addresses in names such as ``ec2-198-51-100-7.example``; None for none."""
    forms = [str(ip).replace(".", "-") for ip in ips if ip.version == 4]
    return re.compile(rf"(?<![0-9])(?:{'|'.join(forms)})(?![0-9])") if forms else None


def words_in(text: str) -> Iterator[str]:
    """Yield the words that could be names."""
    return (match[0] for match in _TOKEN.finditer(text))


def with_names(text: str, pseudonym: Callable[[str], str]) -> str:
    """Return the text with each word that could be a name replaced by what ``pseudonym`` makes of it."""

    def replaced(match: re.Match[str]) -> str:
        return match[0] if _is_scheme(match) else pseudonym(match[0])

    return _TOKEN.sub(replaced, text)


def _is_scheme(match: re.Match[str]) -> bool:
    """Tell the scheme of a URI from a host of the same name: ``turn:turn:3478``."""
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    return match[0].lower() in _SCHEMES and after == ":" and before not in (":", "/", ".", "@")


def hosts_in(text: str) -> Iterator[str]:
    """Yield the hosts of the URIs in a text."""
    for match in _HOST_OF.finditer(text):
        yield match[1] or match[2]
