"""What a report concludes, without any address or name: equal for a report and for itself redacted."""

from typing import Any

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.nat import Nat
from rtcdiag.report import Report


def conclusions(report: Report) -> dict[str, Any]:
    """Return all that redaction must not change."""
    verdict = report.verdict
    return {
        "verdict": [verdict.status, verdict.direct_p2p, verdict.by_family, verdict.confidence, verdict.because],
        "changes": [(item.side, item.then) for item in verdict.would_change_if],
        "nat": [_nat(report.nat.ipv4), _nat(report.nat.ipv6)],
        "reach": [(item.peer, item.direct) for item in report.reach],
        "candidates": [
            (item.type, item.address.family, item.address.scope, item.priority) for item in report.candidates
        ],
        "findings": [
            (item.code, item.severity, item.stage, item.evidence, sorted(item.facts), bool(item.subject))
            for item in report.findings
        ],
        "servers": [(item.status, item.transport, item.stages) for item in report.servers],
        "capabilities": [(each.name, each.answer) for item in report.servers for each in item.capabilities],
        "audit": [(item.check, item.verdict, item.finding) for item in report.audit],
        "not_tested": len(report.not_tested),
        "interrupted": report.interrupted,
        "evidence": len(report.evidence),
    }


def _nat(nat: Nat | None) -> Any:
    if nat is None:
        return None
    told = {name: value for name, value in msgspec.structs.asdict(nat).items() if name not in _WORDS}
    return {name: _shape(value) for name, value in told.items()} | {
        "undetermined": sorted(nat.undetermined),
        "distrusted": len(nat.distrusted),
        "mapped": [(address.port, address.scope, address.family) for address in nat.mapped],
        "other_ways": len(nat.other_ways),
    }


_WORDS = ("undetermined", "distrusted", "mapped", "other_ways", "address", "interface", "nat64_prefix", "inferred")


def _shape(value: Any) -> Any:
    return (value.port, value.scope) if isinstance(value, TransportAddress) else value
