"""Each observation as one step: when, what, with which server, and how it ended, in a few words."""

from collections.abc import Sequence
from typing import assert_never

import msgspec

from rtcdiag.evidence import (
    AnyObservation,
    AuditAllocation,
    AuditNonce,
    AuditPermission,
    AuditScope,
    AuditSize,
    AuditTls,
    Binding,
    BrowserView,
    Candidate,
    CheckedPair,
    ClockReading,
    Connect,
    Crash,
    DataChannel,
    Evidence,
    Exchange,
    Failure,
    GatewayQuery,
    Gathering,
    Hairpin,
    Hop,
    IceMeeting,
    IceService,
    IdleMapping,
    LearnedCandidate,
    Observation,
    PeerSession,
    PeerStream,
    ProxyTunnel,
    RelayedData,
    RelayQuality,
    RelaySoak,
    RelayThroughput,
    Resolution,
    SizedBinding,
    Skipped,
    Target,
    TlsHandshake,
    TlsTrial,
    TurnConfig,
    TurnStep,
    VantageBinding,
    VantageKnock,
    VantageOpening,
    VantagePoint,
    WebCheck,
)
from rtcdiag.formats.tables import (
    audit_steps,
    gateway,
    link_steps,
    opt_in,
    quality,
    relay_steps,
    session_steps,
    turn_steps,
)
from rtcdiag.formats.tables.outcomes import ended, exchange_outcome
from rtcdiag.formats.words import Tone, count, failure_words, ms
from rtcdiag.nat.gateway import PROTOCOLS


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One observation for readers."""

    id: str
    t_ms: float
    duration_ms: float
    label: str
    lane: str
    """What it belongs to: the server's URI, a host name, or this computer."""
    where: str = ""
    """The address that was asked, or a name."""
    outcome: str
    tone: Tone
    sent_ms: tuple[float, ...] = ()
    """The time of each transmission, where there are any."""


HERE = "this computer"
_Told = tuple[str, str, str, str, Tone]
"""Label, lane, where, outcome, tone."""


def steps(evidence: Evidence) -> tuple[Step, ...]:
    """Return every observation that this version knows as a step, in the order of the report."""
    return tuple(_step(item) for item in evidence.observations)  # type: ignore[arg-type]  # AnyObservation is closed


def stage_words(items: Sequence[Observation]) -> str:
    """Return how a stage ended by what was seen of it: the first that went wrong, else the first."""
    flows = [item for item in items if isinstance(item, RelayedData)]
    if flows:
        return f"{sum(item.received for item in flows)} of {sum(item.sent for item in flows)} datagrams arrived"
    found = [address for item in items if isinstance(item, Resolution) for address in item.addresses]
    if found:
        return ", ".join(dict.fromkeys(found))
    told = [_told(item) for item in items]  # type: ignore[arg-type]  # AnyObservation is closed
    return next((words for *_, words, tone in told if tone == "bad"), told[0][3] if told else "")


def _step(item: AnyObservation) -> Step:
    label, lane, where, outcome, tone = _told(item)
    exchange = _exchange(item)
    return Step(
        id=item.id,
        t_ms=item.t_ms,
        duration_ms=_duration_ms(item),
        label=label,
        lane=lane,
        where=where,
        outcome=outcome,
        tone=tone,
        sent_ms=exchange.sent_ms if exchange else (),
    )


def _exchange(item: AnyObservation) -> Exchange | None:
    exchange = getattr(item, "exchange", None)
    return exchange if isinstance(exchange, Exchange) else None


def _duration_ms(item: AnyObservation) -> float:
    if item.duration_ms is not None:
        return item.duration_ms
    exchange = _exchange(item)
    if exchange is None:
        return 0.0
    ends = [*exchange.sent_ms, *([exchange.answer.t_ms] if exchange.answer else [])]
    return max(0.0, max(ends, default=item.t_ms) - item.t_ms)


def _told(item: AnyObservation) -> _Told:  # noqa: C901, PLR0911, PLR0912 - one line a kind of evidence
    match item:
        case Resolution():
            return (f"DNS {item.family}", item.host, item.host, *_resolved(item))
        case Connect():
            return (
                "TCP connect" if item.purpose == "server" else "TCP control",
                item.server,
                str(item.destination),
                *ended(item.failure, "connected"),
            )
        case ProxyTunnel():
            return link_steps.tunnel(item)
        case TlsHandshake() | TlsTrial():
            return link_steps.encrypted(item)
        case WebCheck():
            return ("Web check", item.url, str(item.destination), *link_steps.web(item))
        case Binding():
            return (_binding_label(item), item.server, str(item.destination), *_binding(item))
        case RelayQuality() | RelayThroughput() | RelaySoak():
            return (quality.label(item), item.server, str(item.destination), *quality.outcome(item))
        case AuditPermission() | AuditAllocation() | AuditScope() | AuditSize() | AuditNonce() | AuditTls():
            return audit_steps.told(item)
        case TurnConfig():
            return audit_steps.told(item)
        case TurnStep():
            return turn_steps.told(item)
        case GatewayQuery() | Hop() | IceMeeting() | PeerSession() | CheckedPair() | LearnedCandidate() | PeerStream():
            return _beside(item)
        case BrowserView() | DataChannel():
            return _beside(item)
        case _:
            return _told_here(item)


