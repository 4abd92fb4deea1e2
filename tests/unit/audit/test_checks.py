"""What an audit concludes, and what it does not."""

import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.audit.checks import checks
from rtcdiag.audit.flaws import announced, flaws_of
from rtcdiag.audit.peers import CHANNEL_PEERS, PEERS, audit_seconds, fixed_peers
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.evidence import Allocation, AuditAllocation, AuditPermission, Failure, Observation
from rtcdiag.findings import Severity
from rtcdiag.targets import Credential, parse_server
from support.audit import TURN, allocation, audited, granted, offers, permissions, size
from support.cases.audit import CASES
from support.evidence import answered, failed, refused, run


def verdicts(*observations: Observation) -> dict[str, str]:
    return {check.row.check: check.row.verdict for check in checks(run(*observations))}


def why(name: str, *observations: Observation) -> str:
    return next(check.row.answer for check in checks(run(*observations)) if check.row.check == name)


def test_every_check_of_a_well_kept_server_passes() -> None:
    assert set(verdicts(*audited()).values()) == {"pass"}


@pytest.mark.parametrize("code", [400, 401, 437, 438, 486, 500, 508])
def test_an_error_that_does_not_say_no_is_no_denial(code: int) -> None:
    answers = {str(peer.ip): refused(TURN.address, code) for peer in PEERS}
    found = verdicts(*audited(*permissions(answers)))
    groups = {"loopback", "this-host", "embedded", "link-local", "private", "special"}
    assert {name for name, verdict in found.items() if verdict == "undetermined"} >= groups


def test_silence_is_no_denial_and_one_yes_outweighs_it() -> None:
    silent = failed(Failure.TIMEOUT)
    found = audited(*permissions({"127.0.0.1": silent, "10.0.0.1": silent, "172.16.0.1": granted()}))
    assert verdicts(*found)["loopback"] == "undetermined"
    assert "no answer for 127.0.0.1" in why("loopback", *found)
    assert verdicts(*found)["private"] == "fail"


def test_an_unsigned_error_without_a_code_is_no_denial() -> None:
    anybody = dict.fromkeys(("127.0.0.1",), answered(TURN.address, success=False, integrity="absent"))
    assert verdicts(*audited(*permissions(anybody)))["loopback"] == "undetermined"


def test_a_channel_that_nobody_answers_is_not_denied_either() -> None:
    silent = dict.fromkeys(map(str, CHANNEL_PEERS), failed(Failure.TIMEOUT))
    assert verdicts(*audited(*permissions(channels=silent)))["channel-parity"] == "undetermined"


def test_an_unsigned_401_to_a_permission_is_no_denial_but_to_a_channel_it_is() -> None:
    answer = refused(TURN.address, 401)
    every = dict.fromkeys(map(str, CHANNEL_PEERS), answer)
    assert verdicts(*audited(*permissions(channels=every)))["channel-parity"] == "pass"
    assert verdicts(*audited(*permissions(every)))["loopback"] == "undetermined"
    asks_again = dict.fromkeys(map(str, CHANNEL_PEERS), refused(TURN.address, 401, nonce=True))
    assert verdicts(*audited(*permissions(channels=asks_again)))["channel-parity"] == "undetermined"


def test_a_server_that_says_that_it_relays_no_ipv6_reaches_none() -> None:
    only_ipv4 = permissions(without=Family.IPV6)
    for code, verdict in ((440, "pass"), (420, "pass"), (508, "undetermined"), (401, "undetermined")):
        found = verdicts(*audited(*only_ipv4, allocation("ipv6-relay", refused(TURN.address, code))))
        assert (found["embedded"], found["loopback"]) == (verdict, verdict)
    given = granted(relayed=TransportAddress.parse("198.51.100.30:49170"))
    found = verdicts(*audited(*only_ipv4, allocation("ipv6-relay", given)))
    assert (found["embedded"], found["loopback"]) == ("pass", "pass")


def test_that_an_expired_credential_is_refused_proves_nothing_where_a_valid_one_was_too() -> None:
    found = audited(TURN.allocation(refused(TURN.address, 401)))
    assert verdicts(*found)["expired-credentials"] == "undetermined"


