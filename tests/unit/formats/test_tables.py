"""The rows that all formats share."""

from typing import Any

import msgspec
import pytest

from rtcdiag.evidence import (
    Allocation,
    Challenge,
    Connect,
    Evidence,
    Exchange,
    Failure,
    Gathering,
    Observation,
    RelayedData,
)
from rtcdiag.findings import Finding, Severity
from rtcdiag.formats.actions import Action, actions, by_role, ranked
from rtcdiag.formats.tables import candidates, nat, run, servers
from rtcdiag.formats.tables.matrix import matrix
from rtcdiag.formats.tables.outcomes import exchange_outcome
from rtcdiag.formats.tables.steps import steps
from rtcdiag.formats.words import failure_words, familiar, headline, ms
from rtcdiag.nat import Nat
from rtcdiag.report import Report, ServerRow, StageRow
from rtcdiag.targets import Transport
from support.observations import answer, answered, at, mapped, refused, silent
from support.report_parts import AT, STUN, TURN, TURN_AT, chain, stages, stun_row
from support.reports import REPORTS


def step_of(observation: Observation) -> tuple[str, str]:
    (step,) = steps(Evidence(observations=(observation,)))
    return step.outcome, step.tone


TURN_STEP: dict[str, Any] = {"t_ms": 1.0, "server": TURN, "transport": Transport.UDP, "destination": at(TURN_AT)}


def data(received: int, rtt_ms: float | None = None) -> RelayedData:
    return RelayedData(
        path="relay-to-relay",
        method="send",
        receiver="b",
        peer=at(AT[0]),
        sent=5,
        received=received,
        rtt_ms=rtt_ms,
        **TURN_STEP,
    )


@pytest.mark.parametrize(
    ("observation", "outcome", "tone"),
    [
        (Challenge(exchange=refused(1, TURN_AT, 401, "", realm="r"), **TURN_STEP), "error 401, realm r", "ok"),
        (Challenge(exchange=refused(1, TURN_AT, 401, ""), **TURN_STEP), "error 401, realm missing", "ok"),
        (Challenge(exchange=refused(1, TURN_AT, 420, "", realm="r"), **TURN_STEP), "error 420, realm r", "bad"),
        (Challenge(exchange=answered(1, TURN_AT), **TURN_STEP), "allocated without credentials", "warn"),
        (Challenge(exchange=silent(1), **TURN_STEP), "timeout, sent 4 times", "bad"),
        (Allocation(exchange=answered(1, TURN_AT), **TURN_STEP), "relayed address missing", "ok"),
        (Allocation(exchange=silent(1, sent=1), **TURN_STEP), "timeout, sent 1 time", "bad"),
        (Allocation(exchange=refused(1, TURN_AT, 486, ""), **TURN_STEP), "error 486", "bad"),
        (data(5, 12.0), "5 of 5 arrived by send, 12 ms", "ok"),
        (data(2), "2 of 5 arrived by send", "warn"),
        (data(0), "0 of 5 arrived by send", "bad"),
        (Gathering(t_ms=0, server=None, candidates=1), "1 candidate", "ok"),
        (
            Gathering(t_ms=0, server=None, candidates=0, failure=Failure.OTHER_OS_ERROR, detail="no device"),
            "other OS error (no device)",
            "bad",
        ),
        (
            Connect(t_ms=0, server="x", purpose="control", destination=at(AT[0]), failure=Failure.CONNECTION_REFUSED),
            "connection refused",
            "bad",
        ),
    ],
)
def test_every_step_says_in_words_how_it_ended(observation: Observation, outcome: str, tone: str) -> None:
    assert step_of(observation) == (outcome, tone)


def test_an_answer_after_repeats_says_how_often_was_sent() -> None:
    late = Exchange(sent_ms=(0.0, 500.0), answers=(answer(510.0, AT[0], xor_mapped=at(AT[1])),))

    assert exchange_outcome(late) == (f"mapped {AT[1]}, sent 2 times", "ok")
    assert exchange_outcome(Exchange(sent_ms=(0.0,))) == ("no answer, sent 1 time", "bad")


@pytest.mark.parametrize(
    ("mapping", "filtering", "name"),
    [
        ("endpoint-independent", "endpoint-independent", "full cone"),
        ("endpoint-independent", "address-dependent", "address-restricted cone"),
        ("endpoint-independent", "address-and-port-dependent", "port-restricted cone"),
        ("endpoint-independent", "undetermined", "some kind of cone"),
        ("address-dependent", "endpoint-independent", "symmetric NAT"),
        ("address-and-port-dependent", "address-and-port-dependent", "symmetric NAT"),
        ("undetermined", "endpoint-independent", None),
    ],
)
def test_every_behavior_has_the_name_that_people_know(mapping: Any, filtering: Any, name: str | None) -> None:
    assert familiar(Nat(behind_nat=True, mapping=mapping, filtering=filtering)) == name


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "0.0 ms"), (4.25, "4.2 ms"), (23.4, "23 ms"), (2345.0, "2.3 s"), (1e300, "990000.0 s")],
)
def test_times_are_short(value: float | None, text: str) -> None:
    assert ms(value) == text


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_reads_as_words(failure: Failure) -> None:
    words = failure_words(failure)

    assert "-" not in words
    assert not {"dns", "tls", "stun", "http"} & set(words.replace(",", "").split())


def test_a_priority_is_shown_as_its_parts() -> None:
    assert candidates.priority((126 << 24) + (65535 << 8) + 255) == "126 | 65535 | 1"