def _resolved(item: Resolution) -> tuple[str, Tone]:
    """Return how a name resolved: that it has no address of one family is an answer, and no fault."""
    told, tone = ended(item.failure, ", ".join(item.addresses))
    return told, "muted" if item.failure is Failure.DNS_NO_ADDRESS else tone


def _first(item: IceService | ClockReading) -> _Told:
    if isinstance(item, ClockReading):
        told = "no time" if item.offset_s is None else f"this clock is {item.offset_s:+.1f} s off from it"
        return ("Clock", item.host, item.host, *ended(item.failure, told))
    good = item.outcome == "list"
    told = f"status {item.status}, {count(item.servers, 'URI')}" if item.status else "no status"
    words, tone = ended(item.failure, told, item.detail)
    words += f", {item.problem}" if item.problem else ""
    return ("ICE server list", item.url, item.url, words, tone if good else "bad")


def _agents(item: IceMeeting) -> tuple[str, Tone]:
    if item.outcome == "connected":
        through = " and ".join(map(str, item.relayed))
        return f"connected through {through}", "ok" if item.released else "warn"
    said = {"no-relay": "no relay", "not-connected": "not connected", "no-data": "no data"}[item.outcome]
    why = item.detail or (failure_words(item.failure) if item.failure else "")
    return f"{said}: {why}" if why else said, "bad"


def _beside(item: GatewayQuery | Hop | IceMeeting | session_steps.Kind) -> _Told:
    if isinstance(item, session_steps.Kind):
        label, where, outcome, tone = session_steps.told(item)
        return (label, HERE, where, outcome, tone)
    if isinstance(item, IceMeeting):
        return ("ICE agents", item.server, str(item.destination), *_agents(item))
    if isinstance(item, Hop):
        return (f"Hop {item.ttl or ''}".rstrip(), item.server, str(item.destination), item.router, "muted")
    label = f"Gateway {PROTOCOLS[item.protocol]} {item.question}"
    return (label, HERE, str(item.destination), *gateway.outcome(item))


_Here = Target | Candidate | Gathering | Skipped | Crash | IceService | ClockReading


def _told_here(item: relay_steps.Kind | opt_in.Kind | _Here) -> _Told:  # noqa: PLR0911 - one line a kind of evidence
    match item:
        case VantagePoint() | VantageOpening() | VantageKnock() | VantageBinding():
            return relay_steps.told(item)
        case Hairpin() | IdleMapping() | SizedBinding():
            return (opt_in.label(item), item.server, str(item.destination), *opt_in.outcome(item))
        case Target():
            return ("Asked for", item.server, item.host, f"{item.protocol}, port {item.port}, {item.transport}", "")
        case Candidate():
            return (f"Candidate {item.type}", item.server or HERE, str(item.address), item.sdp, "ok")
        case Gathering():
            good = count(item.candidates, "candidate")
            return ("Gathering", item.server or HERE, "", *ended(item.failure, good, item.detail))
        case Skipped():
            return ("Not tested", HERE, item.what, item.why, "muted")
        case IceService() | ClockReading():
            return _first(item)
        case Crash():
            return ("Crash", HERE, item.probe, f"{item.error} at {item.where}", "bad")
        case _:
            assert_never(item)


def _binding_label(item: Binding) -> str:
    where = "" if item.role == "primary" else item.role
    change = "" if item.change == "none" else f"change {item.change}"
    transport = "" if item.transport == "udp" else item.transport
    return ", ".join(filter(None, (f"Binding {item.purpose}", transport, where, change)))


def _binding(item: Binding) -> tuple[str, Tone]:
    outcome, tone = exchange_outcome(item.exchange)
    silence_is_an_answer = item.purpose == "filtering" and item.exchange.answer is None
    rtt = f", {ms(item.exchange.rtt_ms)}" if item.exchange.rtt_ms is not None else ""
    return outcome + rtt, "muted" if silence_is_an_answer else tone
