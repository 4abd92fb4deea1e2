"""The table of exit codes, and what meets a requirement."""

from typing import Any, cast

import msgspec
import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.cli.exits import exit_code, session_exit_code
from rtcdiag.cli.options import FailOn, PairRequirement, Requirement
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.evidence import Crash, Environment, Evidence, Failure, PeerSession, Resolution
from rtcdiag.evidence.session import PolicyOutcome
from rtcdiag.findings import Finding, Severity
from rtcdiag.nat import Nat
from rtcdiag.report import (
    CandidateRow,
    Nats,
    Report,
    ServerRow,
    StageRow,
    StageStatus,
    Verdict,
    raw_evidence,
)
from support.cases.browser import CASES as WITH_BROWSER
from support.cases.session import CASES as SESSIONS
from support.evidence import target

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
DIRECT, RELAY, TLS_443, IPV6 = Requirement


def report(
    *severities: Severity, status: Any = "healthy", direct: Any = "likely", crash: bool = False, **more: Any
) -> Report:
    observations = (Crash(t_ms=1.0, probe="control", error="KeyError", where="x.py:1"),) if crash else ()
    return Report(
        id="x",
        command="report",
        started_at="2026-11-22T16:00:00.000Z",
        duration_ms=1.0,
        verdict=Verdict(status=status, direct_p2p=direct, confidence="high", summary="…"),
        findings=tuple(Finding(code="c", severity=severity, title="t", meaning="m") for severity in severities),
        evidence=raw_evidence(Evidence(observations=observations)),
        **more,
    )


def row(
    uri: str,
    data: StageStatus,
    *,
    status: StageStatus = "ok",
    transport: str = "udp",
    at: str = "192.0.2.1:3478",
    finding: str | None = None,
) -> ServerRow:
    return ServerRow(
        uri=uri,
        address=TransportAddress.parse(at),
        transport=transport,
        status=status,
        stages=(StageRow(stage="allocate", status="ok"), StageRow(stage="data", status=data, finding=finding)),
    )


TABLE: list[tuple[str, Report, FailOn, list[Requirement], int | None, int]] = [
    ("nothing found", report(), "error", [], None, 0),
    ("an error", report(ERROR, status="broken"), "error", [], None, 1),
    ("a warning below the threshold", report(WARNING, status="degraded"), "error", [], None, 0),
    ("a warning at the threshold", report(WARNING, status="degraded"), "warning", [], None, 1),
    ("an error above the threshold", report(ERROR), "info", [], None, 1),
    ("a fact below the threshold", report(INFO), "warning", [], None, 0),
    ("a fact at the threshold", report(INFO), "info", [], None, 1),
    ("an error, never to fail on", report(ERROR, status="broken"), "never", [], None, 0),
    ("no answer", report(status="inconclusive", direct="inconclusive"), "error", [], None, 3),
    ("no answer, never to fail on", report(status="inconclusive"), "never", [], None, 3),
    ("an error and no answer", report(ERROR, status="inconclusive"), "error", [], None, 1),
    ("a crash", report(crash=True), "error", [], None, 3),
    ("a crash and an error", report(ERROR, crash=True), "error", [], None, 3),
    ("a crash and an unmet requirement", report(crash=True, direct="blocked"), "error", [DIRECT], None, 3),
    ("Ctrl-C", report(status="inconclusive"), "error", [], 2, 130),
    ("SIGTERM", report(), "error", [], 15, 143),
    ("Ctrl-C, an error and a crash", report(ERROR, crash=True), "error", [], 2, 130),
    ("a met requirement", report(), "error", [DIRECT], None, 0),
    ("an unmet requirement", report(direct="depends-on-peer"), "error", [DIRECT], None, 1),
    ("an unmet requirement, never to fail on", report(direct="blocked"), "never", [DIRECT], None, 1),
    ("a requirement that was not tested", report(direct="not-tested"), "error", [DIRECT], None, 3),
    ("one met, one not tested", report(), "error", [DIRECT, RELAY], None, 3),
    ("one unmet, one not tested", report(direct="blocked"), "error", [DIRECT, RELAY], None, 1),
    ("a requirement not tested, and an error", report(ERROR, direct="not-tested"), "error", [DIRECT], None, 1),
]


@pytest.mark.parametrize(
    ("report", "fail_on", "require", "signal", "code"), [case[1:] for case in TABLE], ids=[case[0] for case in TABLE]
)
def test_the_exit_code_follows_the_table(
    report: Report, fail_on: FailOn, require: list[Requirement], signal: int | None, code: int
) -> None:
    assert exit_code(report, fail_on=fail_on, require=require, signal=signal) == code


