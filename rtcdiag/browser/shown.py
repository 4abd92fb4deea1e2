"""What the page is told of the result, from the report: words are made here, so that page and report say the same."""

from collections.abc import Iterator
from typing import Any

from rtcdiag.evidence.session import Policy
from rtcdiag.findings import Finding
from rtcdiag.formats.tables import browser
from rtcdiag.formats.words import ms
from rtcdiag.report import Report, evidence_of
from rtcdiag.session import Answer, End, end_of
from rtcdiag.signaling.candidate import parse_candidate

MOST_FINDINGS = 20
_POLICY: dict[Policy, str] = {"direct": "Directly", "relay": "Through a relay"}
_ANSWER: dict[Answer, str] = {
    "yes": "yes, checks were answered",
    "no": "no, no check was answered",
    "untested": "not tested: no pair of candidates for it",
    "unfinished": "not known: the session ended before",
}


def own_candidate(sdp: str) -> dict[str, Any]:
    """Return one of this program's candidates as the page lists it."""
    found = parse_candidate(sdp)
    return {"type": found.type, "protocol": found.protocol, "host": found.host, "port": found.port}


def shown(report: Report) -> dict[str, Any]:
    """Return the result for the page."""
    evidence, _ = evidence_of(report)
    end = end_of(evidence)
    rows = [] if end is None else [*_reached(end), *browser.words(evidence)]
    about = [item for item in report.findings if item.code.startswith("browser-")]
    rest = [item for item in report.findings if item not in about and item.code.startswith("session-")]
    rest += [item for item in report.findings if item not in about + rest and item.severity != "info"]
    return {
        "status": report.verdict.status,
        "summary": report.verdict.summary,
        "rows": rows,
        "differences": [_finding(item) for item in about[:MOST_FINDINGS]],
        "findings": [_finding(item) for item in rest[:MOST_FINDINGS]],
    }


def _reached(end: End) -> Iterator[tuple[str, str]]:
    for policy, label in _POLICY.items():
        best = min((pair.rtt_ms for pair in end.of(policy) if pair in end.reached and pair.rtt_ms), default=None)
        trip = f", round trip {ms(best)}" if best is not None else ""
        yield label, _ANSWER[end.answer(policy)] + trip


def _finding(item: Finding) -> dict[str, str]:
    remedy = " ".join(item.remedy.values())
    return {"severity": item.severity, "title": item.title, "meaning": item.meaning, "remedy": remedy}
