"""One status, one answer about direct peer-to-peer, one sentence, and what would change it."""

from typing import Any

import msgspec
import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.findings import Finding, Severity
from rtcdiag.nat import Certainty, Nat
from rtcdiag.report import Nats, ServerRow, StageRow
from rtcdiag.verdict import Known, verdict_of

EIM = "endpoint-independent"
ADF = "address-dependent"
APDM = APDF = "address-and-port-dependent"
MAPPED = (TransportAddress("203.0.113.7", 50000),)


def nat(mapping: Any, filtering: Any, **more: Any) -> Nat:
    certain = {"mapping": Certainty(p_wrong=1e-4), "filtering": Certainty(p_wrong=1e-4)}
    return Nat(behind_nat=True, mapping=mapping, filtering=filtering, mapped=MAPPED, confidence=certain, **more)


def finding(code: str, severity: Severity = Severity.ERROR, title: str = "Something is wrong.") -> Finding:
    return Finding(code=code, severity=severity, title=title, meaning="…")


def relay(data: Any, owner: str | None = None) -> ServerRow:
    return ServerRow(
        uri="turn:t",
        address=None,
        transport="udp",
        status=data,
        stages=(StageRow(stage="data", status=data, duration_ms=None if data == "not-tested" else 9.0, finding=owner),),
    )


def known(ipv4: Nat | None = None, **more: Any) -> Known:
    return Known(nats=Nats(ipv4=ipv4), **more)


@pytest.mark.parametrize(
    ("mapping", "filtering", "direct"),
    [
        (EIM, EIM, "likely"),
        (EIM, ADF, "likely"),
        (EIM, APDF, "depends-on-peer"),
        (APDM, APDF, "depends-on-peer"),
        (APDM, EIM, "depends-on-peer"),
    ],
)
def test_the_nat_decides_with_whom_direct_works(mapping: str, filtering: str, direct: str) -> None:
    verdict = verdict_of("nat-type", known(nat(mapping, filtering)))

    assert verdict.direct_p2p == direct
    assert verdict.by_family == {"ipv4": direct, "ipv6": "not-tested"}
    assert (verdict.status, verdict.confidence) == ("healthy", "high")


def test_the_sentence_names_who_is_reached_and_who_is_not() -> None:
    summary = verdict_of("report", known(nat(APDM, APDF))).summary

    assert summary.startswith("Direct with public hosts")
    assert "; not with port-restricted NATs" in summary


def test_an_unknown_filter_gives_a_range_and_low_confidence() -> None:
    verdict = verdict_of("nat-type", known(nat(EIM, "undetermined")))

    assert (verdict.direct_p2p, verdict.confidence) == ("depends-on-peer", "low")
    assert "not known with symmetric NATs" in verdict.summary


@pytest.mark.parametrize(
    ("servers", "direct"),
    [
        ((relay("ok"),), "relay-needed"),
        ((relay("failed"),), "blocked"),
        ((relay("not-tested"),), "inconclusive"),
        ((relay("failed"), relay("not-tested")), "blocked"),
        ((relay("warning", "turn-relay-ports-unreachable"),), "inconclusive"),
        ((relay("warning", "turn-relay-address-unreachable"), relay("failed")), "inconclusive"),
        ((relay("warning", "turn-slow"),), "relay-needed"),
        ((), "inconclusive"),
    ],
)
@pytest.mark.parametrize("code", ["udp-blocked", "udp-blocked-relay-works"])
def test_where_udp_is_blocked_the_relays_decide(code: str, servers: tuple[ServerRow, ...], direct: str) -> None:
    verdict = verdict_of(
        "report", known(nat("undetermined", "undetermined"), servers=servers, findings=(finding(code),))
    )

    assert verdict.direct_p2p == direct
    assert verdict.would_change_if[0].change.startswith("let UDP out")


def test_no_relay_that_works_can_be_mended_at_the_server_too() -> None:
    verdict = verdict_of("report", known(servers=(relay("failed"),), findings=(finding("udp-blocked"),)))

    assert [change.side for change in verdict.would_change_if] == ["here", "server"]


def test_each_promised_change_was_tried_on_the_model() -> None:
    changes = verdict_of("report", known(nat(APDM, APDF))).would_change_if

    assert [(change.side, change.then) for change in changes] == [("here", "likely")]
    assert "open a port" in changes[0].change


def test_only_this_computer_asked_is_inconclusive_and_says_so() -> None:
    verdict = verdict_of("report", known(nat(EIM, EIM, local_only=True)))

    assert (verdict.direct_p2p, verdict.status) == ("inconclusive", "inconclusive")
    assert verdict.summary.startswith("No server outside this computer was asked")


def test_an_error_is_broken_also_where_the_question_got_no_answer() -> None:
    verdict = verdict_of("report", known(findings=(finding("dns-fails", title="Names do not resolve."),)))

    assert verdict.status == "broken"
    assert verdict.summary == "Names do not resolve; whether direct connections work could not be tested."


