"""What the default gateway said of itself."""

from rtcdiag.evidence import GatewayQuery
from rtcdiag.formats.words import Tone
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
    return "; ".join(f"{name} {', '.join(words)}".rstrip() for name, words in spoken.items())


def gateway_words(report: Report, family: str) -> str:
    """Return how many NATs there are and what the gateway says, in one line; empty where it says nothing."""
    told = said(report, family)
    nat = report.nat.ipv4 if family == "IPv4" else report.nat.ipv6
    layers = {0: "no NAT", 1: "one NAT", 2: "two NATs or more"}
    count = layers.get(nat.layers, "") if nat is not None and nat.layers is not None else ""
    return f"gateway {told}{f': {count}' if count else ''}" if told else ""
