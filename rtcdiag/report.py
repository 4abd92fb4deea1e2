"""The report: the JSON promise of the project, written once.

Everything but ``evidence`` is a conclusion that ``diagnosis.diagnose`` drew from it. ``evidence`` stays as raw JSON
pieces, so that a reader keeps what a newer version wrote and it does not know.
"""

import codecs
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, get_args

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.audit.outcome import AuditRow
from rtcdiag.evidence import AnyObservation, Environment, Evidence, Observation, decode_value, encode_value
from rtcdiag.evidence.candidate import CandidateType, Exposure
from rtcdiag.findings import Finding, Stage
from rtcdiag.nat import Nat
from rtcdiag.traversal import Reach
from rtcdiag.version import __version__

SCHEMA_VERSION = "1.0"

Status = Literal["healthy", "degraded", "broken", "inconclusive"]
Direct = Literal["confirmed", "likely", "depends-on-peer", "relay-needed", "blocked", "inconclusive", "not-tested"]
StageStatus = Literal["ok", "warning", "failed", "not-tested"]
Confidence = Literal["high", "medium", "low"]


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """The program that wrote the report."""

    name: str = "rtcdiag"
    version: str = __version__


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; no secrets."""

    targets: tuple[str, ...] = ()
    flags: dict[str, Any] = {}
    thresholds: dict[str, Any] = {}


Level = Literal["none", "share", "strict"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The mildest first."""


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the report was replaced by pseudonyms: public addresses, and in ``strict`` names too."""

    level: Level = "none"
    key_id: str | None = None
    """Names the key that other reports share; None where none does."""
    tags: dict[str, str] = {}
    """By pseudonym of an address, and of a /24 or /64 network, what only that key makes of the original: by these, two
    reports with one key tell which of their addresses are the same. Empty without such a key."""
    withheld: int = 0
    """How many pieces of evidence were left out, because the version that redacted the report did not know them."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change that would flip the verdict."""

    side: Literal["here", "peer", "server", "a", "b"]
    """``a`` and ``b``: of two reports compared."""
    change: str
    then: Direct


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the question, in one sentence and in fixed words."""

    status: Status
    direct_p2p: Direct
    by_family: dict[str, Direct] = {}
    """``ipv4`` and ``ipv6``."""
    confidence: Confidence
    summary: str
    because: tuple[str, ...] = ()
    """Finding codes, most important first."""
    would_change_if: tuple[Change, ...] = ()


class Nats(msgspec.Struct, frozen=True, kw_only=True):
    """Both families."""

    ipv4: Nat | None = None
    ipv6: Nat | None = None


class CandidateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate as shown: the facts of the evidence, repeated where readers look for them."""

    type: CandidateType
    address: TransportAddress
    related: TransportAddress | None
    component: int
    priority: int
    foundation: str
    protocol: str
    relay_protocol: str | None
    interface: str | None
    server: str | None
    gathered_by: str
    browser_without_permission: Exposure
    browser_with_permission: Exposure
    t_ms: float
    sdp: str


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of a server's chain."""

    stage: Stage
    status: StageStatus
    duration_ms: float | None = None
    finding: str | None = None
    """The code that owns this stage; set where ``status`` is failed or warning."""


class IceRow(msgspec.Struct, frozen=True, kw_only=True):
    """How two ICE agents that may use relays only fared through a server (``--ice``)."""

    status: StageStatus
    duration_ms: float | None = None
    """From the exchange of candidates to a nominated pair, where they connected."""
    finding: str | None = None


CapabilityAnswer = Literal["yes", "no", "undetermined"]


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a TURN server can do beyond what calls need, or not."""

    name: str
    """``relay-ipv4``, ``relay-ipv6``, ``both-families``, ``dont-fragment``, ``even-port``, ``reserved-port``,
    ``sha256``, ``userhash``, ``tcp-relay``."""
    answer: CapabilityAnswer
    why: str | None = None
    """What the answer rests on, where it is not a plain yes."""


class ServerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One server at one address over one transport."""

    uri: str
    address: TransportAddress | None
    """None where its name, or that of the proxy, did not resolve."""
    transport: str
    via: str | None = None
    """The HTTP proxy through which it was asked; ``address`` is the proxy's then."""
    status: StageStatus
    stages: tuple[StageRow, ...]
    ice: IceRow | None = None
    """None where it was not asked for, or no relay was granted before."""
    quality: dict[str, Any] | None = None
    """RTT samples: ``rtt_ms`` (list), ``rtt_median_ms``, ``sent``, ``answered``; ``relay``, ``throughput`` and ``soak``
    where they were asked for."""
    redirected_from: TransportAddress | None = None
    """The server at the URI's own address, where that sent on to this one (ALTERNATE-SERVER)."""
    capabilities: tuple[Capability, ...] = ()


