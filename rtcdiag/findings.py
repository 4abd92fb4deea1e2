"""Findings: a code, the facts behind it, and the words that ``catalogue.toml`` has for it."""

import re
import tomllib
from collections.abc import Callable
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

Role = Literal["you", "network_admin", "server_operator", "developer"]
ROLES: tuple[Role, ...] = get_args(Role)
Stage = Literal[
    "config",
    "clock",
    "dns",
    "connect",
    "tls",
    "binding",
    "challenge",
    "allocate",
    "relayed-address",
    "permission",
    "data",
    "refresh",
    "release",
]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""The causal chain of a server, in order: the first broken stage owns the verdict."""

Facts = dict[str, Any]
"""The values that a rule saw, by name: JSON scalars and lists of them."""


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Something that has to be fixed before calls work."""
    WARNING = "warning"
    """Something that will fail for some, or soon."""
    INFO = "info"
    """A fact worth knowing; nothing is broken."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the catalogue says about one code. ``{name}`` in its texts is a fact of the finding."""

    severity: Severity
    row: str | None = None
    """The row of the failure table that this code covers (``T2``); None where it covers none."""
    stage: Stage | None = None
    """The stage of the server's chain that this code breaks; None for what is not about one server."""
    title: str
    """One line: what is wrong, with whom."""
    meaning: str
    """What it means for calls, in words that a user knows."""
    remedy: dict[Role, str] = {}
    """What to do, for each role that can do something."""
    references: tuple[str, ...] = ()
    """RFC sections and manual options that the entry rests on."""
    silences: tuple[str, ...] = ()
    """Codes that are mere consequences of this one and are left out beside it.

    They have to be about the same subject and, where both name one, the same path; or this one has no subject, and they
    are about the same port where it names one.
    """


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One conclusion of one rule, with its words filled in."""

    code: str
    row: str | None = None
    severity: Severity
    subject: str | None = None
    """The server's URI, or None for the network or the computer as a whole."""
    stage: Stage | None = None
    title: str
    meaning: str
    remedy: dict[Role, str] = {}
    facts: Facts = {}
    """Hostile strings in it are escaped by the formats."""
    evidence: tuple[str, ...] = ()
    """Ids of the observations that it rests on."""


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Entry]:
    """Return all entries by code, in the order of the file; raise msgspec.ValidationError where one is malformed."""
    return {code: entry_of(code) for code in _pieces()}


@cache
def entry_of(code: str) -> Entry:
    """Return one entry, without parsing the others, which takes longer than a diagnosis; KeyError for none."""
    return msgspec.convert(tomllib.loads(_pieces()[code])[code], Entry)


@lru_cache(maxsize=1)
def _pieces() -> dict[str, str]:
    """Return the part of the file that each code has, from its heading to the next code's."""
    # Not by importlib.resources, which takes as long to import as half of the rules: msgspec needs real files anyway.
    text = Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8")
    _, *parts = re.split(r"^(?=\[[a-z0-9-]+\]$)", text, flags=re.MULTILINE)
    return {part[1 : part.index("]")]: part for part in parts}


def find(
    code: str,
    *evidence: str,
    subject: str | None = None,
    stage: Stage | None = None,
    severity: Severity | None = None,
    **facts: Any,
) -> Finding:
    """Build the finding for a code: ``evidence`` are observation ids, ``facts`` fill the catalogue's texts.

    ``stage`` and ``severity`` replace the catalogue's, where the same cause shows elsewhere or matters less.
    Raises KeyError for a code that the catalogue lacks, or a fact that its texts name and the caller left out.
    """
    entry = entry_of(code)
    words = {name: _spoken(value) for name, value in {"subject": subject or "", **facts}.items()}
    return Finding(
        code=code,
        row=entry.row,
        severity=severity or entry.severity,
        subject=subject,
        stage=stage or entry.stage,
        title=entry.title.format_map(words),
        meaning=entry.meaning.format_map(words),
        remedy={role: text.format_map(words) for role, text in entry.remedy.items()},
        facts=facts,
        evidence=tuple(dict.fromkeys(item for item in evidence if item)),
    )


def retold(finding: Finding) -> Finding:
    """Return a finding in the catalogue's words about its facts as they are now; itself, where the two do not fit."""
    try:
        told = find(
            finding.code,
            *finding.evidence,
            subject=finding.subject,
            stage=finding.stage,
            severity=finding.severity,
            **_told(finding.facts),
        )
    except KeyError:  # another version's
        return finding
    return msgspec.structs.replace(told, facts=finding.facts)