def test_no_answer_tells_why() -> None:
    silent = Nat(undetermined={"mapping": "no answer over UDP"})
    verdict = verdict_of("nat-type", known(silent))

    assert (verdict.status, verdict.confidence) == ("inconclusive", "low")
    assert "no answer over UDP" in verdict.summary


def test_a_server_check_says_nothing_about_direct_paths() -> None:
    verdict = verdict_of("check-turn", known(servers=(relay("ok"),)))

    assert (verdict.direct_p2p, verdict.by_family, verdict.would_change_if) == ("not-tested", {}, ())
    assert verdict.summary == "1 of 1 tested paths to servers work."


def test_a_server_check_that_tested_nothing_is_inconclusive() -> None:
    assert verdict_of("check-turn", known(servers=(relay("not-tested"),))).status == "inconclusive"


def test_a_relay_that_was_never_tried_is_no_answer() -> None:
    untried = relay("warning")
    untried = msgspec.structs.replace(untried, stages=(StageRow(stage="data", status="warning"),))

    assert verdict_of("check-turn", known(servers=(untried,))).status == "inconclusive"


def test_a_nat_of_which_nothing_was_determined_is_no_answer_to_nat_type() -> None:
    unclear = nat("undetermined", "undetermined")

    assert verdict_of("nat-type", known(unclear)).status == "inconclusive"
    assert verdict_of("report", known(unclear)).status == "healthy"


def test_a_warning_degrades_and_leads_the_sentence_of_a_server_check() -> None:
    warned = known(servers=(relay("warning"),), findings=(finding("x", Severity.WARNING, "It is slow."),))
    verdict = verdict_of("check-turn", warned)

    assert (verdict.status, verdict.summary, verdict.because) == ("degraded", "It is slow.", ("x",))


def test_candidates_are_counted() -> None:
    assert verdict_of("candidates", known(candidates=3)).summary == "3 candidates were gathered."
    none = verdict_of("candidates", known())
    assert (none.status, none.confidence) == ("inconclusive", "low")


def test_one_server_alone_makes_the_confidence_medium() -> None:
    doubted = nat(EIM, APDF)
    doubted.confidence["mapping"] = Certainty(p_wrong=0.02)

    assert verdict_of("nat-type", known(doubted)).confidence == "medium"


def test_ipv6_counts_beside_ipv4_for_those_who_have_it() -> None:
    both = Known(nats=Nats(ipv4=nat(APDM, APDF), ipv6=nat(EIM, EIM)))

    assert verdict_of("nat-type", both).by_family == {"ipv4": "depends-on-peer", "ipv6": "likely"}
    assert verdict_of("nat-type", both).direct_p2p == "depends-on-peer"


@pytest.mark.parametrize("ipv4", [nat(APDM, APDF), nat(EIM, APDF)])
def test_ipv6_is_told_of_where_it_reaches_whom_ipv4_does_not(ipv4: Nat) -> None:
    ipv6 = msgspec.structs.replace(nat(EIM, APDF), behind_nat=False, firewall=True)
    verdict = verdict_of("nat-type", Known(nats=Nats(ipv4=ipv4, ipv6=ipv6)))

    assert verdict.by_family == {"ipv4": "depends-on-peer", "ipv6": "depends-on-peer"}
    assert ("reached directly over it" in verdict.summary) is (ipv4.mapping == APDM)


@pytest.mark.parametrize("code", ["no-answer-over-ipv6", "udp-blocked-over-ipv6"])
def test_ipv6_that_is_proven_closed_is_blocked_and_changes_nothing_over_ipv4(code: str) -> None:
    silent = Nat(undetermined={"mapping": "no answer over UDP"})
    findings = (finding(code, Severity.WARNING),)
    verdict = verdict_of("nat-type", Known(nats=Nats(ipv4=nat(EIM, APDF), ipv6=silent), findings=findings))

    assert verdict.by_family == {"ipv4": "depends-on-peer", "ipv6": "blocked"}
    assert (verdict.direct_p2p, verdict.status) == ("depends-on-peer", "degraded")
    assert "over it" not in verdict.summary


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            finding("udp-blocked", title="No UDP gets out."),
            "No UDP gets out; whether a relay works for calls is not known.",
        ),
        (
            finding("udp-blocked-relay-works", Severity.WARNING),
            "No direct connection is possible from here; whether a relay works for calls is not known.",
        ),
    ],
)
def test_where_nothing_is_direct_and_no_relay_was_proven_the_sentence_leaves_calls_open(
    found: Finding, said: str
) -> None:
    verdict = verdict_of("report", known(nat(EIM, APDF), findings=(found,), servers=(relay("not-tested"),)))

    assert (verdict.direct_p2p, verdict.summary) == ("inconclusive", said)
