"""Whole reports with plausible data; every format is tested on all of them (``REPORTS``)."""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from rtcdiag.address import Family
from rtcdiag.audit.outcome import AuditRow
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.evidence import (
    AllocationTrial,
    AuditAllocation,
    AuditNonce,
    AuditPermission,
    AuditScope,
    AuditSize,
    AuditTls,
    ClockReading,
    ConfigLine,
    Crash,
    DataStop,
    Exchange,
    Failure,
    Hairpin,
    HairpinEnd,
    IceMeeting,
    IceService,
    IdleMapping,
    Inward,
    Observation,
    PeerConnection,
    ProxyTunnel,
    RateStep,
    Redirect,
    RelayedStream,
    SecretShape,
    Sent,
    SizedBinding,
    Skipped,
    Stray,
    TlsTrial,
    TurnConfig,
    Upkeep,
    WebCheck,
)
from rtcdiag.findings import STAGES, Finding, Stage
from rtcdiag.nat import Behavior, Nat
from rtcdiag.report import Nats, NotTested, Options, Redaction, Report, Verdict, evidence_of
from rtcdiag.targets import Transport
from support import findings as known
from support.audit import config
from support.browser_end import browser_end
from support.cases.audit import CASES
from support.evidence import Turn, spread_around, stream
from support.gateway import hop, nat_pmp
from support.nat_model import ModelNat, plain
from support.observations import (
    PUBLIC,
    answer,
    answered,
    at,
    binding,
    target,
)
from support.peer_session import peer_session
from support.plain_reports import (
    candidates,
    check_stun,
    expired_certificate,
    healthy,
    inconclusive,
    symmetric,
    udp_blocked,
    wrong_password,
)
from support.relay_model import RelayProbe
from support.report_parts import (
    AT,
    STUN,
    TURN,
    TURN_AT,
    chain,
    reach,
    report,
    stages,
    stun_row,
    turn_row,
)


def empty() -> Report:
    """As little as a report can hold."""
    return Report(
        id="",
        command="report",
        started_at="",
        duration_ms=0.0,
        verdict=Verdict(status="inconclusive", direct_p2p="not-tested", confidence="low", summary=""),
    )


def crash() -> Report:
    return report(
        "report",
        Verdict(
            status="inconclusive",
            direct_p2p="inconclusive",
            confidence="low",
            summary="A probe of this program crashed; what it would have shown is missing.",
            because=("probe-crashed",),
        ),
        (
            target(STUN[0]),
            Crash(t_ms=12.0, probe="nat_behavior", error="KeyError", where="nat_behavior.py:88"),
            Skipped(t_ms=0.0, what="hairpinning", why="opt-in: --hairpin"),
            binding(STUN[0], AT[0], answered(5.0, AT[0], xor_mapped=at(f"{PUBLIC}:50123")), 5.0, purpose="reach"),
        ),
        findings=(known.CRASHED,),
        servers=(stun_row(0),),
        interrupted=True,
    )


def partly_local() -> Report:
    """Servers outside, and three on this computer: over loopback, over IPv6, and over its own address."""
    dead = stages(("binding",), "binding", "server-udp-refused")
    near = (
        chain("turn:localhost:3478", "127.0.0.1:3478", "udp", stages(("binding",))),
        chain("stun:[::1]:3478", "[::1]:3478", "tcp", dead),
        chain("stun:192.168.1.4", "192.168.1.4:3478", "udp", stages(("binding",))),
    )
    return msgspec.structs.replace(healthy(), servers=(*near, *healthy().servers))


def local() -> Report:
    """Nothing but a server on this computer was asked."""
    mapped = (at("127.0.0.1:50123"),)
    kind: Behavior = "endpoint-independent"
    nat = Nat(behind_nat=False, mapping=kind, filtering=kind, mapped=mapped, local_only=True)
    return msgspec.structs.replace(partly_local(), servers=partly_local().servers[:3], nat=Nats(ipv4=nat))


def crowded(number: int = 10) -> Report:
    """Ten servers, ten findings, more candidates than fit."""
    problems: tuple[Finding, ...] = tuple(known.numbered(n) for n in range(number))
    names: tuple[Stage, ...] = ("dns", *STAGES[STAGES.index("challenge") :])
    rows = tuple(
        chain(str(item.subject), f"198.51.100.{n + 1}:3478", "udp", stages(names, "allocate", item.code))
        for n, item in enumerate(problems)
    )
    return msgspec.structs.replace(
        healthy(),
        verdict=Verdict(
            status="broken",
            direct_p2p="depends-on-peer",
            by_family={"ipv4": "depends-on-peer", "ipv6": "blocked"},
            confidence="medium",
            summary="Ten servers and ten findings, and a summary that needs more room than one line of a terminal has, "
            "because it names all that is wrong at once, which a summary should not, but some day will.",
            because=tuple(item.code for item in problems),
        ),
        servers=rows,
        findings=problems,
        candidates=healthy().candidates * 5,
        not_tested=tuple(NotTested(what=f"thing {n}", why="there was no time for it") for n in range(number)),
    )