@pytest.mark.parametrize("code", [437, 438, 486, 500, 508])
def test_an_expired_credential_that_met_another_error_was_not_refused(code: int) -> None:
    found = audited(allocation("expired-credentials", refused(TURN.address, code)))
    assert verdicts(*found)["expired-credentials"] == "undetermined"


def test_a_tcp_relay_that_met_a_quota_or_silence_is_not_known() -> None:
    for exchange in (refused(TURN.address, 486), failed(Failure.TIMEOUT)):
        assert verdicts(*audited(allocation("tcp-relay", exchange)))["tcp-relay"] == "undetermined"


def test_without_credentials_only_what_a_stranger_sees_is_judged() -> None:
    kinds = (Allocation, AuditPermission, AuditAllocation)
    found = verdicts(*audited(leave_out=kinds, has_credentials=False, has_secret=False))
    assert found["open-relay"] == found["software"] == found["amplification"] == found["nonce"] == "pass"
    assert found["loopback"] == found["private"] == found["tcp-relay"] == "undetermined"


def test_old_tls_that_cannot_be_offered_here_is_not_known() -> None:
    found = audited(*offers(TLSv1_2="accepted", TLSv1_1="not-offered", TLSv1="refused"))
    assert verdicts(*found)["tls-versions"] == "undetermined"


def test_answers_a_little_too_long_are_a_fact_and_much_too_long_a_warning() -> None:
    for told, severity in ((44, Severity.INFO), (79, Severity.INFO), (104, Severity.WARNING)):
        evidence = run(*audited(size("Binding", 20, told), size("Allocate", 28, 76)))
        report = diagnose(evidence, Run(id="x", command="audit-turn", started_at="", duration_ms=1.0))
        assert [(item.code, item.severity) for item in report.findings] == [("turn-audit-large-answers", severity)]


def test_a_report_says_what_is_not_known_and_is_then_no_clean_bill() -> None:
    evidence = CASES["permissions that nobody answers prove nothing"].evidence
    report = diagnose(evidence, Run(id="x", command="audit-turn", started_at="", duration_ms=1.0))
    assert report.verdict.status == "inconclusive"
    assert any(item.what.endswith(": loopback") for item in report.not_tested)


def test_a_clean_audit_is_healthy() -> None:
    report = diagnose(run(*audited()), Run(id="x", command="audit-turn", started_at="", duration_ms=1.0))
    assert (report.verdict.status, report.verdict.direct_p2p) == ("healthy", "not-tested")
    assert report.verdict.summary == "18 checks: 18 passed."


@pytest.mark.parametrize(
    ("software", "ids"),
    [
        ("Coturn-4.5.1.1 'dan Eider'", ["CVE-2020-26262", "CVE-2026-27624", "pull request 1945"]),
        ("Coturn-4.6.1 'Gorst'", ["CVE-2026-27624", "pull request 1945"]),
        ("Coturn-4.13.1 'x'", []),
        ("Coturn-4.17.0", []),
        ("Coturn", []),
        ("pion/turn 1.0", []),
        ("", []),
    ],
)
def test_a_version_has_the_flaws_that_later_ones_repaired(software: str, ids: list[str]) -> None:
    assert [flaw.id for flaw in flaws_of(software)] == ids


def test_a_version_is_read_from_the_text_that_servers_send() -> None:
    assert announced("Coturn-4.6.1 'Gorst'") == ("coturn", (4, 6, 1))
    assert announced("just words") is None


def test_the_list_is_small_and_each_peer_stands_once() -> None:
    assert len(PEERS) == len({peer.ip for peer in PEERS}) <= 30
    assert set(CHANNEL_PEERS) <= {peer.ip for peer in PEERS}
    assert len(fixed_peers(Family.IPV4)) + len(fixed_peers(Family.IPV6)) == len(PEERS)


def test_an_audit_with_credentials_takes_less_than_a_minute() -> None:
    server = parse_server("turn:turn.example.org", credential=Credential("a", "b"))
    assert 30 <= audit_seconds([server]) <= 60
    assert audit_seconds([parse_server("turn:turn.example.org")]) < 15
