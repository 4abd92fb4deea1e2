"""The chain of stages of each server at each address."""

from collections.abc import Iterable

from msgspec.structs import replace

from rtcdiag.address import Family
from rtcdiag.evidence import Allocation, Binding, Challenge, Evidence, Failure, Observation
from rtcdiag.findings import Finding, Severity
from rtcdiag.report import ServerRow
from rtcdiag.stages import server_rows, stage_evidence
from rtcdiag.targets import Transport
from support.observations import (
    answered,
    at,
    binding,
    connect,
    handshake,
    mapped,
    refused,
    resolution,
    silent,
    target,
    turn_steps,
)

STUN = "stun:stun.example.org"
TURN = "turn:turn.example.org"
TURNS = "turns:turn.example.org"
HOST = "203.0.113.5:3478"


def rows(*observations: Observation, findings: Iterable[Finding] = ()) -> tuple[ServerRow, ...]:
    return server_rows(Evidence(observations=observations), tuple(findings))


def reached(uri: str, destination: str) -> Binding:
    return mapped(uri, destination, 50000, purpose="reach", socket="reach")


def statuses(row: ServerRow) -> dict[str, str]:
    return {stage.stage: stage.status for stage in row.stages}


def finding(**more: object) -> Finding:
    given = {"code": "x", "severity": Severity.ERROR, "title": "t", "meaning": "m", **more}
    return Finding(**given)  # type: ignore[arg-type]  # the defaults above, overridden by keyword


def test_what_a_rule_calls_harmless_shows_as_a_warning_and_not_as_a_failure() -> None:
    harmless = finding(code="turn-no-binding", severity=Severity.INFO, subject=TURN, stage="binding")
    unanswered = binding(TURN, HOST, silent(6.0), 6.0, purpose="reach")
    refusing = answered(5.0, HOST, success=False, error_code=401)
    asked = Challenge(t_ms=0, server=TURN, transport=Transport.UDP, destination=at(HOST), exchange=refusing)
    (row,) = rows(target(TURN), unanswered, asked, findings=[harmless])

    assert (statuses(row)["binding"], statuses(row)["challenge"]) == ("warning", "ok")


def test_a_server_that_is_silent_has_failed_even_where_that_is_nobodys_problem() -> None:
    unanswered = binding(STUN, HOST, silent(6.0), 6.0, purpose="reach")
    down = finding(code="server-silent", severity=Severity.INFO, subject=STUN, stage="binding")
    (row,) = rows(target(STUN), unanswered, findings=[down])
    assert row.status == "failed"

    untested = finding(code="family-not-here", severity=Severity.INFO, subject=STUN, stage="binding")
    (row,) = rows(target(STUN), unanswered, findings=[untested])
    assert row.status == "not-tested"


def test_a_break_that_is_the_networks_fault_names_the_networks_finding() -> None:
    blocked = finding(code="udp-blocked")
    (row,) = rows(target(STUN), binding(STUN, HOST, silent(6.0), 6.0, purpose="reach"), findings=[blocked])

    assert row.stages[-1].finding == "udp-blocked"


def test_every_resolved_address_and_transport_is_a_row_of_its_own() -> None:
    found = rows(
        target(STUN),
        resolution("stun.example.org", "203.0.113.5", "203.0.113.6"),
        reached(STUN, HOST),
        binding(STUN, "203.0.113.6:3478", silent(5.0), 5.0, purpose="reach"),
    )

    assert [(str(row.address), row.status) for row in found] == [(HOST, "ok"), ("203.0.113.6:3478", "failed")]


def test_a_server_that_was_asked_about_the_nat_only_is_no_row_without_an_address() -> None:
    asked = mapped(STUN, HOST, 50000)

    assert rows(target(STUN), resolution("stun.example.org", "203.0.113.5"), asked) == ()
    assert [row.address for row in rows(target(STUN), resolution("stun.example.org"))] == [None]


def test_what_the_deadline_cut_off_was_not_tested() -> None:
    cut = silent(5.0, Failure.DEADLINE)
    (row,) = rows(target(STUN), binding(STUN, HOST, cut, 5.0, purpose="reach"))

    assert row.status == "not-tested"
    assert statuses(row)["binding"] == "not-tested"


def test_one_answer_of_several_samples_is_an_answer() -> None:
    (row,) = rows(target(STUN), reached(STUN, HOST), binding(STUN, HOST, silent(6.0), 6.0, purpose="reach"))

    assert statuses(row)["binding"] == "ok"
    assert row.quality == {"rtt_ms": [21.0], "rtt_median_ms": 21.0, "sent": 2, "answered": 1}


def test_stages_behind_the_broken_one_are_not_tested() -> None:
    failed = handshake(TURNS, "203.0.113.5:5349", failure=Failure.TLS_CERTIFICATE_EXPIRED)
    (row,) = rows(
        target(TURNS), resolution("turn.example.org", "203.0.113.5"), connect(TURNS, "203.0.113.5:5349"), failed
    )

    assert row.status == "failed"
    assert statuses(row) == {
        "config": "ok",
        "dns": "ok",
        "connect": "ok",
        "tls": "failed",
        "binding": "not-tested",
        "challenge": "not-tested",
        "allocate": "not-tested",
        "relayed-address": "not-tested",
        "permission": "not-tested",
        "data": "not-tested",
        "refresh": "not-tested",
        "release": "not-tested",
    }


def test_silence_to_the_request_after_a_silent_one_is_no_failure_of_its_own() -> None:
    asked = Challenge(t_ms=0, server=TURN, transport=Transport.UDP, destination=at(HOST), exchange=silent(6.0))
    (row,) = rows(target(TURN), binding(TURN, HOST, silent(6.0), 6.0, purpose="reach"), asked)

    assert (statuses(row)["binding"], statuses(row)["challenge"]) == ("failed", "not-tested")