def everything() -> Report:
    """Every kind of evidence and every part of a report at once; nothing that a real run would show."""
    stray = Stray(t_ms=6.0, source=at(AT[0]), size_bytes=9, why="not-stun")
    refusal: dict[str, Any] = {
        "success": False,
        "error_code": 420,
        "reason": "no",
        "more_attributes": ("0x8050 3 bytes",),
    }
    answers = (answer(9.0, AT[1], expected_source=False, late=True, **refusal),)
    asked = Sent(method="Binding", transaction_id="00" * 12, size_bytes=36, attributes=("CHANGE-REQUEST port",))
    came: dict[str, Any] = {"request": asked, "answers": answers, "strays": (stray,), "stray_count": 1}
    odd = Exchange(sent_ms=(5.0,), failure=Failure.TIMEOUT, refused_by="192.168.1.1", **came)
    return msgspec.structs.replace(
        report(
            "report",
            healthy().verdict,
            (
                *everything_known(),
                *RelayProbe(ModelNat(), plain(1)).run().evidence.observations,
                Crash(t_ms=12.0, probe="nat_behavior", error="KeyError", where="nat_behavior.py:88"),
                nat_pmp("203.0.113.7", id="", sent_ms=(1.0,), duration_ms=2.5, epoch_s=86400),
                hop("192.168.1.1", 1, id=""),
                Skipped(t_ms=0.0, what="hairpinning", why="opt-in: --hairpin"),
                WebCheck(
                    t_ms=575.0,
                    duration_ms=3.4,
                    url="http://check.example/204",
                    expected_status=204,
                    destination=at("198.51.100.90:80"),
                    local=at("192.168.1.4:50125"),
                    status=302,
                    redirect_host="wifi.example.net",
                ),
                IceService(
                    t_ms=0.0,
                    duration_ms=48.0,
                    url="https://ice.example.net",
                    token=True,
                    outcome="no-list",
                    status=200,
                    problem="$.iceServers[0].urls: the list is empty",
                ),
                ClockReading(t_ms=0.0, host="ice.example.net", role="service", offset_s=-0.3),
                ProxyTunnel(
                    t_ms=580.0,
                    duration_ms=4.5,
                    server="turn:turn.example.org:443?transport=tcp via http://proxy.example.net:3128",
                    proxy="http://proxy.example.net:3128",
                    target="turn.example.org:443",
                    destination=at("192.168.1.8:3128"),
                    local=at("192.168.1.4:50126"),
                    step="request",
                    status=407,
                    schemes=("Basic", "NTLM"),
                ),
                *opt_in(),
                IceMeeting(
                    t_ms=812.0,
                    server=TURN,
                    transport=Transport.UDP,
                    destination=at(TURN_AT),
                    outcome="not-connected",
                    relayed=(at("198.51.100.20:49170"), at("198.51.100.20:49171")),
                    detail="every connectivity check failed",
                ),
                *peer_session(),
                *browser_end(),
                *turn_extras(),
                *measured_relay(),
                tls_trial(),
                *audit(),
                binding(STUN[0], AT[0], odd, 5.0, change="address-and-port", role="alternate-port", purpose="control"),
            ),
            nat=Nats(ipv4=healthy().nat.ipv4, ipv6=Nat(behind_nat=False, firewall=True)),
            reach=reach("yyunnnn"),
            servers=(*healthy().servers, *udp_blocked().servers, turn_row("expired")),
            findings=(known.UDP_BLOCKED, known.CERTIFICATE_EXPIRED, known.SYMMETRIC),
            not_tested=healthy().not_tested,
            audit=(
                AuditRow(
                    server=TURN,
                    check="loopback",
                    asked="127.0.0.1",
                    answer="allowed: 127.0.0.1",
                    verdict="fail",
                    finding="turn-audit-loopback-peers",
                ),
            ),
            options=Options(targets=STUN, flags={"timeout_ms": 2300.0}, thresholds={"rtt_ms": 300}),
            redaction=Redaction(level="share", key_id="k1"),
            interrupted=True,
        ),
        candidates=healthy().candidates,
    )


def measured_relay() -> tuple[Observation, ...]:
    """Return what the experiments that take long see, one of each kind."""
    turn = Turn()
    step = RateStep(offered_kbps=500.0, carried_kbps=480.0, sent=104, received=100, trip_ms=spread_around(50.0))
    streams = (stream(lost=7), stream(size=1200, lost=9), stream("up", lost=3), stream("down", late=2))
    kept = Upkeep(what="permission", done=3, fresh_nonces=1, failed=1, error_code=400, failed_after_s=240.0)
    soak = turn.soak(DataStop(after_s=300.0, receiver="b", resumed_after="permission"), kept)
    return (turn.quality(*streams), turn.throughput(step), soak)


def tls_trial() -> TlsTrial:
    """Return what a handshake with ALPN saw."""
    return TlsTrial(
        t_ms=60.0,
        duration_ms=41.0,
        server="turns:turn.example.com:443?transport=tcp",
        destination=at("198.51.100.20:443"),
        trial="alpn",
        version="TLSv1.3",
        alpn="stun.turn",
        named=True,
    )


