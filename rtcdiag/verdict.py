"""The verdict: one status, one answer about direct peer-to-peer, one sentence, and what would change it."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from rtcdiag.address import Family
from rtcdiag.audit.outcome import AuditRow, CheckVerdict
from rtcdiag.findings import Finding, Severity
from rtcdiag.nat import Nat
from rtcdiag.report import Change, Confidence, Direct, Nats, ServerRow, Status, Verdict
from rtcdiag.traversal import (
    PEERS,
    DirectHere,
    PeerKind,
    Reach,
    Reachable,
    direct_over_families,
    direct_verdict,
    reach_rows,
)

UDP_BLOCKED = ("udp-blocked", "udp-blocked-relay-works")
"""The codes that prove that no UDP gets through."""
IPV6_BLOCKED = ("no-answer-over-ipv6", "udp-blocked-over-ipv6")
"""The codes that prove it of IPv6, while IPv4 works."""
_PEER_WORDS: dict[PeerKind, str] = {
    "open": "public hosts",
    "full-cone": "full-cone NATs",
    "address-restricted": "address-restricted NATs",
    "port-restricted": "port-restricted NATs (most home routers)",
    "symmetric": "symmetric NATs",
    "firewalled": "public hosts behind a firewall",
    "udp-blocked": "networks without UDP",
}
ONLY_AMONG_RELAYS = ("turn-relay-address-unreachable", "turn-relay-ports-unreachable")
"""Data went from one relayed address to another, which stay inside the server's host, and not to this computer."""
NAT_COMMANDS = ("report", "nat-type", "connect")
"""The commands that ask about the NAT; the others have no such section."""


_FIXED: dict[Direct, str] = {
    "confirmed": "A direct connection worked.",
    "likely": "Direct connections should work with every kind of peer that has UDP.",
    "relay-needed": "No direct connection is possible from here; calls go through a relay, and one was proven to work.",
    "blocked": "Calls fail from here: no direct connection is possible, and no relay that was asked works.",
}


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was concluded so far: all that a verdict is drawn from."""

    nats: Nats = Nats()
    servers: tuple[ServerRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Most important first."""
    candidates: int = 0
    audit: tuple[AuditRow, ...] = ()
    linted: bool = False
    """Whether a configuration file was judged."""

    @property
    def udp_blocked(self) -> bool:
        """Whether it was proven that no UDP gets through."""
        return any(finding.code in UDP_BLOCKED for finding in self.findings)

    @property
    def ipv6_blocked(self) -> bool:
        """Whether it was proven that no UDP gets through over IPv6."""
        return self.udp_blocked or any(finding.code in IPV6_BLOCKED for finding in self.findings)

    @property
    def reach(self) -> tuple[Reach, ...]:
        """Whom this host reaches directly, over all families."""
        return reach_rows(self.nats.ipv4, self.nats.ipv6, udp_blocked=self.udp_blocked)

    @property
    def families(self) -> tuple[Nat, ...]:
        """The NATs of the families that were asked."""
        return tuple(nat for nat in (self.nats.ipv4, self.nats.ipv6) if nat is not None)


def verdict_of(command: str, known: Known) -> Verdict:
    """Draw the verdict of a command."""
    about_nat = command in NAT_COMMANDS
    direct = _direct(known) if about_nat else "not-tested"
    status = _status(known, answered=_answered(command, direct, known))
    return Verdict(
        status=status,
        direct_p2p=direct,
        by_family=dict(_by_family(known)) if about_nat else {},
        confidence="low" if status == "inconclusive" else _confidence(direct, known),
        summary=_summary(direct, known),
        because=tuple(dict.fromkeys(finding.code for finding in known.findings)),
        would_change_if=tuple(_changes(direct, known)) if about_nat else (),
    )


def _by_family(known: Known) -> Iterator[tuple[str, Direct]]:
    nats = known.nats
    for family, only in ((Family.IPV4, Nats(ipv4=nats.ipv4)), (Family.IPV6, Nats(ipv6=nats.ipv6))):
        yield family.value, "not-tested" if only == Nats() else _in_family(family, replace(known, nats=only))


