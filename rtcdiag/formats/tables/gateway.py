"""What the default gateway said of itself."""

from rtcdiag.evidence import GatewayQuery
from rtcdiag.formats.words import Tone
from rtcdiag.nat import Nat
from rtcdiag.nat.gateway import PROTOCOLS
from rtcdiag.report import Report, evidence_of

_PROBLEM = {
    "not-understood": "an answer that makes no sense",
    "description-elsewhere": "points to another host, which was not asked",
    "description-unusable": "its description is of no use",
}


def outcome(query: GatewayQuery) -> tuple[str, Tone]:
    """Return what came back, and how good that is."""
    if query.failure is not None:
        return ("no answer" if query.failure == "timeout" else query.failure.value), "muted"
    if query.problem is not None:
        return _PROBLEM[query.problem], "warn"
    if not query.succeeded:
        return f"{query.result_name} (code {query.result})", "warn"
    told = (
        query.device,
        f"IGD {query.version}" if query.protocol == "upnp-igd" and query.version else None,
        f"external address {query.external_address}" if query.external_address else None,
        query.connection_status,
    )
    return ", ".join(filter(None, told)) or "answers", "ok"


def said(report: Report, family: str) -> str:
    """Return in one line which protocols the gateway of a family speaks, and the addresses that it names."""
    evidence, _ = evidence_of(report)
    asked = evidence.of(GatewayQuery, lambda item: item.destination.family == family.lower())
    spoken: dict[str, list[str]] = {}
    for query in asked:
        if query.result is not None and query.result_name != "UNSUPP_VERSION":
            words = spoken.setdefault(PROTOCOLS[query.protocol], [])
            words += [query.external_address] if query.external_address else []
    ordered = [(name, spoken[name]) for name in PROTOCOLS.values() if name in spoken]
    return "; ".join(f"{name} {', '.join(words)}".rstrip() for name, words in ordered)


def gateway_words(report: Report, family: str) -> str:
    """Return what the gateway says and what that makes of the NATs, in one line; empty where it says nothing."""
    told = said(report, family)
    nat = report.nat.ipv4 if family == "IPv4" else report.nat.ipv6
    found = _layers(nat) if nat is not None else ""
    return f"{told}{f' ({found})' if found else ''}" if told else ""


def _layers(nat: Nat) -> str:
    if nat.cgnat:
        return "carrier-grade NAT"
    return {1: "the only NAT", 2: "double NAT"}.get(nat.layers or 0, "")
