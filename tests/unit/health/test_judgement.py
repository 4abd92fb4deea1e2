"""One target's evidence to its result: never ok without an answer, never failed for what is not the server's fault."""

import msgspec
import pytest

from rtcdiag.address import Family
from rtcdiag.demands import FIGURES, Depth, Threshold
from rtcdiag.evidence import Crash, Evidence, Failure, Resolution, Skipped
from rtcdiag.findings import Severity, entry_of
from rtcdiag.health import HealthResult, Tally, unchecked
from rtcdiag.health.limits import CODE
from rtcdiag.health.result import decoder, encoder
from support.evidence import Turn, at, binding, certificate, failed, handshake, refused, resolution, run, stream, target
from support.health import STARTED, TURN, health_target, healthy, result, round_of

NAMED = resolution("turn.example.org", "198.51.100.30")
TLS = Turn(
    uri="turns:turn.example.org:5349", address="198.51.100.30:5349", transport=health_target("turns:a").server.transport
)
OTHER = binding("stun:other.example.org", "203.0.113.9:3478", purpose="control", socket="control")


def silent(uri: str = TURN.uri, address: str = TURN.address) -> Evidence:
    return run(target(uri), NAMED, binding(uri, address, failed()))


def test_a_relay_that_carries_data_is_ok_and_tells_what_was_measured() -> None:
    found = result(run(NAMED, *TURN.up_to("end")))
    assert (found.status, found.finding, found.summary) == ("ok", None, "It works.")
    (path,) = found.paths
    assert (str(path.address), path.transport, path.family) == (TURN.address, "udp", Family.IPV4)
    assert set(path.figures) <= set(FIGURES)
    assert path.figures["dns_ms"] == 3.0
    assert path.figures["binding_ms"] == 20.0


@pytest.mark.parametrize(("depth", "step"), [("reach", "allocate"), ("auth", "permission"), ("relay", "end")])
def test_a_target_is_ok_once_the_goal_of_its_depth_held(depth: Depth, step: str) -> None:
    assert result(run(*TURN.up_to(step)), depth=depth).status == "ok"


@pytest.mark.parametrize(("depth", "step"), [("auth", "allocate"), ("relay", "permission"), ("quality", "data")])
def test_a_target_that_did_not_get_so_far_is_not_tested_and_never_ok(depth: Depth, step: str) -> None:
    found = result(run(*TURN.up_to(step)), depth=depth)
    assert found.status == "not-tested"
    assert found.not_tested


def test_a_stun_server_is_ok_when_it_answers_however_deep_the_run_is() -> None:
    uri = "stun:stun.example.org"
    evidence = run(target(uri), binding(uri, "198.51.100.10:3478"))
    assert result(evidence, health_target(uri)).status == "ok"


def test_a_refused_password_is_failed_with_its_code() -> None:
    evidence = run(*TURN.up_to("allocate"), TURN.allocation(refused(TURN.address, 401)))
    found = result(evidence)
    assert (found.status, found.finding) == ("failed", "turn-credentials-rejected")
    assert found.paths[0].finding == "turn-credentials-rejected"


def test_missing_credentials_matter_from_auth_on() -> None:
    evidence = run(TURN.target(credential=None), TURN.binding(), TURN.challenge())
    assert result(evidence, depth="reach").status == "ok"
    assert result(evidence, depth="auth").finding == "turn-credentials-missing"


def test_silence_is_the_servers_only_beside_another_one_that_answers() -> None:
    alone, beside = result(silent()), result(silent(), controls=(OTHER,))
    assert (alone.status, alone.finding) == ("failed", "server-no-answer")
    assert (beside.status, beside.finding) == ("failed", "server-silent")


def test_a_control_leaves_no_trace_but_in_the_evidence() -> None:
    found = result(run(*TURN.up_to("end")), controls=(OTHER,))
    assert {path.transport for path in found.paths} == {"udp"}
    assert {finding.subject for finding in found.findings} <= {TURN.uri, None}
    assert "other.example.org" in b"".join(map(bytes, found.evidence)).decode()


def test_a_name_that_does_not_exist_is_failed_without_an_address() -> None:
    gone = resolution("turn.example.org", failure=Failure.DNS_NOT_FOUND)
    found = result(run(TURN.target(), gone))
    assert (found.status, found.finding) == ("failed", "dns-name-not-found")
    assert found.paths[0].address is None


def both(ipv6: Failure | None, *, here: bool) -> Evidence:
    six = "[2001:db8::30]:3478"
    over_ipv6 = Turn(address=six)
    steps = over_ipv6.up_to("end")[1:] if ipv6 is None else (binding(TURN.uri, six, failed(ipv6)),)
    return run(
        NAMED, resolution("turn.example.org", "2001:db8::30", family=Family.IPV6), *TURN.up_to("end"), *steps, ipv6=here
    )


def test_ipv6_is_skipped_where_this_computer_has_none() -> None:
    found = result(both(Failure.NETWORK_UNREACHABLE, here=False))
    assert found.status == "ok"
    assert [(path.status, path.why) for path in found.paths] == [("ok", None), ("skipped", "this computer has no IPv6")]
    assert not any(finding.code in ("family-not-here", "no-route-to-server") for finding in found.findings)


