"""Redact a report: look it through, rewrite its evidence, and conclude again."""

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from rtcdiag.compare import Comparison
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.diff import Difference
from rtcdiag.evidence import Environment, Evidence, Observation, TurnConfig
from rtcdiag.redact.addresses import Addresses
from rtcdiag.redact.config import redacted_config
from rtcdiag.redact.key import Key
from rtcdiag.redact.mapping import Mapping
from rtcdiag.redact.roles import Role
from rtcdiag.redact.survey import own_words, surveyed, surveyed_result
from rtcdiag.redact.tags import tags_of
from rtcdiag.redact.walk import rewritten
from rtcdiag.report import LEVELS, Level, Options, Redaction, Report, evidence_of, observation_of, raw_piece

Result = TypeVar("Result", Comparison, Difference)
WITHHELD = "Withheld"
"""Stands for a piece of evidence that this version does not know and hence cannot redact: no kind of any version."""
_WORD = re.compile(r"[A-Za-z]{1,40}")
_ID = re.compile(r"obs-[0-9]{1,9}")
_FLAG_ROLES = {
    "families": Role.OWN,
    "bind": Role.TEXT,
    "proxy": Role.TEXT,
    "interface": Role.INTERFACE,
    "server_name": Role.HOST,
}
"""Of the flags that have texts."""
_MASK = "(masked)"


def redacted(report: Report, level: Level, key: Key) -> Report:
    """Return the report at a level, or at its own where that is stricter; raise OverflowError for too many addresses.

    Where it is redacted already, its pseudonyms stay. What this version does not know of its evidence is withheld, and
    then what the report concluded is kept, itself redacted; else it is concluded again.
    """
    before = report.redaction
    level = max(level, before.level, key=LEVELS.index)
    if level == "none":
        return report
    evidence, unknown = evidence_of(report)
    known, words = surveyed(report, evidence)
    again = before.level != "none"
    if unknown and level == "strict":
        words = replace(words, own=own_words())
    addresses = Addresses(known, key, again=again)
    mapping = Mapping(addresses, key, again=again, words=words if level == "strict" else None)
    found = rewritten_report(report, evidence, mapping, unknown)
    return replace(found, redaction=_redaction(before, level, key, mapping, unknown))


def redacted_result(found: Result, level: Level, key: Key) -> Result:
    """Return what was concluded of two reports at a level, or at its own where that is stricter.

    The reports that it was made from are not in it: what it says stays, with everything in it replaced.
    """
    before = found.redaction
    level = max(level, before.level, key=LEVELS.index)
    if level == "none":
        return found
    known, words = surveyed_result(found)
    again = before.level != "none"
    addresses = Addresses(known, key, again=again)
    names = replace(words, own=own_words()) if level == "strict" else None
    mapping = Mapping(addresses, key, again=again, words=names)
    bare = rewritten(replace(found, redaction=Redaction()), mapping.text, mapping.address)
    return replace(bare, redaction=replace(_redaction(before, level, key, mapping, 0), tags={}))


def rewritten_report(report: Report, evidence: Evidence, mapping: Mapping, unknown: int) -> Report:
    """Return the report with everything replaced; ``unknown`` pieces of its evidence are not in ``evidence``."""
    return _kept(report, mapping) if unknown else _concluded(report, evidence, mapping)


def _concluded(report: Report, evidence: Evidence, mapping: Mapping) -> Report:
    run = Run(
        id=mapping.text(report.id, Role.TEXT),
        command=mapping.text(report.command, Role.TEXT),
        options=_options(report.options, mapping),
        started_at=mapping.text(report.started_at, Role.TEXT),
        utc_offset_min=_utc_offset_min(report, mapping),
        duration_ms=report.duration_ms,
        interrupted=report.interrupted,
    )
    observations = tuple(_observation(item, mapping) for item in evidence.observations)
    seen = replace(evidence, environment=_environment(report, mapping), observations=observations)
    return replace(diagnose(seen, run), tool=rewritten(report.tool, mapping.text, mapping.address))


def _kept(report: Report, mapping: Mapping) -> Report:
    """Return what the report concluded with everything in it replaced, and its evidence as far as it is known."""
    bare = replace(report, environment=Environment(), options=Options(), redaction=Redaction(), evidence=())
    return replace(
        rewritten(bare, mapping.text, mapping.address),
        utc_offset_min=_utc_offset_min(report, mapping),
        environment=_environment(report, mapping),
        options=_options(report.options, mapping),
        evidence=tuple(_piece(piece, mapping) for piece in report.evidence),
    )


def _utc_offset_min(report: Report, mapping: Mapping) -> int | None:
    """Tell the local time only where names stay, too: it says in which part of the world the computer is."""
    return None if mapping.replaces_names else report.utc_offset_min


def _environment(report: Report, mapping: Mapping) -> Environment:
    return rewritten(report.environment, mapping.text, mapping.address)


def _observation(item: Observation, mapping: Mapping) -> Observation:
    if isinstance(item, TurnConfig):
        return redacted_config(item, mapping)
    return rewritten(item, mapping.text, mapping.address)


def _piece(piece: msgspec.Raw, mapping: Mapping) -> msgspec.Raw:
    known = observation_of(piece)
    if known is not None:
        return raw_piece(_observation(known, mapping))
    return msgspec.Raw(msgspec.json.encode(_harmless(msgspec.json.decode(piece))))


def _harmless(piece: Any) -> dict[str, Any]:
    """Return what may be told of a piece of a kind that is not known: which, when, and its number."""
    found: dict[str, Any] = {"kind": WITHHELD, "id": "", "t_ms": 0.0}
    if not isinstance(piece, dict):
        return found
    if isinstance(name := piece.get("id"), str) and _ID.fullmatch(name):
        found["id"] = name
    if isinstance(at := piece.get("t_ms"), (int, float)):
        found["t_ms"] = at
    what = piece.get("what" if piece.get("kind") == WITHHELD else "kind")
    if isinstance(what, str) and _WORD.fullmatch(what):
        found["what"] = what
    return found


def _options(options: Options, mapping: Mapping) -> Options:
    return Options(
        targets=tuple(mapping.text(target, Role.TEXT) for target in options.targets),
        flags=dict(_flags(options.flags, mapping)),
        thresholds=dict(_flags(options.thresholds, mapping)),
    )


def _flags(flags: dict[str, Any], mapping: Mapping) -> Iterator[tuple[str, Any]]:
    """Yield the flags; the text of one that this version does not know is masked."""
    for name, value in flags.items():
        role = _FLAG_ROLES.get(name)
        yield mapping.text(name, Role.TEXT), _flag(value, role, mapping)


def _flag(value: Any, role: Role | None, mapping: Mapping) -> Any:
    if isinstance(value, str):
        return _MASK if role is None else mapping.text(value, role)
    if isinstance(value, (tuple, list)):
        return [_flag(item, role, mapping) for item in value]
    return value if isinstance(value, (bool, int, float)) or value is None else _MASK


def _redaction(before: Redaction, level: Level, key: Key, mapping: Mapping, unknown: int) -> Redaction:
    """Return what the report says of it: of the key only as long as all pseudonyms are of that one."""
    changed = before.level != level or any(ip != made for ip, made in mapping.addresses.made.items())
    key_id = key.id if before.level == "none" else before.key_id
    if before.level != "none" and changed and key.id != before.key_id:
        key_id = None
    tags = (
        before.tags | tags_of(mapping.addresses.made, key) if key_id is not None and key_id == key.id else before.tags
    )
    return Redaction(level=level, key_id=key_id, tags=tags if key_id is not None else {}, withheld=unknown)