def test_what_was_not_asked_is_not_tested_in_the_matrix() -> None:
    table = matrix(REPORTS["udp-blocked"]())
    assert table is not None

    assert table.columns == ("Server", "UDP IPv4", "UDP IPv6", "TCP IPv4", "TCP IPv6", "TLS IPv4", "TLS IPv6")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["stun.example.org (STUN)", "FAIL binding", *["not tested"] * 5],
        ["turn.example.com (TURN)", "FAIL challenge", *["not tested"] * 3, "ok", "not tested"],
    ]


def with_servers(*rows: ServerRow) -> Report:
    return msgspec.structs.replace(REPORTS["check-stun"](), servers=rows)


def test_the_worst_of_several_addresses_colors_the_cell_of_the_matrix() -> None:
    down = chain(STUN[0], AT[1], "udp", stages(("dns", "binding"), "binding", "stun-no-answer"))
    table = matrix(with_servers(stun_row(0), down))
    assert table is not None

    assert (table.rows[0][1].text, table.rows[0][1].tone) == ("1 of 2 ok; FAIL binding", "bad")


def test_a_name_that_does_not_resolve_and_a_rare_transport_have_columns_of_their_own() -> None:
    lost = chain("turn:nowhere.example", None, "udp", stages(("dns",), "dns", "dns-not-found"))
    rare = chain(
        "turns:x.example?transport=udp", AT[0], "dtls", stages(("config",), "config", "turns-over-udp", "warning")
    )
    table = matrix(with_servers(lost, rare, chain("garbage", None, "pigeon", ())))
    assert table is not None

    assert table.columns[-2:] == ("DTLS IPv4", "No address")
    assert [row[-1].text for row in table.rows] == ["FAIL dns", "not tested", "not tested"]
    assert table.rows[-1][0].text == "garbage"


def test_a_server_that_failed_without_a_stage_is_still_told() -> None:
    row = ServerRow(uri=STUN[0], address=None, transport="udp", status="failed", stages=())

    assert servers.outcome(row).text == "FAIL"
    assert servers.rtt_ms(row) is None


def test_a_warning_owns_its_server_only_where_nothing_failed() -> None:
    warned, failed = StageRow(stage="dns", status="warning"), StageRow(stage="binding", status="failed")
    row = ServerRow(uri=STUN[0], address=None, transport="udp", status="failed", stages=(warned, failed))

    assert servers.broken(row) == failed
    assert servers.broken(msgspec.structs.replace(row, stages=(warned,))) == warned


def test_a_property_that_is_not_known_without_a_reason_is_named_below_the_table() -> None:
    table = nat.behavior(REPORTS["udp-blocked"]())
    assert table is not None

    assert [row[0].text for row in table.rows] == ["Mapping behavior", "Filtering behavior"]
    assert "Hairpinning" in table.note


def test_the_evidence_of_the_nat_leaves_out_mere_questions_whether_a_server_answers() -> None:
    asked = mapped(STUN[0], AT[0], 50123, purpose="reach", socket="reach")
    both = nat.bindings(Evidence(observations=(asked, mapped(STUN[0], AT[0], 50123, socket="m1"))))
    only = nat.bindings(Evidence(observations=(asked,)))
    assert both is not None
    assert only is not None

    assert [row[0].text for row in both.rows] == ["m1"]
    assert [row[0].text for row in only.rows] == ["reach"]


def test_a_broken_status_outweighs_the_tone_of_a_direct_path() -> None:
    report = REPORTS["healthy"]()
    broken = msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, status="broken"))

    assert headline(report) == ("Direct P2P", "DEPENDS ON PEER", "info")
    assert headline(broken) == ("Direct P2P", "DEPENDS ON PEER", "bad")


def test_thresholds_and_flags_are_part_of_the_options() -> None:
    rows = {row[0].text: row[1].text for row in run.options(REPORTS["everything"]()).rows}

    assert rows["Option timeout_ms"] == "2300.0"
    assert rows["Threshold rtt_ms"] == "300"


def finding(code: str, severity: Severity, **remedy: str) -> Finding:
    return Finding(code=code, severity=severity, title=code, meaning="", remedy=remedy)  # type: ignore[arg-type]  # roles


def with_findings(*findings: Finding, because: tuple[str, ...] = ()) -> Report:
    report = REPORTS["healthy"]()
    return msgspec.structs.replace(
        report, findings=findings, verdict=msgspec.structs.replace(report.verdict, because=because)
    )


def test_errors_come_first_and_among_them_what_the_verdict_rests_on() -> None:
    report = with_findings(
        finding("info", Severity.INFO),
        finding("one", Severity.ERROR),
        finding("two", Severity.ERROR),
        finding("warning", Severity.WARNING),
        because=("two", "info"),
    )

    assert [item.code for item in ranked(report)] == ["two", "one", "warning", "info"]


def test_what_a_mere_fact_suggests_waits_until_nothing_is_broken() -> None:
    fact, fault = finding("fact", Severity.INFO, you="consider"), finding("fault", Severity.WARNING, you="mend")

    assert [item.text for item in actions(with_findings(fact, fault))] == ["mend"]
    assert [item.text for item in actions(with_findings(fact, finding("mute", Severity.ERROR)))] == ["consider"]


def test_the_same_remedy_is_told_once_and_a_finding_without_one_is_no_action() -> None:
    report = with_findings(
        finding("none", Severity.ERROR),
        finding("a", Severity.ERROR, you="reboot", developer="no"),
        finding("b", Severity.ERROR, you="reboot"),
        finding("c", Severity.ERROR, developer="mend", you="wait"),
        finding("d", Severity.ERROR, you="pray"),
    )

    assert actions(report) == (
        Action("you", "reboot", "a"),
        Action("developer", "mend", "c"),
        Action("you", "pray", "d"),
        Action("developer", "no", "a"),
        Action("you", "wait", "c"),
    )
    assert {role: len(items) for role, items in by_role(actions(report)).items()} == {"you": 3, "developer": 2}