def opt_in() -> tuple[Observation, ...]:
    """Return what the opt-in experiments see, one of each kind."""
    known = answered(5.0, AT[0], xor_mapped=at(f"{PUBLIC}:50123"))
    end = HairpinEnd(local=None, before=known, after=known, sent_ms=(40.0,), received=1, sources=(at(f"{PUBLIC}:1"),))
    inward = Inward(port=50123, exchange=Exchange(sent_ms=(99.0,), failure=Failure.TIMEOUT), arrived_ms=(120.0,))
    place: dict[str, Any] = {"server": STUN[0], "destination": at(AT[0]), "interface": "wlan0"}
    idle = IdleMapping(
        t_ms=5.0,
        **place,
        local=None,
        idle_s=16.0,
        before=(known, known),
        aged=inward,
        fresh=inward,
        fresh_before=known,
        after=known,
    )
    sized = SizedBinding(t_ms=5.0, **place, local=None, test="long", packet_bytes=1200, exchange=known)
    return (Hairpin(t_ms=5.0, **place, ends=(end, end)), idle, sized)


def turn_extras() -> tuple[Observation, ...]:
    """Return what only some TURN servers show, one of each kind."""
    common: dict[str, Any] = {"server": TURN, "transport": Transport.UDP, "destination": at(TURN_AT)}
    both: dict[str, Any] = {
        "relayed": at("198.51.100.20:49160"),
        "relayed_also": at("[2001:db8::20]:49160"),
        "family_error": 440,
    }
    granted = answered(5.0, TURN_AT, **both, reservation_token=True, alternate_domain="worker.example.org")
    return (
        Redirect(t_ms=5.0, alternate=at("198.51.100.31:3478"), domain="worker.example.org", **common),
        PeerConnection(t_ms=5.0, step="connect", peer=at("198.51.100.20:49161"), exchange=granted, **common),
        RelayedStream(
            t_ms=5.0,
            peer=at("198.51.100.20:49161"),
            attempt=True,
            sent_bytes=1000,
            out_bytes=1000,
            back_bytes=0,
            **common,
        ),
        AllocationTrial(t_ms=5.0, wishes=("dont-fragment", "both-families"), exchange=granted, **common),
    )


def audited() -> Report:
    """An audit of a server and of its file, both of which fail some checks."""
    evidence = CASES["peers in private networks"].evidence
    file = config("no-auth", "static-auth-secret=north", "denied-peer-ip=10.0.0.0/8")
    evidence = msgspec.structs.replace(evidence, observations=(*evidence.observations, file))
    run = Run(id="a", command="audit-turn", started_at="2026-11-22T16:00:00.000Z", duration_ms=41000.0)
    return diagnose(evidence, run)


def audit() -> tuple[Observation, ...]:
    """Return what an audit sees of one server, one of each kind."""
    place: dict[str, Any] = {"server": TURN, "destination": at(TURN_AT)}
    refused = answered(9.0, TURN_AT, success=False, error_code=403)
    step: dict[str, Any] = {**place, "transport": Transport.UDP, "exchange": refused}
    lines = (
        ConfigLine(number=3, option="external-ip", value="10.0.0.5"),
        ConfigLine(number=7, option="static-auth-secret", secret=SecretShape(length=5, weak="well-known")),
    )
    return (
        AuditScope(t_ms=0.0, server=TURN, has_credentials=True, has_secret=False),
        AuditPermission(t_ms=5.0, **step, relay=Family.IPV4, peer=at("127.0.0.1:9"), channel=16384),
        AuditAllocation(t_ms=6.0, **step, question="tcp-relay"),
        AuditSize(t_ms=7.0, **place, request="Binding", request_bytes=20, answer_bytes=32),
        AuditNonce(t_ms=8.0, **place, sizes_bytes=(16, 16), repeated=False),
        AuditTls(t_ms=9.0, **place, version="TLSv1", outcome="failed", failure=Failure.TIMEOUT),
        TurnConfig(t_ms=0.0, name="turnserver.conf", version="4.6.1", lines=lines),
    )


def everything_known() -> tuple[Observation, ...]:
    kept = [evidence_of(made())[0].observations for made in (healthy, udp_blocked, expired_certificate)]
    return tuple(item for items in kept for item in items)


REPORTS: dict[str, Callable[[], Report]] = {
    "healthy": healthy,
    "symmetric": symmetric,
    "udp-blocked": udp_blocked,
    "wrong-password": wrong_password,
    "expired-certificate": expired_certificate,
    "check-stun": check_stun,
    "candidates": candidates,
    "inconclusive": inconclusive,
    "empty": empty,
    "crash": crash,
    "crowded": crowded,
    "local": local,
    "partly-local": partly_local,
    "audit": audited,
    "everything": everything,
}
REPORTS |= {name: cache(make) for name, make in REPORTS.items()}
"""Each is made once: nobody changes a report."""
