"""Look a report through: which addresses, hosts and interfaces it holds, before anything is replaced."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from rtcdiag.address import IPAddress, TransportAddress
from rtcdiag.evidence import Evidence, Exchange
from rtcdiag.findings import catalogue
from rtcdiag.nat import nat64_of
from rtcdiag.redact.addresses import Known
from rtcdiag.redact.mapping import Words, is_address
from rtcdiag.redact.names import is_domain
from rtcdiag.redact.roles import Role
from rtcdiag.redact.text import addresses_in, hosts_in, words_in
from rtcdiag.redact.walk import rewritten
from rtcdiag.report import Options, Report


class Survey(NamedTuple):
    """What a report holds."""

    known: Known
    words: Words


class _Notes:
    """What was met on the way; nothing is replaced."""

    def __init__(self) -> None:
        self.fields: set[IPAddress] = set()
        self.texts: set[IPAddress] = set()
        self.hosts: set[str] = set()
        self.interfaces: dict[str, None] = {}
        self._met: set[tuple[str, Role]] = set()

    def text(self, text: str, role: Role) -> str:
        # A report says the same server and the same address again and again.
        if (text, role) not in self._met:
            self._met.add((text, role))
            self._note(text, role)
        return text

    def _note(self, text: str, role: Role) -> None:
        if role is Role.INTERFACE:
            self.interfaces[text] = None
            return
        bare = text.partition("%")[0].strip("[]")
        if is_address(bare):
            self.fields.add(ip_address(bare))
        elif role is Role.HOST:
            self.hosts.add(text)
        self.texts.update(found.ip for found in addresses_in(text) if found.sure)
        self.hosts.update(host for host in hosts_in(text) if not is_address(host))

    def address(self, address: TransportAddress) -> TransportAddress:
        self.fields.add(ip_address(str(address.ip).partition("%")[0]))
        return address

    @property
    def survey(self) -> Survey:
        """What was met."""
        known = Known(all=frozenset(self.fields | self.texts), named=frozenset(self.fields))
        return Survey(known, Words(hosts=frozenset(self.hosts) - {""}, interfaces=tuple(filter(None, self.interfaces))))


def surveyed(report: Report, evidence: Evidence) -> Survey:
    """Return what a report holds."""
    notes = _Notes()
    for part in (report.environment, *evidence.observations):
        rewritten(part, notes.text, notes.address)
    _note_options(report.options, notes)
    known, words = notes.survey
    return Survey(replace(known, seen=_seen(evidence), translators=nat64_of(evidence).prefixes), words)


def surveyed_result(found: Struct) -> Survey:
    """Return what a comparison or a difference of two reports holds."""
    return surveyed_parts((found,))


def surveyed_parts(parts: Iterable[Struct], texts: Iterable[str] = ()) -> Survey:
    """Return what several parts and texts hold together."""
    notes = _Notes()
    for part in parts:
        rewritten(part, notes.text, notes.address)
    for text in texts:
        notes.text(text, Role.TEXT)
    return notes.survey


def _note_options(options: Options, notes: _Notes) -> None:
    for target in options.targets:
        notes.text(target, Role.TEXT)
    for name, role in (("interface", Role.INTERFACE), ("server_name", Role.HOST), ("bind", Role.TEXT)):
        value: Any = options.flags.get(name)
        if isinstance(value, str):
            notes.text(value, role)


def _seen(evidence: Evidence) -> frozenset[IPAddress]:
    exchanges = (getattr(item, "exchange", None) for item in evidence.observations)
    answers = (answer for item in exchanges if isinstance(item, Exchange) for answer in item.answers)
    return frozenset(answer.reflexive.ip for answer in answers if answer.reflexive is not None)


def own_words() -> frozenset[str]:
    """Return the words of the program's own texts that look like domain names: ``turnserver.conf``."""
    texts = (text for entry in catalogue().values() for text in (entry.title, entry.meaning, *entry.remedy.values()))
    return frozenset(word.lower() for text in texts for word in words_in(text) if is_domain(word))
