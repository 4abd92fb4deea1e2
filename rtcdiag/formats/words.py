"""The words of the formats: fixed vocabulary to what a reader knows, the familiar NAT names included."""

from datetime import datetime, timedelta
from typing import Literal

from rtcdiag.address import Family, Scope
from rtcdiag.evidence.session import Policy, SignalingKind
from rtcdiag.findings import Role, Severity
from rtcdiag.nat import Nat, familiar_name
from rtcdiag.report import Direct, Level, Report, StageStatus, Status
from rtcdiag.traversal import PeerKind, Reachable

Tone = Literal["", "ok", "warn", "bad", "info", "muted"]
"""How a word is colored. Color never stands alone: the word itself says the same."""
Side = Literal["here", "peer", "server", "a", "b"]
_DAY_MIN = 24 * 60

DIRECT: dict[Direct, str] = {
    "confirmed": "confirmed",
    "likely": "likely",
    "depends-on-peer": "depends on peer",
    "relay-needed": "relay needed",
    "blocked": "blocked",
    "inconclusive": "inconclusive",
    "not-tested": "not tested",
}
MEANING: dict[Direct, str] = {
    "confirmed": "A direct connection worked.",
    "likely": "Direct connections should work with every peer that has UDP.",
    "depends-on-peer": "Direct works unless the other side is also restrictive.",
    "relay-needed": "Expect calls to go through a TURN relay. That is slower, not broken.",
    "blocked": "Calls will fail on this network.",
    "inconclusive": "Not enough answers to tell.",
    "not-tested": "Whether a direct connection is possible was not the question.",
}
DIRECT_TONE: dict[Direct, Tone] = {
    "confirmed": "ok",
    "likely": "ok",
    "depends-on-peer": "info",
    "relay-needed": "warn",
    "blocked": "bad",
    "inconclusive": "muted",
    "not-tested": "muted",
}
STATUS_TONE: dict[Status, Tone] = {"healthy": "ok", "degraded": "warn", "broken": "bad", "inconclusive": "muted"}
STAGE_WORD: dict[StageStatus, str] = {"ok": "ok", "warning": "warning", "failed": "FAIL", "not-tested": "not tested"}
STAGE_TONE: dict[StageStatus, Tone] = {"ok": "ok", "warning": "warn", "failed": "bad", "not-tested": "muted"}
SEVERITY_TONE: dict[Severity, Tone] = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.INFO: "info"}
REACH_TONE: dict[Reachable, Tone] = {"yes": "ok", "no": "bad", "unknown": "muted"}
SYMBOL: dict[Tone, str] = {"": " ", "ok": "✓", "warn": "!", "bad": "✗", "info": "i", "muted": "?"}
ASCII_SYMBOL: dict[Tone, str] = {"": " ", "ok": "+", "warn": "!", "bad": "x", "info": "i", "muted": "?"}

SIDE: dict[Side, str] = {"here": "here", "peer": "at the peer", "server": "at the server", "a": "at A", "b": "at B"}
"""Where a change has to be made that flips the verdict."""
POLICY: dict[Policy, str] = {"all": "everything", "direct": "direct only", "relay": "relay only"}
SIGNALING: dict[SignalingKind, str] = {
    "copied-text": "copied text",
    "sse": "SSE and POST",
    "websocket": "WebSocket",
    "browser": "the page of a browser",
}
ROLE: dict[Role, str] = {
    "you": "you",
    "network_admin": "network admin",
    "server_operator": "server operator",
    "developer": "developer",
}
PEER: dict[PeerKind, str] = {
    "open": "public address, no firewall",
    "full-cone": "endpoint-independent filtering (full cone)",
    "address-restricted": "address-dependent filtering (address-restricted cone)",
    "port-restricted": "address-and-port-dependent filtering (port-restricted cone)",
    "symmetric": "address-dependent mapping (symmetric NAT)",
    "firewalled": "public address behind a stateful firewall",
    "udp-blocked": "no UDP at all",
}
PEER_SHORT: dict[PeerKind, str] = {
    "open": "public addresses",
    "full-cone": "full cone",
    "address-restricted": "address-restricted cone",
    "port-restricted": "port-restricted cone",
    "symmetric": "symmetric NAT",
    "firewalled": "firewalled public addresses",
    "udp-blocked": "UDP-blocked networks",
}
_ACRONYMS = frozenset({"dns", "tls", "stun", "os"})
_SUBJECTS = {
    "check-stun": "STUN",
    "check-turn": "TURN",
    "candidates": "Candidates",
    "audit-turn": "Audit",
    "connect": "Session",
}