class NotTested(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the run did not find out, and why: never to be read as no."""

    what: str
    why: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run's report; ``msgspec`` writes its fields in this order."""

    kind: str = "report"
    schema_version: str = SCHEMA_VERSION
    id: str
    tool: Tool = Tool()
    command: str
    options: Options = Options()
    started_at: str
    """UTC, RFC 3339 with milliseconds: ``2026-11-22T16:00:00.000Z``."""
    utc_offset_min: int | None = None
    """So many minutes this computer's local time is ahead of UTC; None where it is not told, as in strict redaction."""
    duration_ms: float
    interrupted: bool = False
    redaction: Redaction = Redaction()
    environment: Environment = Environment()
    verdict: Verdict
    nat: Nats = Nats()
    reach: tuple[Reach, ...] = ()
    candidates: tuple[CandidateRow, ...] = ()
    servers: tuple[ServerRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    audit: tuple[AuditRow, ...] = ()
    """Every check of an audited server, also those that it passed."""
    not_tested: tuple[NotTested, ...] = ()
    evidence: tuple[msgspec.Raw, ...] = ()


class ReportError(ValueError):
    """A file that is no report; the message says why, with the path inside the JSON where there is one."""


_encoder = msgspec.json.Encoder(enc_hook=encode_value)
_reports = msgspec.json.Decoder(Report, dec_hook=decode_value)
_observations = msgspec.json.Decoder(AnyObservation, dec_hook=decode_value)


def raw_evidence(evidence: Evidence) -> tuple[msgspec.Raw, ...]:
    """Return the observations as raw JSON pieces, the form in which a report holds them."""
    return tuple(map(raw_piece, evidence.observations))


def raw_piece(observation: Observation) -> msgspec.Raw:
    """Return one observation as a raw JSON piece."""
    return msgspec.Raw(_encoder.encode(observation))


def evidence_of(report: Report) -> tuple[Evidence, int]:
    """Return the evidence of a report, and how many pieces of it this version does not know."""
    read = tuple(observation_of(piece) for piece in report.evidence)
    known = tuple(item for item in read if item is not None)
    evidence = Evidence(
        started_at_s=started_at_s(report.started_at), environment=report.environment, observations=known
    )
    return evidence, len(read) - len(known)


def started_at_s(text: str) -> float:
    """Return an RFC 3339 time as UNIX seconds, 0.0 where it is none; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def observation_of(piece: msgspec.Raw) -> Observation | None:
    """Return a piece of evidence; None where this version does not know it."""
    try:
        observation: Observation = _observations.decode(piece)
    except msgspec.ValidationError:
        return None
    return observation


def encode(report: Report, *, indent: int = 2) -> bytes:
    """Return the report as JSON, UTF-8, with a final newline; ``indent`` 0 writes one line."""
    # Always formatted: the pieces of evidence come with the line breaks of the file that they were read from.
    return msgspec.json.format(_encoder.encode(report), indent=indent or -1) + b"\n"


def decode(data: bytes) -> Report:
    """Read a report; raise ReportError for what is none, is cut off, or has a newer major version."""
    kind, data = kind_of(data)
    if kind != "report":
        raise ReportError(f"this file is of the kind {kind[:20]!r}, not a report")
    return read(_reports, data)


def kind_of(data: bytes) -> tuple[str, bytes]:
    """Return what kind of file the JSON is, and the JSON; raise ReportError where it is cut off or of a later time."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        # Pieces of evidence stay raw, so that nothing but a look at the whole tells whether they are JSON in UTF-8.
        tree = msgspec.json.decode(data.decode())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReportError(f"not JSON, or cut off: {error}") from None
    fields = tree if isinstance(tree, dict) else {}
    version = fields.get("schema_version", SCHEMA_VERSION)
    major = SCHEMA_VERSION.partition(".")[0]
    if str(version).partition(".")[0] != major:
        raise ReportError(f"schema version {version!r} is not {major}.x")
    return str(fields.get("kind", "report")), data


_Read = TypeVar("_Read")


def read(decoder: msgspec.json.Decoder[_Read], data: bytes, what: str = "report") -> _Read:
    """Read JSON of a known kind; raise ReportError, with the path inside it, where it has not its shape."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ReportError(f"not a {what}: {error}") from None
