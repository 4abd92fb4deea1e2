"""From evidence to a report, and from a saved report to today's."""

import msgspec

from rtcdiag.address import Family
from rtcdiag.diagnosis import Run, diagnose, rediagnose
from rtcdiag.evidence import Crash, CredentialShape, Evidence, Skipped
from rtcdiag.nat import classify
from rtcdiag.report import decode, encode
from support import evidence as evidence_support
from support.observations import binding, mapped, resolution, silent, target

STUN = "stun:stun.example.org"
HOST = "203.0.113.5:3478"
RUN = Run(id="r", command="report", started_at="2026-11-22T16:00:00.000Z", duration_ms=612.0)


def evidence(*observations: object) -> Evidence:
    numbered = (msgspec.structs.replace(item, id=f"obs-{n}") for n, item in enumerate(observations, 1))  # type: ignore[type-var]  # all are observations
    return Evidence(observations=tuple(numbered))  # type: ignore[arg-type]  # all are observations


ANSWERED = (target(STUN), resolution("stun.example.org", "203.0.113.5"), mapped(STUN, HOST, 50000))


def test_nothing_seen_is_a_report_that_is_inconclusive() -> None:
    report = diagnose(Evidence(), RUN)

    assert report.verdict.status == "inconclusive"
    assert (report.findings, report.servers, report.candidates, report.nat.ipv4) == ((), (), (), None)


def test_a_server_check_has_no_section_about_the_nat() -> None:
    report = diagnose(evidence(*ANSWERED), msgspec.structs.replace(RUN, command="check-stun"))

    assert (report.nat.ipv4, report.nat.ipv6, report.reach, report.not_tested) == (None, None, (), ())


def test_the_report_says_of_the_run_what_the_run_said() -> None:
    report = diagnose(Evidence(), msgspec.structs.replace(RUN, interrupted=True))

    assert (report.id, report.command, report.duration_ms, report.interrupted) == ("r", "report", 612.0, True)


def test_every_finding_points_at_evidence_that_is_in_the_report() -> None:
    report = diagnose(evidence(*ANSWERED, binding(STUN, HOST, silent(9.0), 9.0)), RUN)
    ids = {msgspec.json.decode(piece)["id"] for piece in report.evidence}

    assert report.findings
    assert {name for finding in report.findings for name in finding.evidence} <= ids


def test_the_worst_finding_comes_first_and_none_twice() -> None:
    crash = Crash(t_ms=1.0, probe="candidates", error="KeyError", where="ice.py:1")
    report = diagnose(evidence(*ANSWERED, crash), RUN)
    severities = [finding.severity for finding in report.findings]

    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert len(set(map(repr, report.findings))) == len(report.findings)


def test_what_was_skipped_is_told_with_its_reason() -> None:
    report = diagnose(evidence(Skipped(t_ms=0.0, what="TURN over DTLS", why="browsers do not speak it")), RUN)

    assert ("TURN over DTLS", "browsers do not speak it") in {(item.what, item.why) for item in report.not_tested}


def test_the_stages_behind_a_broken_one_are_told_as_not_tested() -> None:
    turn = "turn:turn.example.org"
    asked = msgspec.structs.replace(target(turn), credential=CredentialShape(form="static"))
    report = diagnose(evidence(asked, resolution("turn.example.org")), RUN)

    (cut,) = [item for item in report.not_tested if item.what.startswith(turn)]
    assert "allocate" in cut.what
    assert cut.why == "the chain broke at dns"


def test_a_saved_report_is_diagnosed_again_to_the_same() -> None:
    report = diagnose(evidence(*ANSWERED), RUN)

    again, unknown = rediagnose(decode(encode(report)))

    assert (encode(again), unknown) == (encode(report), 0)


def test_evidence_of_a_newer_version_keeps_the_saved_verdict() -> None:
    report = diagnose(evidence(*ANSWERED), RUN)
    newer = msgspec.structs.replace(report, evidence=(*report.evidence, msgspec.Raw(b'{"kind":"Teleport","t_ms":1}')))

    again, unknown = rediagnose(decode(encode(newer)))

    assert (encode(again), unknown) == (encode(newer), 1)


def test_dead_addresses_of_one_server_are_one_finding_and_each_has_its_row() -> None:
    server = "stun:stun.example.org:3478"
    dead = [evidence_support.at(f"198.51.100.{number}:3478") for number in (10, 11)]
    seen = evidence_support.run(
        evidence_support.target(server),
        *(evidence_support.binding(server, str(address), evidence_support.failed()) for address in dead),
    )

    report = diagnose(seen, RUN)

    (finding,) = [finding for finding in report.findings if finding.code == "server-no-answer"]
    assert finding.facts["addresses"] == [str(address) for address in dead]
    assert finding.evidence == ("obs-2", "obs-3")
    assert [row.stages[-1].finding for row in report.servers] == ["server-no-answer"] * 2


def test_what_rests_on_evidence_alone_is_concluded_once_and_of_other_evidence_anew() -> None:
    seen = evidence(*ANSWERED)
    nat = classify(seen, Family.IPV4)

    assert nat is not None
    assert classify(seen, Family.IPV4) is nat
    assert classify(seen, Family.IPV6) is None
    assert classify(msgspec.structs.replace(seen, observations=()), Family.IPV4) is None