def when(started_at: str) -> str:
    """Return a time of the JSON, RFC 3339 in UTC, as people read it: to the second."""
    date, _, time = started_at.partition("T")
    return f"{date} {time.removesuffix('Z').partition('.')[0]} UTC" if time.endswith("Z") else started_at


def local_time(started_at: str, offset_min: int | None) -> str:
    """Return what the clock on the wall showed, with the date where that is another one; empty where it was UTC."""
    if not offset_min or abs(offset_min) >= _DAY_MIN:
        return ""
    try:
        at = datetime.fromisoformat(started_at)
        there = at + timedelta(minutes=offset_min)
    except (ValueError, OverflowError):
        return ""
    return f"{there:%H:%M}" if there.date() == at.date() else f"{there:%Y-%m-%d %H:%M}"


def headline(report: Report) -> tuple[str, str, Tone]:
    """Return the question in two words, the answer in capitals, and its tone.

    A command that does not ask about direct connections is answered with the status of what it did ask about.
    """
    verdict = report.verdict
    if verdict.direct_p2p == "not-tested":
        return _SUBJECTS.get(report.command, "Servers"), verdict.status.upper(), STATUS_TONE[verdict.status]
    tone = "bad" if verdict.status == "broken" else DIRECT_TONE[verdict.direct_p2p]
    return "Direct P2P", DIRECT[verdict.direct_p2p].upper(), tone


def familiar(nat: Nat) -> str | None:
    """Return the name that people know for a NAT's behavior, None where there is none to give.

    Where only servers nearby were asked, "no NAT" would be said of a way outside that nobody tried.
    """
    if nat.local_only and not nat.behind_nat:
        own = all(address.scope is Scope.LOOPBACK for address in nat.mapped)
        return "this computer only" if own else "local network only"
    named = _named(nat)
    return ", ".join(filter(None, (named, _translation(nat)))) or None


def _named(nat: Nat) -> str | None:
    if nat.behind_nat is False:
        return {True: "no NAT, firewall", False: "no NAT, no firewall", None: "no NAT"}[nat.firewall]
    cone = "some kind of cone" if nat.behind_nat and nat.mapping == "endpoint-independent" else None
    return familiar_name(nat) or cone


def _translation(nat: Nat) -> str | None:
    """Name what is special about a NAT that has to do with IPv6."""
    if nat.nat64:
        return "NAT64"
    if nat.behind_nat and nat.mapped and nat.mapped[0].family is Family.IPV6:
        return {True: "prefix translation", False: "NAT66", None: "IPv6 translated"}[nat.prefix_translation]
    return None


def failure_words(failure: str) -> str:
    """Return a word of ``evidence.Failure`` as a reader would say it."""
    if failure.startswith("not-stun-"):
        return f"{failure.removeprefix('not-stun-').upper()}, not STUN"
    if failure == "not-http":
        return "not HTTP"
    return " ".join(word.upper() if word in _ACRONYMS else word for word in failure.split("-"))


def ms(value: float | None) -> str:
    """Return milliseconds for people: ``4.2 ms``, ``23 ms``, ``2.3 s``; nothing where there is no value."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.1f} ms"
    return f"{value:.0f} ms" if value < 1000 else f"{min(value, 9.9e8) / 1000:.1f} s"


def redaction(level: Level) -> str:
    """Return how far a report is redacted."""
    return "not redacted" if level == "none" else f"redacted: {level}"


def missing(report: Report, unknown: int) -> str:
    """Return what is said of evidence that this version does not know; nothing where it knows all."""
    if report.redaction.withheld:
        return f"{count(report.redaction.withheld, 'piece')} of evidence were left out when the report was redacted"
    return f"{count(unknown, 'piece')} of evidence come from a newer version and are not understood" if unknown else ""


def yes_no(value: bool | None) -> str:
    """Return a three-valued answer; None is never no."""
    return {True: "yes", False: "no", None: "not known"}[value]


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 server``, ``3 servers``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