def test_ipv6_that_is_silent_fails_where_this_computer_has_it() -> None:
    found = result(both(Failure.TIMEOUT, here=True))
    assert [path.status for path in found.paths] == ["ok", "warning"] or found.status in ("failed", "warning")
    assert found.finding is not None


def test_a_target_of_ipv6_alone_is_skipped_without_ipv6_here() -> None:
    uri = "turn:[2001:db8::30]:3478"
    evidence = run(target(uri), binding(uri, "[2001:db8::30]:3478", failed(Failure.NETWORK_UNREACHABLE)))
    found = result(evidence, health_target(uri))
    assert (found.status, found.finding) == ("skipped", None)


def of_ipv4(**here: bool) -> HealthResult:
    uri = "turn:198.51.100.30:3478"
    evidence = run(target(uri), binding(uri, "198.51.100.30:3478", failed(Failure.NETWORK_UNREACHABLE)), **here)
    return result(evidence, health_target(uri))


def test_a_target_of_ipv4_alone_is_skipped_on_a_computer_of_ipv6_alone() -> None:
    found = of_ipv4(ipv4=False, ipv6=True)
    assert (found.status, found.summary) == ("skipped", "Skipped: this computer has no IPv4.")


@pytest.mark.parametrize("here", [{"ipv4": True, "ipv6": True}, {"ipv4": False, "ipv6": False}])
def test_ipv4_fails_where_there_is_a_route_and_where_there_is_no_network(here: dict[str, bool]) -> None:
    assert of_ipv4(**here).status == "failed"


def test_a_crash_is_not_tested_and_says_so() -> None:
    evidence = run(TURN.target(), Crash(t_ms=0.0, probe="turn-server", error="KeyError", where="x.py:1"))
    found = result(evidence)
    assert found.status in ("not-tested", "failed")
    tally = Tally()
    tally.add(found)
    assert tally.crashes == 1


def test_what_was_cut_off_is_not_tested() -> None:
    evidence = run(TURN.target(), binding(TURN.uri, TURN.address, failed(Failure.DEADLINE)))
    assert result(evidence).status == "not-tested"


def test_what_is_left_out_by_the_options_is_skipped() -> None:
    evidence = run(TURN.target(), Skipped(t_ms=0.0, what=TURN.uri, why="its family is left out"))
    assert (result(evidence).status, result(evidence).summary) == ("skipped", "Skipped: its family is left out.")


def test_a_figure_beyond_its_limit_is_a_finding_of_its_severity() -> None:
    evidence = run(*TURN.up_to("end"))
    slow = result(evidence, thresholds={"binding_ms": Threshold(warning=10)})
    assert (slow.status, slow.finding) == ("warning", CODE)
    dead = result(evidence, thresholds={"binding_ms": Threshold(warning=5, critical=10)})
    assert (dead.status, dead.finding) == ("failed", CODE)
    assert dead.paths[0].finding == CODE
    assert "a Binding is 20 ms, more than the limit of 10 ms" in dead.summary
    assert result(evidence, thresholds={"binding_ms": Threshold(critical=20)}).status == "ok"


def test_what_this_computer_was_late_itself_is_held_against_no_server() -> None:
    evidence, limit = run(*TURN.up_to("end")), {"binding_ms": Threshold(critical=10)}
    assert result(evidence, thresholds=limit, late_ms=15).status == "ok"
    assert result(evidence, thresholds=limit, late_ms=5).status == "failed"
    assert result(evidence, thresholds=limit, late_ms=15).paths[0].figures["binding_ms"] == 20


@pytest.mark.parametrize(
    ("days_left", "days_old", "status"), [(200, 100, "ok"), (15, 75, "warning"), (5, 85, "failed"), (4, 2, "ok")]
)
def test_a_certificate_is_judged_by_what_is_left_of_its_life(days_left: float, days_old: float, status: str) -> None:
    steps = [item for item in TLS.up_to("end") if item.__class__.__name__ != "TlsHandshake"]
    shaken = handshake(TLS.uri, TLS.address, certificate=certificate(days_left=days_left, days_old=days_old))
    found = result(run(resolution("turn.example.org", "198.51.100.30"), *steps, shaken), health_target(TLS.uri))
    assert found.status == status
    assert found.certificate_expires_at is not None
    assert found.paths[0].figures["certificate_days"] == days_left


def of_certificates(*days_left: float) -> Evidence:
    """Return what was seen at so many addresses."""
    addresses = [f"198.51.100.{30 + number}" for number in range(len(days_left))]
    steps = [
        handshake(
            TLS.uri,
            f"{address}:5349",
            certificate=certificate(days_left=days, days_old=300),
            failure=Failure.TLS_CERTIFICATE_EXPIRED if days < 0 else None,
        )
        for address, days in zip(addresses, days_left, strict=True)
    ]
    return run(target(TLS.uri), resolution("turn.example.org", *addresses), *steps)


def test_an_expired_certificate_is_told_once_and_not_as_a_limit_that_one_might_move() -> None:
    found = result(of_certificates(-1), health_target(TLS.uri))
    assert [item.code for item in found.findings if item.severity is Severity.ERROR] == ["tls-certificate-expired"]