def test_a_healthy_relay_is_ok_from_config_to_release() -> None:
    steps = turn_steps(TURN, HOST, Transport.UDP, "203.0.113.5:60000")
    (row,) = rows(target(TURN), resolution("turn.example.org", "203.0.113.5"), reached(TURN, HOST), *steps)

    assert set(statuses(row).values()) == {"ok"}
    assert row.status == "ok"


def test_an_allocation_that_a_second_try_got_holds_and_one_that_it_lost_does_not() -> None:
    steps = turn_steps(TURN, HOST, Transport.UDP, "203.0.113.5:60000")
    got = next(step for step in steps if isinstance(step, Allocation) and step.allocation == "a")
    lost = replace(got, exchange=refused(10.0, HOST, 440, ""))

    (good,) = rows(target(TURN), lost, *steps)
    (bad,) = rows(target(TURN), *steps, lost)

    assert statuses(good)["allocate"] == "ok"
    assert statuses(bad)["allocate"] == "failed"


def test_the_finding_owns_its_stage_on_its_own_path_only() -> None:
    owner = finding(subject=STUN, stage="binding", facts={"address": HOST, "transport": "udp"})
    first, second = rows(target(STUN), reached(STUN, HOST), reached(STUN, "203.0.113.6:3478"), findings=[owner])

    assert (first.status, first.stages[-1].finding) == ("failed", "x")
    assert second.status == "ok"


def test_a_warning_marks_a_stage_and_an_info_does_not() -> None:
    warning = finding(severity=Severity.WARNING, subject=STUN, stage="binding")
    (warned,) = rows(target(STUN), reached(STUN, HOST), findings=[warning])
    (informed,) = rows(target(STUN), reached(STUN, HOST), findings=[replace(warning, severity=Severity.INFO)])

    assert warned.status == "warning"
    assert informed.status == "ok"


def test_a_name_without_an_address_is_a_row_that_failed_at_dns() -> None:
    missing = [resolution("stun.example.org"), resolution("stun.example.org", family=Family.IPV6)]
    (row,) = rows(target(STUN), *missing)

    assert row.address is None
    assert row.status == "failed"
    assert statuses(row) == {"config": "ok", "dns": "failed", "binding": "not-tested"}


def test_tcp_beside_a_udp_server_is_a_row_only_where_it_answers() -> None:
    over_tcp = binding(STUN, HOST, answered(5.0, HOST), 5.0, transport=Transport.TCP, purpose="control")
    refused = binding(STUN, HOST, silent(5.0), 5.0, transport=Transport.TCP, purpose="control")

    assert [row.transport for row in rows(target(STUN), reached(STUN, HOST), over_tcp)] == ["udp", "tcp"]
    assert [row.transport for row in rows(target(STUN), reached(STUN, HOST), refused)] == ["udp"]


def test_the_connection_of_a_control_is_a_stage_of_the_controls_row_only() -> None:
    over_tcp = binding(STUN, HOST, answered(5.0, HOST), 5.0, transport=Transport.TCP, purpose="control")
    connected = replace(connect(STUN, HOST), purpose="control")
    udp, tcp = rows(target(STUN), reached(STUN, HOST), connected, over_tcp)

    assert "connect" not in statuses(udp)
    assert statuses(tcp)["connect"] == "ok"


def test_an_experiment_on_the_nat_is_no_sample_of_the_server() -> None:
    assert rows(target(STUN), mapped(STUN, HOST, 50000)) == ()


def test_a_challenge_that_was_answered_with_an_error_held() -> None:
    challenge = Challenge(
        t_ms=5.0,
        server=TURN,
        transport=Transport.UDP,
        destination=at(HOST),
        exchange=answered(5.0, HOST, success=False, error_code=401),
    )
    (row,) = rows(target(TURN), challenge)

    assert statuses(row)["challenge"] == "ok"
    assert statuses(row)["allocate"] == "not-tested"


def test_a_literal_has_no_dns_stage() -> None:
    (row,) = rows(target("stun:203.0.113.5"), reached("stun:203.0.113.5", HOST))

    assert [stage.stage for stage in row.stages] == ["config", "binding"]


def test_every_stage_that_takes_time_has_its_time() -> None:
    steps = turn_steps(TURN, HOST, Transport.UDP, "203.0.113.5:60000")
    timed = [replace(item, duration_ms=1.0) for item in (reached(TURN, HOST), *steps)]
    (row,) = rows(target(TURN), resolution("turn.example.org", "203.0.113.5"), *timed)

    assert [stage.stage for stage in row.stages if stage.duration_ms is None] == ["config"]


def test_what_a_stage_was_judged_by_is_found_again() -> None:
    steps = turn_steps(TURN, HOST, Transport.UDP, "203.0.113.5:60000")
    evidence = Evidence(observations=(target(TURN), resolution("turn.example.org", "203.0.113.5"), *steps))
    (row,) = server_rows(evidence, ())

    assert [type(item).__name__ for item in stage_evidence(row, "dns", evidence)] == ["Resolution"]
    assert {type(item) for item in stage_evidence(row, "allocate", evidence)} == {Allocation}
    assert stage_evidence(row, "config", evidence) == ()
    assert stage_evidence(replace(row, transport="carrier pigeon"), "allocate", evidence) == ()


def test_a_look_up_that_was_cut_off_was_not_tested() -> None:
    (row,) = rows(target(STUN), replace(resolution("stun.example.org"), failure=Failure.INTERRUPTED))

    assert statuses(row)["dns"] == "not-tested"
