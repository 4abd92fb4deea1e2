"""The verdict in one sentence."""

from rtcdiag.audit.outcome import CheckVerdict
from rtcdiag.findings import Severity
from rtcdiag.report import Direct
from rtcdiag.traversal import PEERS, PeerKind, Reach, reach_rows
from rtcdiag.verdict.direct import direct_here
from rtcdiag.verdict.known import Known

_PEER_WORDS: dict[PeerKind, str] = {
    "open": "public hosts",
    "full-cone": "full-cone NATs",
    "address-restricted": "address-restricted NATs",
    "port-restricted": "port-restricted NATs (most home routers)",
    "symmetric": "symmetric NATs",
    "firewalled": "public hosts behind a firewall",
    "udp-blocked": "networks without UDP",
}
_FIXED: dict[Direct, str] = {
    "confirmed": "A direct connection worked.",
    "likely": "Direct connections should work with every kind of peer that has UDP.",
    "relay-needed": "No direct connection is possible from here; calls go through a relay, and one was proven to work.",
    "blocked": "Calls fail from here: no direct connection is possible, and no relay that was asked works.",
}


def summary_of(direct: Direct, known: Known) -> str:
    """Say the verdict in one sentence."""
    match direct:
        case "depends-on-peer":
            return _reach_sentence(known.reach) + _over_ipv6(known)
        case "inconclusive":
            return _why_inconclusive(known)
        case "not-tested":
            return _audit_sentence(known) or _server_sentence(known)
        case _:
            return _FIXED[direct]


def _reach_sentence(rows: tuple[Reach, ...]) -> str:
    words = {
        answer: ", ".join(_PEER_WORDS[row.peer] for row in rows if row.direct == answer and PEERS[row.peer].udp)
        for answer in ("yes", "no", "unknown")
    }
    sentence = f"Direct with {words['yes']}"
    if words["no"]:
        sentence += f"; not with {words['no']}"
    if words["unknown"]:
        sentence += f"; not known with {words['unknown']}"
    return sentence + "."


def _over_ipv6(known: Known) -> str:
    """Say where IPv6 helps: both sides' firewalls open to what both send, however IPv4 is translated."""
    ipv4, ipv6 = known.nats.ipv4, known.nats.ipv6
    if ipv4 is None or ipv6 is None or known.ipv6_blocked:
        return ""
    here, there = ({row.peer: row.direct for row in reach_rows(nat, None)} for nat in (ipv4, ipv6))
    helps = there.get("firewalled") == "yes" and here.get("firewalled") != "yes"
    return " Peers that have IPv6 too are reached directly over it." if helps else ""


def _why_inconclusive(known: Known) -> str:
    worst = next((finding for finding in known.findings if finding.severity is Severity.ERROR), None)
    if direct_here(known) == "none-direct":
        cause = worst.title.rstrip(".") if worst is not None else "No direct connection is possible from here"
        return f"{cause}; whether a relay works for calls is not known."
    if worst is not None:
        return f"{worst.title.rstrip('.')}; whether direct connections work could not be tested."
    if known.families and all(nat.local_only for nat in known.families):
        return "No server outside this computer was asked, so nothing is known about the network outside."
    reasons = dict.fromkeys(nat.undetermined["mapping"] for nat in known.families if "mapping" in nat.undetermined)
    return f"Not enough answers to tell: {'; '.join(reasons) or 'no server was asked over UDP'}."


def _server_sentence(known: Known) -> str:
    worst = next((finding for finding in known.findings if finding.severity is not Severity.INFO), None)
    if worst is not None:
        return worst.title.rstrip(".") + "."
    if not known.servers:
        return f"{known.candidates} candidates were gathered."
    tested = [server.status for server in known.servers if server.status != "not-tested"]
    return f"{tested.count('ok')} of {len(tested)} tested paths to servers work."


def _audit_sentence(known: Known) -> str:
    """Count the checks of an audit, the worst finding first; nothing for other commands."""
    if not known.audit and not known.linted:
        return ""
    verdicts = [row.verdict for row in known.audit]
    counts = [f"{verdicts.count(name)} {words}" for name, words in _CHECKS.items() if name in verdicts]
    checked = f"{len(verdicts)} checks: {', '.join(counts)}." if counts else ""
    file = [finding for finding in known.findings if finding.code.startswith("turn-config-")]
    read = f"The configuration has {len(file)} finding{'s' if len(file) != 1 else ''}." if known.linted else ""
    worst = next((finding for finding in known.findings if finding.severity is not Severity.INFO), None)
    first = f"{worst.title.rstrip('.')}." if worst is not None else ""
    return " ".join(filter(None, (first, checked, read)))


_CHECKS: dict[CheckVerdict, str] = {"pass": "passed", "fail": "failed", "undetermined": "not known"}
