"""The service that hands out the list of ICE servers: without its answer, an application has no servers at all."""

from collections.abc import Iterator

from rtcdiag.evidence import Evidence, IceService
from rtcdiag.findings import Facts, Finding, find
from rtcdiag.rules.paths import UNFINISHED, clip

_TOKEN = (401, 403)
"""Unauthorized and Forbidden (RFC 9110 section 15.5)."""


def service(evidence: Evidence) -> Iterator[Finding]:
    """Say why a service gave no list."""
    for item in evidence.of(IceService):
        code, facts = _told(item)
        if code and item.failure not in UNFINISHED:
            yield find(code, item.id, url=item.url, **facts)


def _told(item: IceService) -> tuple[str, Facts]:
    match item.outcome:
        case "no-answer":
            why = item.failure.value if item.failure else "no answer"
            words = f"{why}, {clip(item.detail)}" if item.detail else why
            by = f" through the proxy {item.proxy}" if item.proxy else ""
            return "ice-service-unreachable", {"why": words, "by": by}
        case "refused":
            sent = "was refused" if item.token else "was not given"
            code = "ice-service-refuses" if item.status in _TOKEN else "ice-service-fails"
            return code, {"status": item.status or 0} | ({"sent": sent} if item.status in _TOKEN else {})
        case "redirected-away":
            return "ice-service-leads-away", {"where": clip(item.problem)}
        case "too-long":
            return "ice-service-list-unusable", {"problem": clip(item.problem) or "longer than 1 MiB"}
        case "no-list":
            return "ice-service-list-unusable", {"problem": clip(item.problem)}
        case "list":
            return "", {}
