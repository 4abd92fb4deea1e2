"""The comparison of two reports: the JSON promise of ``rtcdiag compare``, in the envelope of a report."""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from rtcdiag.address import Family
from rtcdiag.compare.changes import changes
from rtcdiag.compare.halves import check, halves, session_of
from rtcdiag.compare.held import held
from rtcdiag.compare.party import NO_UDP, KnownRelay, Party, party_of
from rtcdiag.compare.predict import FamilyResult, Prediction, predict_pair
from rtcdiag.compare.session import Session
from rtcdiag.evidence import decode_value, encode_value
from rtcdiag.nat import Nat, familiar_name
from rtcdiag.report import (
    LEVELS,
    SCHEMA_VERSION,
    Confidence,
    Direct,
    Redaction,
    Report,
    Status,
    Tool,
    Verdict,
    kind_of,
    read,
    started_at_s,
)
from rtcdiag.session import End
from rtcdiag.traversal import Reachable
from rtcdiag.verdict import NAT_COMMANDS

_DAY_S = 86400.0
_SURENESS: tuple[Confidence, ...] = ("low", "medium", "high")


class SideSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two reports, in short."""

    report: str
    """Its id."""
    command: str
    started_at: str
    summary: str
    """What it says of its own network."""
    nat: dict[str, str]
    """By family: mapping, filtering and the familiar name, in words."""
    relays: tuple[KnownRelay, ...] = ()


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Can these two reach each other directly, and the one change that would flip it."""

    kind: Literal["compare", "connect"] = "compare"
    """``connect``: the two reports are the halves of one session, and A is the one who offered."""
    schema_version: str = SCHEMA_VERSION
    id: str
    tool: Tool = Tool()
    command: str = "compare"
    started_at: str
    """When they were compared, or the session began: UTC, RFC 3339 with milliseconds."""
    redaction: Redaction = Redaction()
    """The higher of the two."""
    verdict: Verdict
    a: SideSummary
    b: SideSummary
    direct: Reachable
    """As predicted; of a session, as it happened."""
    relayed: Reachable
    families: dict[str, FamilyResult]
    """As predicted."""
    session: Session | None = None
    """What happened; None where nothing was tried."""
    notes: tuple[str, ...] = ()
    """What limits the answer."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison says of itself."""

    id: str
    started_at: str


def compare(first: Report, second: Report, asked: Asked) -> Comparison:
    """Compare two reports that were diagnosed with today's rules: a pure function of them.

    The two halves of one session give what came of it, the same whichever is named first. Raises ComparisonError for
    two halves of the same end.
    """
    one, two = session_of(first), session_of(second)
    if one is not None and two is not None:
        check(one, two)
        if one.session.session == two.session.session:
            offered = one.session.role == "offerer"
            return _connected(first, second, one, two) if offered else _connected(second, first, two, one)
    a, b = party_of(first), party_of(second)
    found = predict_pair(a, b)
    return _compared(a, b, found, asked, (*_sessions(one, two), *_notes(first, second)))


def _compared(a: Party, b: Party, found: Prediction, asked: Asked, notes: tuple[str, ...]) -> Comparison:
    return Comparison(
        id=asked.id,
        started_at=asked.started_at,
        redaction=_redaction(a.report, b.report),
        verdict=_verdict(a, b, found),
        a=_summary(a),
        b=_summary(b),
        direct=found.direct,
        relayed=found.relayed,
        families={family.value: result for family, result in found.families.items()},
        notes=notes,
    )


def _connected(first: Report, second: Report, one: End, two: End) -> Comparison:
    """Return what came of a session: its id and time are the session's, so that both ends get the same."""
    a, b = party_of(first), party_of(second)
    predicted = predict_pair(a, b)
    session, judged = held(halves(a, b, one, two), predicted)
    asked = Asked(id=f"session-{session.session}", started_at=first.started_at)
    compared = _compared(a, b, predicted, asked, tuple(_notes(first, second)))
    return replace(
        compared,
        kind="connect",
        command="connect",
        verdict=judged.verdict,
        direct=judged.direct,
        relayed=judged.relayed,
        session=session,
    )


def _sessions(one: End | None, two: End | None) -> Iterator[str]:
    """Say why what happened in a session is not told."""
    ids = [end.session.session for end in (one, two) if end is not None]
    if len(ids) == 2:
        yield f"the reports are of different sessions ({ids[0]} and {ids[1]}): only their networks are compared"
    elif ids:
        yield "only one of the reports is of a session: take the other end's half to see what happened in it"


