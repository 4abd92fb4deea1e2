"""Pseudonyms of names: hosts, realms and interfaces.

A host's name keeps what conclusions rest on: how many labels it has, which names share a domain, a wildcard, and
whether its last label is one of inner networks. ``turn.example.org`` becomes ``host-k3f9a.site-x7dqo.example``.
"""

import base64
import re
from collections.abc import Iterable

from rtcdiag.contacts import NAT64_NAME
from rtcdiag.redact.key import Key
from rtcdiag.rules.dns import LOCAL_SUFFIXES

KEPT = frozenset({NAT64_NAME, "localhost"})
"""Names of protocols, which are the same everywhere."""
_PSEUDONYM = re.compile(r"(?:\*\.)?(?:host-[a-z2-7]+\.)*(?:site-[a-z2-7]+\.(?:[a-z2-7]{3}\.zz|[a-z]+)|host-[a-z2-7]+)")
_INTERFACE = re.compile(r"if-[0-9]+")
_REALM = re.compile(r"realm-[a-z2-7]+")
NO_REALM = "(empty)"
"""What findings say in place of an empty one."""
_DEEPEST = 4
"""So many labels below the domain get a pseudonym of their own, so that no name becomes longer than one may be."""
_COMMON_NAME = re.compile(r"CN=((?:[^,\\]|\\.)*)")


class Names:
    """The pseudonyms of one report, given one by one."""

    def __init__(self, key: Key, interfaces: Iterable[str], *, again: bool) -> None:
        """Begin with the interfaces, which are numbered; ``again``: names that look like pseudonyms are some."""
        self._key, self._again = key, again
        self._labels: dict[str, str] = {}
        self._given: set[str] = set()
        self._interfaces: dict[str, str] = {}
        self._numbered = {name for name in interfaces if again and _INTERFACE.fullmatch(name)}
        for name in interfaces:
            self.interface(name)

    def host(self, name: str) -> str:
        """Return the pseudonym of a host's name; what differs only in capitals differs only in capitals."""
        bare = name.lower().removesuffix(".")
        if bare in KEPT or not bare or (self._again and _PSEUDONYM.fullmatch(bare)):
            return name
        made = self._host(bare) + "." * name.endswith(".")
        return made if name == name.lower() else made.upper()

    def _host(self, name: str) -> str:
        labels = name.split(".")
        if len(labels) == 1:
            return self._label("host", name)
        # As a judgement of servers sees it: of example.co.uk the owner is not co.uk.
        second_level = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
        size = 3 if second_level else 2
        below, domain = labels[:-size], labels[-size:]
        ends = [".".join(labels[at:]) for at in range(len(below))]
        wild = ["*"] if below[:1] == ["*"] else []
        named = ends[len(wild) :][-_DEEPEST:]
        return ".".join([*wild, *(self._label("host", end) for end in named), self._site(".".join(domain), labels)])

    def _site(self, domain: str, labels: list[str]) -> str:
        own = self._label("site", domain)
        if domain.count(".") > 1:
            return f"{own}.{self._label('', '.'.join(labels[-2:]))}.zz"
        return f"{own}.{labels[-1] if labels[-1] in LOCAL_SUFFIXES else 'example'}"

    def _label(self, kind: str, name: str) -> str:
        """Return a label that stands for nothing else in this report."""
        if not kind:
            return self._letters("suffix", name)[:3]
        if name not in self._labels:
            letters = self._letters(kind, name)
            sizes = range(5, len(letters) + 1)
            free = (f"{kind}-{letters[:size]}" for size in sizes)
            self._labels[name] = next(label for label in free if label not in self._given)
            self._given.add(self._labels[name])
        return self._labels[name]

    def _letters(self, kind: str, name: str) -> str:
        return base64.b32encode(bytes.fromhex(self._key.tag(kind, name))).decode().rstrip("=").lower()

    def realm(self, text: str) -> str:
        """Return the pseudonym of a realm, which mostly is a domain; an empty one stays empty."""
        if text in {"", NO_REALM} or (self._again and _REALM.fullmatch(text)):
            return text
        return self.host(text) if is_domain(text) else f"realm-{self._letters('realm', text)[:5]}"

    def target(self, name: str) -> str:
        """Return the pseudonym of what a person calls a server."""
        return f"target-{self._letters('target', name)}" if name else name

    def interface(self, name: str) -> str:
        """Return the pseudonym of an interface: its number in the order in which they are listed."""
        if name in self._numbered or not name:
            return name
        if name not in self._interfaces:
            number = len(self._interfaces) + 1
            while f"if-{number}" in self._numbered or f"if-{number}" in self._interfaces.values():
                number += 1
            self._interfaces[name] = f"if-{number}"
        return self._interfaces[name]

    def distinguished(self, text: str) -> str:
        """Return a certificate's subject or issuer with its common name alone, as a pseudonym."""
        found = _COMMON_NAME.search(text)
        name = found[1] if found else text
        if not name or (self._again and _REALM.fullmatch(name)):
            return text
        return f"CN={self.realm(name)}"


_DOMAIN = re.compile(
    r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+(?:[a-z][a-z-]*[a-z]|xn--[a-z0-9-]+)\.?", re.IGNORECASE
)


def is_domain(text: str) -> bool:
    """Tell whether a text looks like a domain name of two labels or more: its last one has no digits."""
    return _DOMAIN.fullmatch(text) is not None