def _in_family(family: Family, known: Known) -> Direct:
    """Say what one family promises; one that is proven to be closed, while the other works, is blocked."""
    direct = _direct(known)
    closed = family is Family.IPV6 and known.ipv6_blocked and not known.udp_blocked
    return "blocked" if closed and direct == "inconclusive" else direct


def _direct(known: Known) -> Direct:
    match _direct_here(known):
        case "none-direct":
            return _relay(known.servers)
        case "not-tested":
            return "inconclusive"
        case direct:
            return direct


def _direct_here(known: Known) -> DirectHere:
    if known.udp_blocked:
        return "none-direct"
    ipv6 = direct_verdict(known.nats.ipv6, udp_blocked=known.ipv6_blocked)
    return direct_over_families(direct_verdict(known.nats.ipv4), ipv6)


def _relay(servers: tuple[ServerRow, ...]) -> Direct:
    """Say what is left where no direct path is possible."""
    data = [(row, relays(server)) for server in servers for row in server.stages if row.stage == "data"]
    tried = {proven for row, proven in data if proven != "unknown" or row.status != "not-tested"}
    if "yes" in tried:
        return "relay-needed"
    return "blocked" if tried == {"no"} else "inconclusive"


def relays(server: ServerRow) -> Reachable:
    """Return whether data went through a TURN server's relay to somebody else than its like."""
    data = next((row for row in server.stages if row.stage == "data"), None)
    if data is not None and data.finding in ONLY_AMONG_RELAYS:
        return "unknown"
    if data is not None and data.status in ("ok", "warning"):
        return "yes"
    return "no" if "failed" in (server.status, *(row.status for row in server.stages)) else "unknown"


def _answered(command: str, direct: Direct, known: Known) -> bool:
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


def _status(known: Known, *, answered: bool) -> Status:
    severities = {finding.severity for finding in known.findings}
    if Severity.ERROR in severities:
        return "broken"
    if not answered:
        return "inconclusive"
    return "degraded" if Severity.WARNING in severities else "healthy"


def _confidence(direct: Direct, known: Known) -> Confidence:
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


def _summary(direct: Direct, known: Known) -> str:
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
    if _direct_here(known) == "none-direct":
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


def _changes(direct: Direct, known: Known) -> Iterator[Change]:
    """Name the changes that flip the verdict, each tried on the model before it is promised."""
    if known.udp_blocked:
        yield Change(side="here", change="let UDP out of this network, and its answers in", then="depends-on-peer")
    elif direct not in ("likely", "confirmed", "inconclusive"):
        for change, nats in _improvements(known.nats):
            then = _direct(replace(known, nats=nats))
            if then != direct and then in ("likely", "depends-on-peer"):
                yield Change(side="here", change=change, then=then)
    if direct == "blocked":
        yield Change(side="server", change="a TURN server that works from here", then="relay-needed")


def _improvements(nats: Nats) -> Iterator[tuple[str, Nats]]:
    for name, nat in (("ipv4", nats.ipv4), ("ipv6", nats.ipv6)):
        if nat is None:
            continue
        if nat.mapping in ("address-dependent", "address-and-port-dependent") and not nat.cgnat:
            better = replace(nat, mapping="endpoint-independent")
            yield (
                "make the NAT keep one public port per local port (endpoint-independent mapping)",
                replace(nats, **{name: better}),
            )
        if nat.filtering in ("address-dependent", "address-and-port-dependent"):
            better = replace(nat, mapping="endpoint-independent", filtering="endpoint-independent", firewall=False)
            yield opened_port(nat), replace(nats, **{name: better})


def opened_port(nat: Nat) -> str:
    """Say how packets from anywhere get to this computer: in a NAT of the provider nobody opens a port."""
    if nat.cgnat:
        return "get a public address from the provider in place of its NAT, and open a port to this computer"
    if nat.layers is not None and nat.layers > 1:
        return "open a port to this computer in each of the NATs in a row"
    return "open a port to this computer (port mapping by UPnP, PCP or hand)"
