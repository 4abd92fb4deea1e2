"""One report's mapping: every address, name and text has one that stands for it, whenever it is asked for."""

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

import msgspec

from rtcdiag.address import IPAddress, TransportAddress
from rtcdiag.redact.addresses import Addresses
from rtcdiag.redact.key import Key
from rtcdiag.redact.names import Names, is_domain
from rtcdiag.redact.roles import Role
from rtcdiag.redact.text import with_names

_NONCE = re.compile(r"NONCE (?!obMatJos|\(not shown\)).*", re.DOTALL)
"""The beginning of a nonce, in which servers put anything; only the mark of RFC 8489 section 9.2 stays."""
_FOUNDATION = re.compile(r"^(candidate:)(\S+)")
_TAG = re.compile(r"[0-9a-f]{16}")
_SINGLE = re.compile(r"[A-Za-z0-9_-]+")
_NAMING = ("REALM", "THIRD-PARTY-AUTHORIZATION", "ALTERNATE-DOMAIN")
"""Attributes whose value is a name, whatever it looks like."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The names that a report holds, before any is replaced."""

    hosts: frozenset[str] = frozenset()
    interfaces: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    """Words of the program that look like names, and are none."""


class Mapping:
    """What stands for all that one report holds; without ``words`` names stay."""

    def __init__(self, addresses: Addresses, key: Key, *, again: bool, words: Words | None = None) -> None:
        """Take the addresses' pseudonyms; ``again``: what looks like a pseudonym is one, and stays."""
        self.addresses, self._key, self._again = addresses, key, again
        self._names = None if words is None else Names(key, words.interfaces, again=again)
        self._words = words or Words()
        self._hosts = frozenset(addresses.in_text(host).lower().rstrip(".") for host in self._words.hosts)
        odd = sorted((name for name in self._words.interfaces if not _SINGLE.fullmatch(name)), key=len, reverse=True)
        self._odd = re.compile("|".join(map(re.escape, odd))) if odd else None

    def address(self, address: TransportAddress) -> TransportAddress:
        """Return a transport address with the pseudonym of its IP address and its own port."""
        return TransportAddress(self._ip(address.ip), address.port)

    def _ip(self, ip: IPAddress) -> IPAddress:
        if not isinstance(ip, IPv6Address) or ip.scope_id is None:
            return self.addresses.of(ip)
        zone = self._names.interface(ip.scope_id) if self._names else ip.scope_id
        bare = self.addresses.of(ip_address(str(ip).partition("%")[0]))
        return ip_address(f"{bare}%{zone}")

    def text(self, text: str, role: Role) -> str:
        """Return a text of this role with everything in it replaced."""
        if role is Role.FOUNDATION:
            return self._foundation(text)
        if role is Role.SDP:
            text = _FOUNDATION.sub(lambda match: match[1] + self._foundation(match[2]), text)
        if role is Role.ATTRIBUTES:
            text = _NONCE.sub("NONCE (not shown)", text)
        found = self.addresses.in_text(text)
        return found if self._names is None else self._named(found, role, self._names)

    def _foundation(self, text: str) -> str:
        given = self._again and _TAG.fullmatch(text)
        return text if given or not text else self._key.tag("foundation", text)

    def _named(self, text: str, role: Role, names: Names) -> str:
        if role is Role.OWN or not text:
            return text
        by_role: dict[Role, Callable[[str], str]] = {
            Role.INTERFACE: names.interface,
            Role.HOST: self._host,
            Role.REALM: names.realm,
            Role.DISTINGUISHED_NAME: names.distinguished,
            Role.ATTRIBUTES: self._attribute,
            Role.FILE: lambda _: "(a file)",
        }
        return by_role.get(role, self._sentence)(text)

    def _host(self, text: str) -> str:
        return text if self._names is None or is_address(text) else self._names.host(text)

    def _attribute(self, text: str) -> str:
        name, blank, value = text.partition(" ")
        if self._names is not None and name in _NAMING:
            return f"{name}{blank}{self._names.realm(value)}"
        return self._sentence(text)

    def _sentence(self, text: str) -> str:
        if self._odd is not None:
            text = self._odd.sub(lambda match: self._word(match[0]), text)
        return with_names(text, self._word)

    def _word(self, word: str) -> str:
        """Return the pseudonym of a word that is a name in this report, or looks like a domain."""
        if self._names is None:
            return word
        if word in self._words.interfaces:
            return self._names.interface(word)
        if word.lower() in self._hosts or (is_domain(word) and word.lower() not in self._words.own):
            return self._names.host(word)
        return word


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address, in brackets or not."""
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
