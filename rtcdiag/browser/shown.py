"""What the page is told of the result, from the report: words are made here, so that page and report say the same."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rtcdiag.evidence import BrowserView, DataChannel
from rtcdiag.evidence.session import Policy
from rtcdiag.findings import Finding
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
_OUTCOME = {
    "open": "open",
    "dtls-failed": "DTLS failed",
    "dtls-silent": "DTLS was not answered",
    "not-opened": "encrypted, but no channel opened",
}


def own_candidate(sdp: str) -> dict[str, Any]:
    """Return one of this program's candidates as the page lists it."""
    found = parse_candidate(sdp)
    return {"type": found.type, "protocol": found.protocol, "host": found.host, "port": found.port}


def shown(report: Report) -> dict[str, Any]:
    """Return the result for the page."""
    evidence, _ = evidence_of(report)
    end, channels, views = end_of(evidence), evidence.of(DataChannel), evidence.of(BrowserView)
    rows = [] if end is None else [*_reached(end), *_used(views), *_channel(end, channels)]
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


def _used(views: tuple[BrowserView, ...]) -> Iterator[tuple[str, str]]:
    used = [(item.after_ms, f"{item.local_type} to {item.remote_type}") for view in views for item in view.selected]
    if used:
        changes = [f"{now}, seen after {ms(at)}" for (_, before), (at, now) in pairwise(used) if now != before]
        rest = ", then ".join(changes) or f"the same after {ms(used[-1][0])}"
        yield "Used by the browser", f"{used[0][1]}{', then ' if changes else ', '}{rest}"


def _channel(end: End, channels: tuple[DataChannel, ...]) -> Iterator[tuple[str, str]]:
    for item in channels[:1]:
        times = f": DTLS {ms(item.dtls_ms)}, channels {ms(item.open_ms)}" if item.open_ms is not None else ""
        yield "Data channel", _OUTCOME[item.outcome] + times
        if item.received_there is not None:
            yield "Packets to the browser", f"{item.received_there} of {item.sent} arrived"
    for stream in end.streams[:1]:
        yield "Packets from the browser", f"{stream.inward.received} of {stream.inward.sent} arrived"
        if stream.round_trip_ms is not None:
            trips = stream.round_trip_ms
            yield "Round trips", f"{ms(trips.p50)} median, {ms(trips.p95)} 95 %, of {stream.round_trips}"
    for item in channels[:1]:
        yield from _rates(item)


def _rates(item: DataChannel) -> Iterator[tuple[str, str]]:
    each = (("from the browser", item.inward_kbps), ("to the browser", item.outward_kbps))
    told = [f"{kbps / 1000:.1f} Mbit/s {way}" for way, kbps in each if kbps is not None]
    if told:
        yield "Throughput", f"at least {', '.join(told)}; rtcdiag itself may be the limit, not the network"


def _finding(item: Finding) -> dict[str, str]:
    remedy = " ".join(item.remedy.values())
    return {"severity": item.severity, "title": item.title, "meaning": item.meaning, "remedy": remedy}