def met(requirement: Requirement, report: Report) -> str:
    return {0: "yes", 1: "no", 3: "unknown"}[exit_code(report, fail_on="never", require=[requirement])]


@pytest.mark.parametrize(
    ("direct", "answer"),
    [
        ("confirmed", "yes"),
        ("likely", "yes"),
        ("depends-on-peer", "no"),
        ("relay-needed", "no"),
        ("blocked", "no"),
        ("inconclusive", "unknown"),
        ("not-tested", "unknown"),
    ],
)
def test_direct_is_met_only_by_a_path_to_every_kind_of_peer(direct: str, answer: str) -> None:
    assert met(DIRECT, report(direct=direct)) == answer


TURN, TURNS = "turn:t.example", "turns:t.example:443"
FAILED: dict[str, Any] = {"data": "not-tested", "status": "failed"}
SERVERS: list[tuple[Requirement, list[ServerRow], str]] = [
    (RELAY, [row(TURN, "ok")], "yes"),
    (RELAY, [row(TURN, "warning", status="warning")], "yes"),
    (RELAY, [row(TURN, **FAILED), row(TURNS, "ok")], "yes"),
    (RELAY, [row(TURN, **FAILED)], "no"),
    (RELAY, [row(TURN, "failed", status="failed")], "no"),
    (RELAY, [row(TURN, **FAILED), row(TURNS, "not-tested", status="not-tested")], "unknown"),
    (RELAY, [row(TURN, "warning", status="warning", finding="turn-relay-ports-unreachable")], "unknown"),
    (RELAY, [row("stun:s.example", "not-tested")], "unknown"),
    (RELAY, [], "unknown"),
    (TLS_443, [row(TURNS, "ok", transport="tls", at="192.0.2.1:443")], "yes"),
    (TLS_443, [row(TURNS, **FAILED, transport="tls", at="192.0.2.1:443")], "no"),
    (TLS_443, [row("turns:t.example", "ok", transport="tls", at="192.0.2.1:5349")], "unknown"),
    (TLS_443, [row("turn:t.example:443?transport=tcp", "ok", transport="tcp", at="192.0.2.1:443")], "unknown"),
    (TLS_443, [row(TURN, "ok")], "unknown"),
    (IPV6, [row(TURN, "ok", at="[2001:db8::1]:3478")], "yes"),
    (IPV6, [row("stun:s.example", "not-tested", at="[2001:db8::1]:3478")], "yes"),
    (IPV6, [row(TURN, **FAILED, at="[2001:db8::1]:3478")], "no"),
    (IPV6, [row(TURN, "ok")], "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("requirement", "rows", "answer"), SERVERS, ids=range(len(SERVERS)))
def test_a_server_requirement_is_met_by_one_that_works_and_unmet_only_where_all_were_tried(
    requirement: Requirement, rows: list[ServerRow], answer: str
) -> None:
    assert met(requirement, report(servers=tuple(rows), environment=Environment(ipv6=True))) == answer


def test_a_gathered_relay_candidate_meets_relay() -> None:
    candidate = CandidateRow(
        type="relay",
        address=TransportAddress.parse("192.0.2.1:50000"),
        related=None,
        component=1,
        priority=1,
        foundation="f",
        protocol="udp",
        relay_protocol="udp",
        interface=None,
        server=TURN,
        gathered_by="aioice",
        browser_without_permission="as-is",
        browser_with_permission="as-is",
        t_ms=1.0,
        sdp="candidate:…",
    )
    unproven = row(TURN, "warning", status="warning", finding="turn-relay-ports-unreachable")
    assert met(RELAY, report(candidates=(candidate,))) == "yes"
    assert met(RELAY, report(candidates=(candidate,), servers=(unproven,))) == "unknown"


def test_ipv6_is_met_by_an_address_that_a_server_saw_and_unmet_where_this_computer_has_no_route() -> None:
    seen = Nat(mapped=(TransportAddress.parse("[2001:db8::7]:50000"),))
    assert met(IPV6, report(nat=Nats(ipv6=seen))) == "yes"
    assert met(IPV6, report(environment=Environment(ipv6=False))) == "no"
    assert met(IPV6, report(environment=Environment(ipv6=True))) == "unknown"


@pytest.mark.parametrize(
    ("uris", "looked_up", "answer"),
    [
        (["turn:192.0.2.1"], [], "no"),
        (["turn:turn.example.org"], [("turn.example.org", Failure.DNS_NO_ADDRESS)], "no"),
        (["turn:turn.example.org"], [("turn.example.org", Failure.DNS_TIMEOUT)], "unknown"),
        (["turn:turn.example.org"], [], "unknown"),
        (["turn:192.0.2.1", "turn:turn.example.org"], [("turn.example.org", Failure.DNS_FAILURE)], "unknown"),
    ],
)
def test_ipv6_is_unmet_where_no_server_has_such_an_address(
    uris: list[str], looked_up: list[tuple[str, Failure]], answer: str
) -> None:
    names = [Resolution(t_ms=1.0, host=host, family=Family.IPV6, failure=failure) for host, failure in looked_up]
    seen = (*map(target, uris), *names)
    made = report(servers=(row(TURN, "ok"),), environment=Environment(ipv6=True))
    made = msgspec.structs.replace(made, evidence=raw_evidence(Evidence(observations=seen)))
    assert met(IPV6, made) == answer


def session(**outcomes: Any) -> Report:
    policies = tuple(PolicyOutcome(policy=cast("Any", name), outcome=outcome) for name, outcome in outcomes.items())
    found = PeerSession(
        t_ms=0.0, session="0" * 16, role="offerer", signaling="sse", trickle=True, stop="done", policies=policies
    )
    return msgspec.structs.replace(report(), evidence=raw_evidence(Evidence(observations=(found,))))


COPIED_SILENT = "of copied text nothing tells whether the other command still ran"
COPIED_ONE_WAY = "with copied text, checks of the other end show that it ran"
WORKED, SILENT, UNTRIED, EARLY = "connected", "no-pair-answered", "no-pairs", "ended-early"
ONLY_DIRECT, ONLY_RELAY = (PairRequirement.DIRECT,), (PairRequirement.RELAY,)


@pytest.mark.parametrize(
    ("outcomes", "require", "code"),
    [
        ({"all": WORKED, "direct": WORKED, "relay": WORKED}, (), 0),
        ({"all": WORKED, "direct": SILENT, "relay": WORKED}, (), 0),
        ({"all": WORKED, "direct": SILENT, "relay": WORKED}, ONLY_DIRECT, 1),
        ({"all": WORKED, "direct": WORKED, "relay": UNTRIED}, ONLY_RELAY, 3),
        ({"all": WORKED, "direct": EARLY, "relay": WORKED}, ONLY_DIRECT, 3),
        ({"all": SILENT, "direct": SILENT, "relay": UNTRIED}, (), 1),
        ({"all": EARLY, "direct": EARLY, "relay": EARLY}, (), 3),
        ({"all": UNTRIED, "direct": UNTRIED, "relay": UNTRIED}, (), 3),
        ({}, (), 3),
    ],
)
def test_a_session_fails_where_no_path_works_and_is_undecided_where_none_was_tried(
    outcomes: dict[str, Any], require: tuple[PairRequirement, ...], code: int
) -> None:
    assert session_exit_code(session(**outcomes), require=require) == code


@pytest.mark.parametrize(("sentence", "code"), [(COPIED_SILENT, 3), (COPIED_ONE_WAY, 1)])
def test_silence_of_copied_text_is_no_answer_unless_the_other_end_was_heard(sentence: str, code: int) -> None:
    run = Run(id="r", command="connect", started_at="2026-11-23T12:00:00.000Z", duration_ms=1.0)
    assert session_exit_code(diagnose(SESSIONS[sentence].evidence, run)) == code


def test_two_ends_on_one_computer_prove_nothing_although_they_connect() -> None:
    connected = session(all=WORKED, direct=WORKED)
    undecided = msgspec.structs.replace(connected.verdict, status="inconclusive")

    assert session_exit_code(msgspec.structs.replace(connected, verdict=undecided)) == 3


def test_a_signal_and_a_crash_come_before_what_a_session_found() -> None:
    assert session_exit_code(session(all=SILENT), signal=15) == 143
    assert session_exit_code(report(crash=True)) == 3


@pytest.mark.parametrize(
    ("sentence", "require", "code"),
    [
        ("a browser gathers what this program does, under a name", (), 0),
        ("a browser gathers what this program does, under a name", (PairRequirement.DIRECT,), 3),
        ("a browser on another computer has its own public address", (PairRequirement.DIRECT,), 0),
        ("DTLS with a browser fails", (), 1),
        ("no data channel opens", (), 1),
    ],
)
def test_a_session_with_a_browser_succeeds_where_data_passes(
    sentence: str, require: tuple[PairRequirement, ...], code: int
) -> None:
    run = Run(id="r", command="connect", started_at="2026-11-23T12:00:00.000Z", duration_ms=1.0)
    report = diagnose(WITH_BROWSER[sentence].evidence, run)
    assert session_exit_code(report, require=require) == code
