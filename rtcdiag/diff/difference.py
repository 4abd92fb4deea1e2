"""The difference of two reports: the JSON promise of ``rtcdiag diff``, in the envelope of a report."""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec.structs import replace

from rtcdiag.diff.findings import FindingChange, finding_changes
from rtcdiag.diff.latency import LatencyChange, latency_changes
from rtcdiag.diff.network import candidate_changes, nat_changes, verdict_changes
from rtcdiag.diff.pair import Pair
from rtcdiag.diff.servers import row_pairs, server_changes
from rtcdiag.diff.value import Direction, ValueChange
from rtcdiag.evidence import decode_value, encode_value
from rtcdiag.report import LEVELS, SCHEMA_VERSION, Redaction, Report, Tool, Verdict, kind_of, read

Change = Literal["worse", "better", "changed", "same"]
_SHOWN = 3


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two reports, in short."""

    report: str
    """Its id."""
    command: str
    started_at: str
    verdict: Verdict


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from A to B."""

    kind: Literal["diff"] = "diff"
    schema_version: str = SCHEMA_VERSION
    id: str
    tool: Tool = Tool()
    command: str = "diff"
    started_at: str
    """When they were compared: UTC, RFC 3339 with milliseconds."""
    redaction: Redaction = Redaction()
    """The higher of the two."""
    verdict: Verdict
    """That of B, with what changed as its sentence, and the codes that are new as its reason."""
    change: Change
    """``worse`` where anything is, unless the verdict itself is better."""
    a: Summary
    b: Summary
    findings: tuple[FindingChange, ...] = ()
    network: tuple[ValueChange, ...] = ()
    """The verdict, and the NATs."""
    candidates: tuple[ValueChange, ...] = ()
    servers: tuple[ValueChange, ...] = ()
    latency: tuple[LatencyChange, ...] = ()
    """The round-trip times of every server that both asked."""
    notes: tuple[str, ...] = ()
    """What limits the comparison."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a difference says of itself."""

    id: str
    started_at: str


def diff(before: Report, after: Report, asked: Asked) -> Difference:
    """Return what changed from one report to a later one, both diagnosed with today's rules."""
    pair = Pair(before=before, after=after)
    rows = row_pairs(pair)
    verdicts = tuple(verdict_changes(pair))
    found = Difference(
        id=asked.id,
        started_at=asked.started_at,
        redaction=_redaction(before, after),
        verdict=after.verdict,
        change="same",
        a=_summary(before),
        b=_summary(after),
        findings=finding_changes(pair),
        network=(*verdicts, *nat_changes(pair)),
        candidates=tuple(candidate_changes(pair)),
        servers=tuple(server_changes(pair, rows)),
        latency=tuple(latency_changes(rows)),
        notes=tuple(pair.notes),
    )
    change = _change(found, verdicts)
    new = tuple(item.code for item in found.findings if item.direction == "worse")
    verdict = replace(after.verdict, summary=_sentence(found, change), because=new, would_change_if=())
    return replace(found, change=change, verdict=verdict)


def encode(difference: Difference) -> bytes:
    """Return it as JSON, UTF-8, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(difference, enc_hook=encode_value), indent=2) + b"\n"


def decode(data: bytes) -> Difference:
    """Read a difference; raise ReportError for what is none, is cut off, or has a newer major version."""
    return read(_differences, kind_of(data)[1], "difference")


_differences = msgspec.json.Decoder(Difference, dec_hook=decode_value)


def _redaction(before: Report, after: Report) -> Redaction:
    higher = max(before.redaction, after.redaction, key=lambda item: LEVELS.index(item.level))
    return Redaction(level=higher.level, key_id=higher.key_id)


def _summary(report: Report) -> Summary:
    return Summary(report=report.id, command=report.command, started_at=report.started_at, verdict=report.verdict)


def directions(found: Difference) -> tuple[Direction, ...]:
    """Return which way everything went that changed."""
    values = (*found.network, *found.candidates, *found.servers)
    return (
        *(item.direction for item in found.findings),
        *(item.direction for item in values),
        *(item.direction for item in found.latency if item.beyond_noise),
    )


def _change(found: Difference, verdicts: Iterable[ValueChange]) -> Change:
    overall = {item.direction for item in verdicts}
    every = directions(found)
    if "worse" in overall or ("worse" in every and "better" not in overall):
        return "worse"
    if "better" in every:
        return "better"
    return "changed" if every else "same"


def _sentence(found: Difference, change: Change) -> str:
    told = [*_verdict_words(found), *_findings_words(found, "new"), *_findings_words(found, "gone")]
    told += [f"{item.where}: {item.what} {item.after}, was {item.before}" for item in _others(found)]
    more = f", and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    if not told and change == "same" and any(item.open for item in found.latency):
        return "Nothing changed for certain: round-trip times differ, from too few samples to tell."
    if not told:
        return "Nothing changed that matters." if change != "same" else "Nothing changed."
    return f"{change.capitalize()}: {'; '.join(told[:_SHOWN])}{more}."


def _verdict_words(found: Difference) -> list[str]:
    items = [item for item in found.network if item.where == "verdict" and " over " not in item.what]
    return [f"{item.what} is {item.after}, was {item.before}".replace("-", " ") for item in items]


def _findings_words(found: Difference, which: str) -> list[str]:
    codes = dict.fromkeys(item.code for item in found.findings if item.change == which and item.direction != "neither")
    return [f"{which}: {', '.join(codes)}"] if codes else []


def _others(found: Difference) -> list[ValueChange]:
    items = (*found.network, *found.candidates, *found.servers)
    return [item for item in items if item.where != "verdict" and item.direction != "neither"]