def _told(facts: Facts) -> Facts:
    """Return the facts that words are filled with: of many addresses the first ones."""
    addresses = facts.get("addresses")
    if not isinstance(addresses, list):
        return facts
    more = [f"{len(addresses) - _SHOWN} more"] if len(addresses) > _SHOWN else []
    return facts | {"address": [*addresses[:_SHOWN], *more]}


_PROPER = {"ipv4": "IPv4", "ipv6": "IPv6", "udp": "UDP", "tcp": "TCP", "tls": "TLS", "dtls": "DTLS"}


def _spoken(value: object) -> object:
    """Return a fact as a sentence has it."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return _PROPER.get(value, value) if isinstance(value, str) else value


def silenced(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out the findings that another one explains, and keep the order of the rest.

    The catalogue names consequences of a cause (``silences``); and the first broken stage of a path owns its verdict.
    """
    return tuple(
        finding for finding in findings if not any(_explains(other, finding) for other in findings if other != finding)
    )


def _explains(cause: Finding, consequence: Finding) -> bool:
    named = consequence.code in entry_of(cause.code).silences
    return (named and _covers(cause, consequence)) or _breaks_before(cause, consequence)


_FREE: tuple[Stage, ...] = ("dns", "connect", "tls", "binding")
"""Stages that a wrong entry does not break: that a server is down is worth knowing beside it."""


def _breaks_before(cause: Finding, consequence: Finding) -> bool:
    """Whether an error broke the same path at an earlier stage: what fails behind it may be its doing."""
    if cause.severity is not Severity.ERROR or consequence.severity is Severity.INFO:
        return False
    if cause.subject is None or cause.stage is None or consequence.stage is None:
        return False
    if cause.stage == "config":
        owned = consequence.severity is Severity.ERROR and consequence.stage not in _FREE
    else:
        owned = _names_path(cause) and _names_path(consequence)
    return owned and STAGES.index(cause.stage) < STAGES.index(consequence.stage) and _covers(cause, consequence)


def _names_path(finding: Finding) -> bool:
    return {"address", "transport"} <= set(finding.facts)


def _covers(cause: Finding, consequence: Finding) -> bool:
    """Whether they are about the same: the network, or a server and, where both name one, path.

    Of the network it may be one port, or one family.
    """
    if cause.subject is None:
        port, family, address = cause.facts.get("port"), cause.facts.get("family"), consequence.facts.get("address")
        if address is None:
            return True
        is_family = family is None or (family == "ipv6") == str(address).startswith("[")
        return is_family and (port is None or str(address).endswith(f":{port}"))
    same_path = all(
        cause.facts[name] == consequence.facts[name]
        for name in ("address", "transport")
        if name in cause.facts and name in consequence.facts
    )
    return cause.subject == consequence.subject and same_path


def merged(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Join what says the same: one finding a code and path, and one for all addresses that ail alike.

    The first stands for all, with the evidence of all. Where several addresses are joined its words name them, and its
    facts have them as ``addresses`` beside the first one's ``address``.
    """
    by_path = _joined(findings, _path_key)
    return _joined(by_path, _ailment_key)


def _joined(findings: tuple[Finding, ...], key: Callable[[Finding], str]) -> tuple[Finding, ...]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(key(finding), []).append(finding)
    return tuple(_one(group) for group in groups.values())


def _path_key(finding: Finding) -> str:
    if not _names_path(finding):
        return _key(finding, evidence=())
    facts = {name: finding.facts.get(name) for name in ("address", "transport", "family")}
    return _key(finding, evidence=(), facts=facts, severity=None, stage=None, title="", meaning="", remedy={})


def _ailment_key(finding: Finding) -> str:
    if not _names_path(finding):
        return _key(finding, evidence=())
    facts = {name: value for name, value in finding.facts.items() if name != "address"}
    return _key(finding, evidence=(), facts=facts, title="", meaning="", remedy={})


def _key(finding: Finding, **blank: Any) -> str:
    return repr(msgspec.structs.replace(finding, **blank))


_SHOWN = 4
"""So many addresses are named in words."""


def _one(group: list[Finding]) -> Finding:
    """Return the most severe, with the evidence of all, and all their addresses."""
    first = min(group, key=lambda finding: _SEVERITIES.index(finding.severity))
    evidence = tuple(dict.fromkeys(name for finding in group for name in finding.evidence))
    addresses = [str(finding.facts["address"]) for finding in group if "address" in finding.facts]
    addresses = list(dict.fromkeys(addresses))
    if len(addresses) < 2:
        return msgspec.structs.replace(first, evidence=evidence)
    every = first.facts | {"addresses": addresses}
    return retold(msgspec.structs.replace(first, evidence=evidence, facts=every))


_SEVERITIES = tuple(Severity)
