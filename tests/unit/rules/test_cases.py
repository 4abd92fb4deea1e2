"""Every case of ``support.cases``: exactly these codes, no more and no fewer."""

import pytest

from rtcdiag.diagnosis import findings_of
from rtcdiag.evidence import Failure
from rtcdiag.findings import Severity, silenced
from rtcdiag.rules import RULES
from rtcdiag.rules import run as rule_run
from rtcdiag.stages import server_rows
from support.cases import (
    Case,
    audit,
    audit_config,
    blocked,
    browser,
    clock,
    gateway,
    ice,
    ipv6,
    network,
    proxy,
    quality,
    session,
    stun,
    tls,
    turn,
)
from support.evidence import Turn, binding, refused, run, target

SUBJECTS = (
    network,
    blocked,
    clock,
    gateway,
    ipv6,
    proxy,
    tls,
    stun,
    turn,
    ice,
    quality,
    session,
    browser,
    audit,
    audit_config,
)
CASES = {sentence: case for subject in SUBJECTS for sentence, case in subject.CASES.items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_evidence_gives_exactly_these_codes(case: Case) -> None:
    findings = silenced(tuple(finding for rule in RULES for finding in rule(case.evidence)))
    assert {finding.code for finding in findings} == case.codes


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_stage_owns_a_break_and_no_stage_behind_it_is_called_broken(case: Case) -> None:
    for row in server_rows(case.evidence, findings_of(case.evidence)):
        failed = [stage for stage in row.stages if stage.status == "failed"]
        assert len(failed) == (row.status == "failed")
        assert all(stage.finding for stage in failed)


def test_each_sentence_stands_once() -> None:
    assert len(CASES) == sum(len(subject.CASES) for subject in SUBJECTS)


def severity(sentence: str) -> dict[str, Severity]:
    evidence = CASES[sentence].evidence
    return {finding.code: finding.severity for rule in RULES for finding in rule(evidence)}


def test_a_default_server_that_is_down_is_only_a_fact() -> None:
    found = severity("a server of the default list that is down is not the user's problem")
    assert found == {"server-silent": Severity.INFO}


def test_a_named_server_that_is_down_is_an_error() -> None:
    assert severity("one server is down while another answers") == {"server-silent": Severity.ERROR}


def test_an_allocation_mismatch_that_another_port_heals_is_only_a_fact() -> None:
    found = severity("437, and another port is granted: a fact, no fault")
    assert found == {"turn-allocation-mismatch": Severity.INFO}
    found = severity("437 before the password, and another port is challenged: a fact, no fault")
    assert found == {"turn-allocation-mismatch": Severity.INFO}
    found = severity("437 before the password, and again from another port")
    assert found == {"turn-allocation-mismatch": Severity.ERROR}


def test_a_server_that_ignores_a_wish_for_ipv6_which_no_call_needs_works() -> None:
    assert severity("an IPv4 address for those that ask for IPv6") == {"turn-ipv6-relay-is-ipv4": Severity.INFO}
    assert severity("IPv4 where a call asked for IPv6, and data passes") == {"turn-relay-wrong-family": Severity.INFO}
    assert severity("IPv4 where IPv6 was asked for") == {"turn-relay-wrong-family": Severity.ERROR}


def test_a_second_relay_that_is_refused_is_a_warning_and_the_first_one_an_error() -> None:
    assert severity("a second relay is refused by a quota") == {"turn-quota-reached": Severity.WARNING}
    assert severity("a quota before the login") == {"turn-quota-reached": Severity.ERROR}


def test_a_turn_server_that_protects_stun_is_only_warned_about() -> None:
    found = severity("a TURN server wants a password for STUN, too")
    assert found["binding-needs-credentials"] is Severity.WARNING


def test_another_source_between_relays_only_is_a_warning() -> None:
    found = severity("data between relays comes from an inner address, data outside does not")
    assert found["turn-relays-from-other-address"] is Severity.WARNING


def test_the_stage_is_the_one_at_which_the_path_ended() -> None:
    evidence = CASES["one server's TCP port is silent while another host accepts TCP"].evidence
    (finding,) = [finding for rule in RULES for finding in rule(evidence)]
    assert finding.stage == "connect"
    evidence = CASES["one server is down while another answers"].evidence
    (finding,) = [finding for rule in RULES for finding in rule(evidence)]
    assert finding.stage == "binding"


def test_a_path_finding_names_its_address_and_transport_and_rests_on_an_observation() -> None:
    evidence = CASES["UDP is refused by ICMP"].evidence
    (finding,) = [finding for rule in RULES for finding in rule(evidence)]
    assert {"address": "198.51.100.10:3478", "transport": "udp"}.items() <= finding.facts.items()
    assert finding.evidence == ("obs-2",)
    assert "198.51.100.10:3478" in finding.title


def test_an_allocation_that_only_the_other_side_got_does_not_heal_a_refusal() -> None:
    session = Turn()
    evidence = run(
        *session.up_to("allocate"),
        session.allocation(refused(session.address, 437)),
        session.allocation(allocation="b"),
    )
    (finding,) = [finding for rule in RULES for finding in rule(evidence)]
    assert (finding.code, finding.severity) == ("turn-allocation-mismatch", Severity.ERROR)


def test_a_refusal_names_the_firewall_first_where_stun_over_tcp_answers() -> None:
    alone = CASES["UDP is refused by ICMP"].evidence
    beside = run(
        target(network.A),
        network.silent(network.A, network.A4, Failure.CONNECTION_REFUSED),
        *network.tcp(network.A, network.A4),
    )
    texts = [finding.meaning for evidence in (alone, beside) for rule in RULES for finding in rule(evidence)]
    assert "Nothing listens on the port, or a firewall" in texts[0]
    assert "so a firewall rejects UDP, or the service" in texts[1]


def test_the_deadline_counts_experiments_and_not_their_requests() -> None:
    evidence = CASES["a whole experiment is named once, however many requests it had"].evidence
    assert next(iter(rule_run.deadline(evidence))).facts["count"] == 1


def test_other_hosts_are_named_only_where_they_answered() -> None:
    uri = "stun:stun.example.org:3478"
    addresses = ("198.51.100.10:3478", "198.51.100.11:3478")
    dead, alive = network.silent(uri, addresses[0]), binding(uri, addresses[1])
    (finding,) = [finding for rule in RULES for finding in rule(run(target(uri), dead, alive))]
    assert "while its other addresses do" in finding.title
    other = binding(network.B, network.B4)
    (finding,) = [
        finding for rule in RULES for finding in rule(run(target(uri), target(network.B), dead, alive, other))
    ]
    assert "while other hosts do" in finding.title


def test_the_clock_says_which_way_it_is_wrong() -> None:
    assert [
        next(iter(rule_run.clock(CASES[sentence].evidence))).facts["way"]
        for sentence in ("the clock is an hour fast", "the clock is an hour slow")
    ] == ["ahead", "behind"]
