"""Findings: a code, the facts behind it, and the words that ``catalogue.toml`` has for it."""

import tomllib
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
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
    """Something that has to be fixed before calls work, or within days so that they go on working."""
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

    They have to be about the same subject and, where both name one, the same path, or this one has no subject.
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
    text = files("rtcdiag").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Entry])


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
    entry = catalogue()[code]
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


_PROPER = {"ipv4": "IPv4", "ipv6": "IPv6", "udp": "UDP", "tcp": "TCP", "tls": "TLS", "dtls": "DTLS"}


def _spoken(value: object) -> object:
    """Return a fact as a sentence has it."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return _PROPER.get(value, value) if isinstance(value, str) else value


def silenced(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out the findings that another one explains (``silences``), and keep the order of the rest."""
    return tuple(
        finding for finding in findings if not any(_explains(other, finding) for other in findings if other != finding)
    )


def _explains(cause: Finding, consequence: Finding) -> bool:
    return _covers(cause, consequence) and consequence.code in catalogue()[cause.code].silences


def _covers(cause: Finding, consequence: Finding) -> bool:
    """Whether they are about the same thing: the whole network, or the same server and, where both name one, path."""
    if cause.subject is None:
        return True
    same_path = all(
        cause.facts[name] == consequence.facts[name]
        for name in ("address", "transport")
        if name in cause.facts and name in consequence.facts
    )
    return cause.subject == consequence.subject and same_path