def test_a_certificate_beyond_its_limit_is_told_beside_an_expired_one_of_another_address() -> None:
    found = result(of_certificates(-1, 2), health_target(TLS.uri))
    told = {(item.code, item.facts["address"]) for item in found.findings if item.severity is Severity.ERROR}
    assert told == {("tls-certificate-expired", "198.51.100.30:5349"), (CODE, "198.51.100.31:5349")}


def test_a_limit_of_the_user_for_certificates_counts_as_it_stands() -> None:
    steps = (resolution("turn.example.org", "198.51.100.30"), *TLS.up_to("end"))
    found = result(run(*steps), health_target(TLS.uri), thresholds={"certificate_days": Threshold(critical=300)})
    assert (found.status, found.finding) == ("failed", CODE)


def test_a_rule_that_says_more_than_a_limit_stands_alone() -> None:
    lossy = run(*TURN.up_to("end"), TURN.quality(stream(lost=10), stream(size=1200, lost=10)))
    found = result(lossy, depth="quality", thresholds={"loss_percent": Threshold(warning=1, critical=50)})
    assert (found.status, found.finding) == ("warning", "turn-relay-lossy")
    worse = result(lossy, depth="quality", thresholds={"loss_percent": Threshold(critical=1.5)})
    assert (worse.status, worse.finding) == ("failed", CODE)


def test_the_failure_of_what_is_not_critical_is_worth_a_warning() -> None:
    found = result(silent(), health_target(critical=False))
    assert (found.status, found.counts_as) == ("failed", "warning")


def test_a_target_that_works_only_at_the_second_try_is_flaky() -> None:
    assert result(run(*TURN.up_to("end")), attempts=2).flaky
    assert not result(silent(), attempts=2).flaky


def test_a_result_survives_its_json() -> None:
    for found in (healthy(), result(silent()), unchecked(health_target(), depth="relay", started_at=STARTED, why="x")):
        assert decoder.decode(encoder.encode(found)) == msgspec.structs.replace(found, evidence=found.evidence)


def test_no_result_holds_a_credential() -> None:
    found = result(run(*TURN.up_to("allocate"), TURN.allocation(refused(TURN.address, 401))))
    assert b"hunter2" not in encoder.encode(found)


def test_the_words_of_the_limit_have_all_their_facts() -> None:
    entry = entry_of(CODE)
    found = result(run(*TURN.up_to("end")), thresholds={"binding_ms": Threshold(warning=10)})
    (finding,) = [item for item in found.findings if item.code == CODE]
    assert not any("{" in text for text in (finding.title, finding.meaning, *finding.remedy.values()))
    assert set(finding.remedy) == set(entry.remedy)
    assert at(str(finding.facts["address"])) == at(TURN.address)


OK, LATER = healthy(), unchecked(health_target(), depth="relay", started_at=STARTED, why="it was interrupted")
BAD, LESSER = result(silent()), result(silent(), health_target(critical=False))
WARNED = result(run(*TURN.up_to("end")), thresholds={"binding_ms": Threshold(warning=10)})
SKIPPED = result(run(TURN.target(), Skipped(t_ms=0.0, what=TURN.uri, why="left out")))


@pytest.mark.parametrize(
    ("results", "required", "met", "status"),
    [
        ([OK, OK], "all", "yes", "healthy"),
        ([OK, WARNED], "all", "yes", "degraded"),
        ([OK, BAD], "all", "no", "broken"),
        ([OK, LESSER], "all", "yes", "degraded"),
        ([OK, LATER], "all", "unknown", "inconclusive"),
        ([BAD, LATER], "all", "no", "broken"),
        ([OK, SKIPPED], "all", "yes", "healthy"),
        ([SKIPPED], "all", "unknown", "inconclusive"),
        ([OK, BAD], "any", "yes", "degraded"),
        ([BAD, LATER], "any", "unknown", "inconclusive"),
        ([BAD, SKIPPED], "any", "no", "broken"),
        ([OK, OK, BAD], 2, "yes", "degraded"),
        ([OK, BAD, BAD], 2, "no", "broken"),
    ],
)
def test_the_verdict_counts_what_was_required(
    results: list[HealthResult], required: str | int, met: str, status: str
) -> None:
    found = round_of(*results, required=required)  # type: ignore[arg-type]  # parametrized words
    assert (found.summary.requirement.met, found.summary.verdict.status) == (met, status)


def test_the_sentence_names_the_worst_and_counts_the_rest() -> None:
    said = round_of(OK, LESSER, BAD, SKIPPED).summary.verdict.summary
    assert said.startswith(BAD.summary)
    assert said.endswith("1 of 3 tested servers work, 1 skipped.")
    assert round_of(OK).summary.verdict.summary == "1 of 1 tested server works."


def test_a_look_up_of_another_family_is_no_path() -> None:
    evidence = run(NAMED, resolution("turn.example.org", family=Family.IPV6), *TURN.up_to("end"))
    assert len(result(evidence).paths) == 1
    assert evidence.of(Resolution)
