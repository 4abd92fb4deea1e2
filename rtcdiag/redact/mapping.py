"""One report's mapping: every address, name and text has one that stands for it, whenever it is asked for."""

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

import msgspec

from rtcdiag.address import IPAddress, TransportAddress
from rtcdiag.redact.addresses import Addresses, Known
from rtcdiag.redact.key import Key
from rtcdiag.redact.names import Names, is_domain
from rtcdiag.redact.roles import Role
from rtcdiag.redact.text import hosts_in, with_names

_NONCE = re.compile(r"NONCE (?!obMatJos|\(not shown\)).*", re.DOTALL)
"""The beginning of a nonce, in which servers put anything; only the mark of RFC 8489 section 9.2 stays."""
_FOUNDATION = re.compile(r"^(candidate:)(\S+)")
_TAG = re.compile(r"[0-9a-f]{16}")
_SINGLE = re.compile(r"[A-Za-z0-9_-]+")
_TABLE = "$.targets."
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
        self._told: dict[tuple[str, Role], str] = {}
        self._take(words or Words())

    @property
    def replaces_names(self) -> bool:
        """Whether names have pseudonyms too, as strict redaction asks for."""
        return self._names is not None

    def learn(self, known: Known, words: Words) -> None:
        """Take in what the next part holds, which gets the same pseudonyms as those before it."""
        self.addresses.learn(known)
        self._take(words)

    def _take(self, words: Words) -> None:
        self._words = words
        self._told.clear()
        self._hosts = frozenset(self.addresses.in_text(host).lower().rstrip(".") for host in words.hosts)
        odd = sorted((name for name in words.interfaces if not _SINGLE.fullmatch(name)), key=len, reverse=True)
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
        # A report says the same server and the same address again and again.
        if (told := self._told.get((text, role))) is None:
            told = self._told[text, role] = self._replaced(text, role)
        return told

    def _replaced(self, text: str, role: Role) -> str:
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
            Role.TARGET: self._target,
            Role.PLACE: self._place,
            Role.FILE: lambda _: "(a file)",
        }
        return by_role.get(role, self._sentence)(text)

    def _host(self, text: str) -> str:
        return text if self._names is None or is_address(text) else self._names.host(text)

    def _target(self, text: str) -> str:
        """Return the pseudonym of what a person calls a target, or its URI where that is its name."""
        return self._sentence(text) if self._names is None or any(hosts_in(text)) else self._names.target(text)

    def _place(self, text: str) -> str:
        before, dot, rest = text.removeprefix(_TABLE).rpartition(".url")
        return f"{_TABLE}{self._target(before)}{dot}{rest}" if text.startswith(_TABLE) else text

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
