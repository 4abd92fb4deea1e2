"""Two reports compared: path, reason, the one change, and what cannot be told."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.compare import Comparison, compare
from rtcdiag.evidence import Environment
from rtcdiag.findings import Finding, Severity
from rtcdiag.formats import RenderOptions
from rtcdiag.formats.comparison import FORMATS, render
from rtcdiag.nat import Nat, OtherWay
from rtcdiag.report import Nats, Redaction, Report, ServerRow, StageRow
from support.homes import ADM, APDF, APDM, ASKED, EIM, VERDICT, Home

FAR = Home(public="198.51.100.9", local="192.168.7.4")
SYMMETRIC = Home(mapping=APDM)
FAR_SYMMETRIC = Home(mapping=APDM, public="198.51.100.9", local="192.168.7.4")


def with_nat(report: Report, **better: Any) -> Report:
    assert report.nat.ipv4 is not None
    return msgspec.structs.replace(report, nat=Nats(ipv4=msgspec.structs.replace(report.nat.ipv4, **better)))


def compared(one: Report, two: Report) -> Comparison:
    return compare(one, two, ASKED)


def turn(status: str = "ok", finding: str | None = None) -> tuple[ServerRow, ...]:
    stages = (StageRow(stage="allocate", status="ok"), StageRow(stage="data", status=status, finding=finding))  # type: ignore[arg-type] # a stage's word
    address = TransportAddress("203.0.113.99", 3478)
    return (ServerRow(uri="turn:turn.example.org", address=address, transport="udp", status="ok", stages=stages),)


def test_two_homes_that_map_alike_for_all_connect_by_their_public_addresses() -> None:
    found = compared(Home().report(), FAR.report())

    assert (found.direct, found.verdict.direct_p2p, found.verdict.confidence) == ("yes", "likely", "high")
    assert found.families["ipv4"].path == msgspec.convert(
        {"a": "srflx", "b": "srflx"}, type(found.families["ipv4"].path)
    )
    assert found.families["ipv6"].why == "A: it has no IPv6"
    assert found.verdict.would_change_if == ()


@pytest.mark.parametrize(
    ("a", "b", "unless"),
    [
        (None, None, "one side's checks come first and cost the other's NAT its port"),
        (None, False, "B's checks come first and cost A's NAT its port"),
        (False, None, "A's checks come first and cost B's NAT its port"),
        (False, False, ""),
    ],
)
def test_a_yes_that_takes_kept_ports_for_granted_says_so_with_less_confidence(
    a: bool | None, b: bool | None, unless: str
) -> None:
    found = compared(Home(tracks=a).report(), replace(FAR, tracks=b).report())

    assert found.direct == "yes"
    assert found.families["ipv4"].unless.startswith(unless)
    assert (f", unless {unless}" in found.verdict.summary, found.verdict.confidence) == (
        (True, "medium") if unless else (False, "high")
    )


def test_nothing_is_taken_for_granted_where_the_first_packets_decide_nothing() -> None:
    open_filter = compared(Home(tracks=None).report(), replace(FAR, filtering=EIM).report())
    no_nat = compared(Home(tracks=None, local="203.0.113.7").report(), FAR.report())
    one_network = compared(Home(tracks=None).report(), Home(local="192.168.1.5", tracks=None).report())

    assert [found.direct for found in (open_filter, no_nat, one_network)] == ["yes"] * 3
    assert [found.families["ipv4"].unless for found in (open_filter, no_nat, one_network)] == [""] * 3


def test_two_symmetric_nats_need_a_relay_and_either_can_open_a_port() -> None:
    found = compared(SYMMETRIC.report(servers=turn()), FAR_SYMMETRIC.report())

    assert (found.direct, found.relayed, found.verdict.direct_p2p) == ("no", "yes", "relay-needed")
    assert "such as A's turn:turn.example.org" in found.verdict.summary
    assert [(item.side, item.then) for item in found.verdict.would_change_if] == [("a", "likely"), ("b", "likely")]


def test_without_a_relay_there_is_none_and_a_turn_server_would_help() -> None:
    found = compared(SYMMETRIC.report(), FAR_SYMMETRIC.report())

    assert (found.verdict.status, found.verdict.direct_p2p) == ("broken", "blocked")
    assert [item.then for item in found.verdict.would_change_if] == ["likely", "likely", "relay-needed", "relay-needed"]


def test_a_relay_that_failed_or_was_not_tried_is_not_counted_on() -> None:
    failed = compared(SYMMETRIC.report(servers=turn("failed")), FAR_SYMMETRIC.report())
    untried = compared(SYMMETRIC.report(servers=turn("not-tested")), FAR_SYMMETRIC.report())

    assert (failed.relayed, untried.relayed) == ("no", "unknown")
    assert untried.verdict.direct_p2p == "inconclusive"


def test_a_server_that_was_asked_for_ipv6_only_may_relay_ipv4_and_not_the_reverse() -> None:
    over6 = (msgspec.structs.replace(turn()[0], address=TransportAddress("2001:db8::99", 3478)),)
    ipv6 = Nat(behind_nat=False, mapping=EIM, filtering=APDF, mapped=(TransportAddress("2001:db8:2::7", 5000),))
    far = Home(APDM, public="198.51.100.9", ipv6=ipv6).report()
    relayed = [compared(SYMMETRIC.report(servers=servers), far).families for servers in (over6, turn())]

    assert [(found["ipv4"].relayed, found["ipv6"].relayed) for found in relayed] == [
        ("unknown", "yes"),
        ("yes", "no"),
    ]


def test_a_relay_that_only_its_like_reached_is_not_counted_on() -> None:
    servers = turn("warning", "turn-relay-ports-unreachable")
    found = compared(SYMMETRIC.report(servers=servers), FAR_SYMMETRIC.report())

    assert (found.direct, found.relayed) == ("no", "unknown")
    assert compared(SYMMETRIC.report(servers=turn("warning")), FAR_SYMMETRIC.report()).relayed == "yes"


def test_an_unknown_filter_gives_a_condition_and_no_guess() -> None:
    found = compared(Home(filtering="undetermined").report(), FAR_SYMMETRIC.report())

    assert found.direct == "unknown"
    assert "direct if filtering at A is not address-and-port-dependent" in found.families["ipv4"].why
    assert found.verdict.confidence == "low"


def test_ipv6_on_both_sides_is_a_way_whatever_ipv4_does() -> None:
    here = Nat(behind_nat=False, mapping=EIM, filtering=APDF, mapped=(TransportAddress("2001:db8:1::7", 5000),))
    there = Nat(behind_nat=False, mapping=EIM, filtering=APDF, mapped=(TransportAddress("2001:db8:2::7", 5000),))
    both = compared(Home(APDM, ipv6=here).report(), Home(APDM, public="198.51.100.9", ipv6=there).report())
    one = compared(Home(APDM, ipv6=here).report(), FAR_SYMMETRIC.report())

    assert (both.direct, both.families["ipv4"].direct) == ("yes", "no")
    assert "over IPv6" in both.verdict.summary
    assert one.direct == "no"
    assert next(item.change for item in one.verdict.would_change_if if item.side == "b").startswith("get IPv6")


def test_a_family_that_one_side_does_not_have_is_not_called_blocked() -> None:
    strict = Nat(mapping=EIM, filtering=APDF, mapped=(TransportAddress("2001:db8::7", 5000),), behind_nat=False)

    for other in (FAR, Home(public="198.51.100.9", local="192.168.7.4", ipv6=strict)):
        assert compared(SYMMETRIC.report(), other.report()).verdict.by_family["ipv6"] == "not-tested"


def test_one_local_network_connects_by_host_addresses_with_less_confidence() -> None:
    found = compared(SYMMETRIC.report(), Home(mapping=APDM, local="192.168.1.5").report())

    assert (found.direct, found.verdict.confidence) == ("yes", "medium")
    assert found.families["ipv4"].same_address is True
    assert found.families["ipv4"].path is not None
    assert found.families["ipv4"].path.a == "host"


@pytest.mark.parametrize(
    ("local", "carrier", "words"),
    [
        ("192.168.9.5", None, "different networks"),
        ("192.168.1.4", None, "same local address"),
        ("192.168.1.5", True, "a carrier's NAT may join strangers"),
    ],
)
def test_behind_one_address_it_is_not_told_whether_it_is_one_network(local: str, carrier: bool, words: str) -> None:
    found = compared(Home().report(), with_nat(Home(local=local).report(), cgnat=carrier))

    assert found.direct == "unknown"
    assert words in found.families["ipv4"].why
    assert "hairpinning" in found.families["ipv4"].why


def test_known_hairpinning_settles_what_one_public_address_leaves_open() -> None:
    def told(hairpinning: bool) -> Comparison:
        one, two = Home(local="192.168.8.4").report(), Home(local="192.168.9.5").report()
        return compared(with_nat(one, hairpinning=hairpinning), two)

    assert (told(True).direct, told(False).direct) == ("yes", "unknown")
    assert "and the NAT sends back in what goes to its own address" in told(True).verdict.summary


@pytest.mark.parametrize(("hairpinning", "direct"), [(None, "unknown"), (False, "unknown"), (True, "yes")])
def test_neighboring_public_addresses_may_be_of_one_carriers_nat(hairpinning: bool | None, direct: str) -> None:
    one, two = Home(public="203.0.113.130"), Home(public="203.0.113.131", local="192.168.2.4")
    found = compared(
        with_nat(one.report(), cgnat=True, hairpinning=hairpinning), with_nat(two.report(), layers=2, cgnat=True)
    )

    assert found.direct == direct
    assert found.families["ipv4"].same_address is False
    assert ("one carrier's NAT" in found.families["ipv4"].why) == (direct == "unknown")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "open a port to this computer (port mapping"),
        ({"layers": 2}, "open a port to this computer in each of the NATs"),
        ({"layers": 2, "cgnat": True}, "get a public address from the provider"),
    ],
)
def test_nobody_is_told_to_open_a_port_in_a_carriers_nat(more: dict[str, Any], words: str) -> None:
    found = compared(with_nat(SYMMETRIC.report(), **more), FAR_SYMMETRIC.report())
    here = [change.change for change in found.verdict.would_change_if if change.side == "a"]

    assert here[0].startswith(words)
    assert not any("keep one public port" in change for change in here)


def test_neighbors_without_a_carriers_nat_are_apart() -> None:
    found = compared(Home(public="203.0.113.8").report(), Home(local="192.168.9.5").report())

    assert found.direct == "yes"


def test_udp_blocked_on_one_side_leaves_its_own_relay() -> None:
    finding = Finding(code="udp-blocked-relay-works", severity=Severity.WARNING, subject="", title="", meaning="")
    blocked = FAR.report(findings=(finding,), servers=turn())
    found = compared(Home().report(), blocked)

    assert (found.direct, found.relayed) == ("no", "yes")
    assert "no UDP gets out of B's network" in found.verdict.summary
    assert found.b.nat["ipv4"] == "no UDP gets out"
    assert compared(Home().report(servers=turn()), FAR.report(findings=(finding,))).relayed == "no"


def test_a_family_that_nobody_asked_in_is_not_called_blocked() -> None:
    finding = Finding(code="udp-blocked", severity=Severity.ERROR, subject="", title="", meaning="")
    blocked = FAR.report(findings=(finding,))
    has_both = msgspec.structs.replace(blocked, environment=Environment(os="Linux", ipv4=True, ipv6=True))
    only_ipv4, only_ipv6 = has_both, msgspec.structs.replace(has_both, nat=Nats(ipv6=has_both.nat.ipv4))
    peer = msgspec.structs.replace(Home().report(), environment=has_both.environment)

    assert compared(peer, only_ipv4).families["ipv4"].direct == "no"
    assert compared(peer, only_ipv4).families["ipv6"].direct == "unknown"
    assert "was not tested over IPv6" in compared(peer, only_ipv4).families["ipv6"].why
    assert compared(peer, only_ipv6).families["ipv4"].direct == "unknown"
    assert "was not tested over IPv4" in compared(peer, only_ipv6).families["ipv4"].why


def test_reports_redacted_with_different_keys_are_not_compared_by_address() -> None:
    one = SYMMETRIC.report(redaction=Redaction(level="share", key_id="k1"))
    other = FAR_SYMMETRIC.report(redaction=Redaction(level="share", key_id="k2"))
    same = FAR_SYMMETRIC.report(redaction=Redaction(level="share", key_id="k1"))

    assert compared(one, other).direct == "unknown"
    assert "redacted apart" in compared(one, other).families["ipv4"].why
    assert compared(one, same).direct == "no"


def test_another_way_out_makes_a_no_unknown() -> None:
    way = OtherWay(interface="wlan0", address="10.0.0.4", mapped=(TransportAddress("192.0.2.7", 4000),))
    more = with_nat(SYMMETRIC.report(), other_ways=(way,))

    assert compared(more, FAR_SYMMETRIC.report()).direct == "unknown"


def test_a_report_of_a_command_that_tests_no_nat_is_said_to_be_one() -> None:
    report = msgspec.structs.replace(FAR.report(), command="check-turn", nat=Nats())
    found = compared(Home().report(), report)

    assert found.direct == "unknown"
    assert any("check-turn" in note for note in found.notes)


def test_who_is_a_does_not_matter() -> None:
    homes = [Home(mapping, filtering) for mapping in (EIM, ADM, APDM) for filtering in (EIM, APDF)]
    for one in homes:
        for two in homes:
            far = Home(two.mapping, two.filtering, public="198.51.100.9", local="192.168.7.4")
            forth, back = compared(one.report(), far.report()), compared(far.report(), one.report())
            assert (forth.direct, forth.relayed) == (back.direct, back.relayed)


def test_each_table_of_the_page_has_one_heading() -> None:
    page = render("html", compared(SYMMETRIC.report(), FAR_SYMMETRIC.report()), RenderOptions())

    assert [page.count(f">{name}</") for name in ("The two sides", "Paths")] == [1, 1]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_answer_and_stays_harmless(name: str) -> None:
    home = FAR.report(verdict=msgspec.structs.replace(VERDICT, summary="<script>\x1b[31m"))
    hostile = msgspec.structs.replace(home, id="<b>\x1b]0;x\x07", started_at="</script><b>")
    text = render(name, compared(SYMMETRIC.report(servers=turn()), hostile), RenderOptions(verbosity=1))

    assert "\x1b" not in text
    assert "\x07" not in text
    assert name != "html" or "<b>\\x1b" not in text
    assert "address" in text
