"""The other end's report and the own one as one: what a session came to, the same at both ends."""

from uuid import uuid4

from rtcdiag.cli.connecting import Ended
from rtcdiag.cli.redacting import PairRedactor
from rtcdiag.compare import Asked, Comparison, ComparisonError, compare
from rtcdiag.diagnosis import rediagnose
from rtcdiag.report import ReportError, decode


def joined(ended: Ended, redact: PairRedactor) -> Comparison | None:
    """Return what came of the session, of reports that are redacted so.

    None where the other end sent no report, or one that is not of this session.
    """
    if not ended.remote_report:
        return None
    try:
        other = rediagnose(decode(ended.remote_report))[0]
        own, other = redact.two(ended.report, other)
        found = compare(own, other, Asked(id=str(uuid4()), started_at=ended.report.started_at))
    except (ReportError, ComparisonError):
        return None
    return found if found.kind == "connect" else None