def encode(comparison: Comparison) -> bytes:
    """Return it as JSON, UTF-8, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(comparison, enc_hook=encode_value), indent=2) + b"\n"


def decode(data: bytes) -> Comparison:
    """Read a comparison; raise ReportError for what is none, is cut off, or has a newer major version."""
    return read(_comparisons, kind_of(data)[1], "comparison")


_comparisons = msgspec.json.Decoder(Comparison, dec_hook=decode_value)


def _redaction(first: Report, second: Report) -> Redaction:
    """Return the higher of the two; the tags by which they were compared are theirs."""
    higher = max(first.redaction, second.redaction, key=lambda item: LEVELS.index(item.level))
    return Redaction(level=higher.level, key_id=higher.key_id)


def _verdict(a: Party, b: Party, found: Prediction) -> Verdict:
    status, direct = _outcome(found)
    return Verdict(
        status=status,
        direct_p2p=direct,
        by_family={family.value: _direct_over(family, a, b, found) for family in Family},
        confidence=_confidence(a, b, found),
        summary=_sentence(a, b, found),
        would_change_if=tuple(changes(a, b, found)),
    )


def _direct_over(family: Family, a: Party, b: Party, found: Prediction) -> Direct:
    """Return what one family achieves; where a side does not have it, nothing is blocked."""
    direct = _outcome(_alone(family, found))[1]
    lacking = any(party.families[family].lacking for party in (a, b))
    return "not-tested" if lacking and direct == "blocked" else direct


def _alone(family: Family, found: Prediction) -> Prediction:
    result = found.families[family]
    return Prediction(result.direct, result.relayed, {family: result})


def _outcome(found: Prediction) -> tuple[Status, Direct]:
    match found.direct, found.relayed:
        case "yes", _:
            return "healthy", "likely"
        case "no", "yes":
            return "healthy", "relay-needed"
        case "no", "no":
            return "broken", "blocked"
        case _:
            return "inconclusive", "inconclusive"


def _confidence(a: Party, b: Party, found: Prediction) -> Confidence:
    """Return the lower of the two reports' own, and less where one network or a kept port was concluded, not seen."""
    if found.direct == "unknown":
        return "low"
    own = min(_SURENESS.index(party.report.verdict.confidence) for party in (a, b))
    near = any(result.same_address and result.direct == "yes" for result in found.families.values())
    return _SURENESS[min(own, 1) if near or _deciding(found)[1].unless else own]


def _sentence(a: Party, b: Party, found: Prediction) -> str:
    family, result = _deciding(found)
    over = f"IPv{family.value[-1]}"
    match found.direct, found.relayed:
        case "yes", _:
            unless = f", unless {result.unless}" if result.unless else ""
            return f"A and B connect directly over {over}: {result.why}{unless}."
        case "no", "yes":
            return f"A and B do not connect directly ({result.why}); their calls go through {_relay_words(a, b)}."
        case "no", "no":
            return f"A and B do not connect: {result.why}, and neither has a relay that works for both."
        case "no", _:
            return f"A and B do not connect directly ({result.why}); whether a relay helps is not known."
        case _, "yes":
            return f"Whether A and B connect directly is not known ({result.why}); else through {_relay_words(a, b)}."
        case _:
            return f"Whether A and B connect is not known ({result.why})."


def _deciding(found: Prediction) -> tuple[Family, FamilyResult]:
    """Return the family that the answer rests on: one that takes nothing for granted, IPv4 where both say the same."""
    same = [(family, result) for family, result in found.families.items() if result.direct == found.direct]
    return min(same, key=lambda item: bool(item[1].unless))


def _relay_words(a: Party, b: Party) -> str:
    relays = {
        known.uri: name for name, party in (("A", a), ("B", b)) for known in party.relays if known.usable == "yes"
    }
    uri = next(iter(relays), None)
    return f"a relay, such as {relays[uri]}'s {uri}" if uri else "a relay"


def _summary(party: Party) -> SideSummary:
    report = party.report
    nats = {"ipv4": report.nat.ipv4, "ipv6": report.nat.ipv6}
    words = {name: _nat_words(nat) for name, nat in nats.items() if nat is not None}
    closed = {family.value: NO_UDP for family, side in party.families.items() if side.endpoint.udp is False}
    absent = {
        family.value: "none" if side.lacking else side.absent for family, side in party.families.items() if side.absent
    }
    return SideSummary(
        report=report.id,
        command=report.command,
        started_at=report.started_at,
        summary=report.verdict.summary,
        nat=words | closed | absent,
        relays=party.relays,
    )


def _nat_words(nat: Nat) -> str:
    name = familiar_name(nat)
    words = f"mapping {nat.mapping}, filtering {nat.filtering}"
    return f"{words} [{name}]" if name else words


def _notes(first: Report, second: Report) -> list[str]:
    found = []
    apart_s = abs(started_at_s(first.started_at) - started_at_s(second.started_at))
    if apart_s > _DAY_S:
        found.append(f"the reports are {apart_s / _DAY_S:.0f} days apart: a network may have changed since")
    for name, report in (("A", first), ("B", second)):
        if report.command not in NAT_COMMANDS:
            found.append(f"{name} is a report of {report.command}, which does not test the NAT: use rtcdiag report")
        if report.interrupted:
            found.append(f"{name} was interrupted, so it does not know all")
    return found
