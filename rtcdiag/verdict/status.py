"""Whether the question that was asked has its answer, and how sure it is."""

from rtcdiag.findings import Severity
from rtcdiag.nat import Nat
from rtcdiag.report import Confidence, Direct, ServerRow, Status
from rtcdiag.verdict.known import Known


def has_answer(command: str, direct: Direct, known: Known) -> bool:
    """Tell whether the question that a command asks has its answer."""
    match command:
        case "report":
            return direct != "inconclusive"
        case "nat-type":
            told = {behavior for nat in known.families for behavior in (nat.mapping, nat.filtering)}
            return direct != "inconclusive" and told != {"undetermined"}
        case "candidates":
            return known.candidates > 0
        case "audit-turn":
            return _audited(known)
        case _:
            return any(map(_is_settled, known.servers))


_HEART = ("open-relay", "loopback", "this-host", "link-local", "private")
"""The checks without which an audit has not answered its question."""


def _audited(known: Known) -> bool:
    """Tell whether every server that was named told what matters most, and whether anything was judged at all."""
    servers = {row.uri for row in known.servers}
    told = {(row.server, row.check) for row in known.audit if row.verdict != "undetermined"}
    heard = all((server, check) in told for server in servers for check in _HEART)
    return heard and (known.linted or bool(known.audit))


def _is_settled(server: ServerRow) -> bool:
    """Tell whether a server's chain broke, or held up to what the server is for."""
    stages = {row.stage: row for row in server.stages}
    goal = stages.get("data") or stages.get("binding")
    reached = goal is not None and goal.status in ("ok", "warning") and goal.duration_ms is not None
    return reached or any(row.status == "failed" for row in server.stages)


def status_of(known: Known, *, answered: bool) -> Status:
    """Return the status: the worst finding's, unless the question has no answer."""
    severities = {finding.severity for finding in known.findings}
    if Severity.ERROR in severities:
        return "broken"
    if not answered:
        return "inconclusive"
    return "degraded" if Severity.WARNING in severities else "healthy"


def confidence_of(direct: Direct, known: Known) -> Confidence:
    """Return how sure the answer about direct paths is."""
    if direct == "not-tested" or known.udp_blocked:
        return "high"
    classified = [nat for nat in known.families if nat.mapping != "undetermined"]
    if direct == "inconclusive" or not classified or classified[0].filtering == "undetermined":
        return "low"
    # IPv4 where it was classified: that is the family which every peer has.
    return "high" if _is_certain(classified[0]) else "medium"


def _is_certain(nat: Nat) -> bool:
    doubts = [nat.confidence[name].p_wrong for name in ("mapping", "filtering") if name in nat.confidence]
    return bool(doubts) and all(doubt is not None and doubt < 0.001 for doubt in doubts)
