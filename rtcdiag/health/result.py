"""What a health check found: of one target, and of all of them; the JSON promise of ``rtcdiag health``."""

from collections.abc import Iterator
from typing import Literal, Protocol

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.demands import Depth
from rtcdiag.evidence import Environment, decode_value, encode_value
from rtcdiag.findings import Finding
from rtcdiag.report import SCHEMA_VERSION, NotTested, Options, Redaction, StageRow, Tool, Verdict, read

HealthStatus = Literal["ok", "warning", "failed", "not-tested", "skipped"]
"""``not-tested``: there is no answer, and there should be one; ``skipped``: none is due, as without IPv6 here."""
Met = Literal["yes", "no", "unknown"]


class HealthPath(msgspec.Struct, frozen=True, kw_only=True):
    """One address of a target."""

    address: TransportAddress | None
    """None where the name gave none."""
    transport: str
    family: Family | None
    status: HealthStatus
    finding: str | None = None
    """The code that owns the status, where it is not ok."""
    why: str | None = None
    """Why it was not tested or skipped."""
    figures: dict[str, float] = {}
    """What was measured, in the unit of the name: ``allocate_ms``, ``rtt_ms``, ``certificate_days``, …"""
    stages: tuple[StageRow, ...] = ()


class HealthResult(msgspec.Struct, frozen=True, kw_only=True):
    """One target: a line of JSON Lines, and an entry of ``targets``."""

    kind: str = "health-target"
    schema_version: str = SCHEMA_VERSION
    name: str
    uri: str
    critical: bool = True
    depth: Depth
    status: HealthStatus
    finding: str | None = None
    """The code that owns the status, where it is not ok."""
    summary: str
    """One sentence."""
    started_at: str
    """UTC, RFC 3339 with milliseconds: when the last try began."""
    duration_ms: float
    """How long the last try took."""
    redaction: Redaction = Redaction()
    late_ms: float = 0.0
    """How late this computer was meanwhile, in sum: what took so much longer is not held against the target."""
    attempts: int = 1
    flaky: bool = False
    """Whether it passed only after it had failed in the same run."""
    where: str = "$"
    """Its place in the configuration."""
    line: int | None = None
    certificate_expires_at: float | None = None
    """UNIX seconds; of several addresses, the first to expire."""
    credentials_expire_at: float | None = None
    """UNIX seconds; None where they do not, or were made for this check alone."""
    paths: tuple[HealthPath, ...] = ()
    findings: tuple[Finding, ...] = ()
    not_tested: tuple[NotTested, ...] = ()
    evidence: tuple[msgspec.Raw, ...] = ()

    @property
    def counts_as(self) -> HealthStatus:
        """The status as the run counts it: the failure of what is not critical is worth a warning."""
        return "warning" if self.status == "failed" and not self.critical else self.status


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """How many servers have to work, and whether they do."""

    servers: Literal["all", "any"] | int
    met: Met


class HealthSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run, without its targets."""

    kind: str = "health"
    schema_version: str = SCHEMA_VERSION
    id: str
    tool: Tool = Tool()
    command: str = "health"
    options: Options = Options()
    started_at: str
    duration_ms: float
    interrupted: bool = False
    redaction: Redaction = Redaction()
    environment: Environment = Environment()
    verdict: Verdict
    requirement: Requirement
    counts: dict[HealthStatus, int]
    """By status, targets that are not critical as what they are."""
    warnings: int
    """How many count as a warning: with failures of what is not critical."""
    failures: int
    """How many critical targets failed."""


encoder = msgspec.json.Encoder(enc_hook=encode_value)
decoder = msgspec.json.Decoder(HealthResult, dec_hook=decode_value)


class Results(Protocol):
    """All results of a run, from the start as often as they are asked for."""

    def __iter__(self) -> Iterator[HealthResult]:
        """Yield each result once."""
        ...


class Round(msgspec.Struct, frozen=True):
    """A whole run: its summary, and its targets as they are read one after the other."""

    summary: HealthSummary
    results: Results


class _Document(HealthSummary, frozen=True, kw_only=True):
    """A whole run as its JSON has it."""

    targets: tuple[HealthResult, ...]


_documents = msgspec.json.Decoder(_Document, dec_hook=decode_value)


def decode(data: bytes) -> Round:
    """Read the JSON of a whole run; raise ReportError where it is none."""
    found = read(_documents, data, "health check")
    summary = HealthSummary(**{name: getattr(found, name) for name in HealthSummary.__struct_fields__})
    return Round(summary, found.targets)
