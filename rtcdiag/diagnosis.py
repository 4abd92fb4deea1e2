"""From evidence to a report: run every rule, name the first broken stage of each server, draw the verdict."""

import msgspec

from rtcdiag.evidence import Evidence
from rtcdiag.report import Options, Report


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What the report says of the run itself."""

    id: str
    command: str
    options: Options = Options()
    started_at: str
    """UTC, RFC 3339 with milliseconds."""
    duration_ms: float
    interrupted: bool = False


def diagnose(evidence: Evidence, run: Run) -> Report:
    """Return the report on a run: a pure function of what it saw."""
    raise NotImplementedError((evidence, run))
