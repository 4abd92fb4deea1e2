"""Reports of a network that nobody may recognize: real-looking addresses and names in every place that has one."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.evidence import Evidence, PeerSession, TurnConfig
from rtcdiag.report import Options, Report, decode, encode, evidence_of
from support.reports import REPORTS

REAL = {"203.0.113.": "81.2.69.", "198.51.100.": "45.33.7.", "2001:db8": "2a01:4f8"}
"""Ranges of the internet in place of the documentation ranges of the tests."""
NETWORKS = ("81.2.69.", "45.33.7.", "2a01:4f8", "81-2-69-", "45-33-7-")
CANARY_IP, CANARY_IP6, CANARY_NAME = "81.2.69.77", "2a01:4f8:c0c:77::7", "canary.acme-corp.de"
CANARY = f"{CANARY_IP} [{CANARY_IP6}]:77 {CANARY_NAME} turn:ec2-81-2-69-77.acme-corp.de:3478 {CANARY_IP}.nip.io wlan0"


def real(report: Report) -> Report:
    """Return the report with public addresses in place of documentation ones; its conclusions may not fit them."""
    text = encode(report).decode()
    for documentation, public in REAL.items():
        text = text.replace(documentation, public)
    return decode(text.encode())


@cache
def exposed() -> Report:
    """Return a report of every kind of evidence, with a canary in every text that may be any."""
    report = real(REPORTS["everything"]())
    evidence, _ = evidence_of(report)
    observations = [_with_canaries(item) for item in evidence.observations]
    run = Run(
        id="6f1c2a52-2f3d-4a55-9c61-1f6f6b7e6f10",
        command="report",
        options=Options(
            targets=("turn:turn.acme-corp.de", f"stun:{CANARY_IP}"),
            flags={"interface": "wlan0", "server_name": CANARY_NAME, "later": CANARY, "bind": CANARY_IP6},
            thresholds={"later": [CANARY]},
        ),
        started_at="2026-11-22T16:00:00.000Z",
        duration_ms=1000.0,
    )
    return diagnose(Evidence(started_at_s=0.0, environment=report.environment, observations=tuple(observations)), run)


@cache
def other_person() -> Report:
    """Return the same of somebody else, who was in no session."""
    evidence, _ = evidence_of(exposed())
    kept = msgspec.structs.replace(
        evidence, observations=tuple(item for item in evidence.observations if not isinstance(item, PeerSession))
    )
    run = Run(id="other", command="report", started_at="2026-11-22T16:05:00.000Z", duration_ms=1000.0)
    return diagnose(kept, run)


_ANY = frozenset(
    {
        *("detail", "reason", "software", "realm", "problem", "problems", "more_attributes", "attributes", "why"),
        *("device", "result_name", "names", "subject", "issuer", "proxy", "target", "url", "redirect_host", "host"),
        *("alternate_domain", "domain", "connection_status", "refused_by", "sdp", "foundation", "ignored_query"),
    }
)


def _with_canaries(item: Any) -> Any:
    if isinstance(item, TurnConfig):
        return item
    tree = msgspec.json.decode(msgspec.json.encode(item, enc_hook=str))
    return msgspec.convert(_put(tree, ""), type(item), dec_hook=_address)


def _address(kind: Any, value: Any) -> Any:
    return kind.parse(value)


def _put(node: Any, name: str) -> Any:
    if isinstance(node, dict):
        return {key: _put(child, key) for key, child in node.items()}
    if isinstance(node, list):
        return [_put(child, name) for child in node] + ([CANARY] if name in _ANY and name.endswith("s") else [])
    if name == "why" and node in ("duplicate", "not-stun"):
        return node
    return f"{node} {CANARY}" if isinstance(node, str) and name in _ANY else node


def leaks(text: str, *, names: bool) -> Iterator[str]:
    """Yield what a redacted text still tells."""
    told = (*NETWORKS, *(("acme-corp", "example.org", "example.net", "wlan0") if names else ()))
    for word in told:
        at = text.find(word)
        if at >= 0:
            yield text[max(0, at - 60) : at + 60]
