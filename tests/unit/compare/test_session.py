"""Two halves of one session: what connected, what broke at whose side, and whether it had been predicted."""

from typing import Any

import msgspec
import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.compare import Comparison, ComparisonError, JoinedPair, compare
from rtcdiag.evidence import ClockReading, Gathering
from rtcdiag.evidence.session import SessionTimes
from rtcdiag.findings import Finding, Severity
from rtcdiag.report import Nats, Redaction
from support.evidence import at, target
from support.halves import (
    A_DIRECT,
    A_RELAYED,
    A_SILENT,
    B_DIRECT,
    B_RELAYED,
    B_SILENT,
    FAR_SYMMETRIC,
    HERE,
    SYMMETRIC,
    THERE,
    answerer,
    direct,
    half,
    no_path,
    relayed,
)
from support.homes import APDM, ASKED, Home
from support.two_ends import (
    A_GATHERED,
    A_HOST,
    A_MAPPED,
    A_OTHER,
    A_RELAY,
    B_GATHERED,
    B_HOST,
    B_MAPPED,
    B_OTHER,
    candidate,
    chosen,
    good,
    learned,
    packets,
    pair,
    session,
)


def test_a_direct_pair_that_both_ends_saw_is_confirmed() -> None:
    found = direct()
    assert found.session is not None

    assert (found.kind, found.command, found.id) == ("connect", "connect", "session-00112233aabbccdd")
    assert (found.verdict.direct_p2p, found.verdict.status, found.verdict.confidence) == (
        "confirmed",
        "healthy",
        "high",
    )
    assert (
        found.verdict.summary
        == "A and B connected directly over IPv4: both at their public addresses, round trip 41 ms."
    )
    assert (found.direct, found.relayed) == ("yes", "unknown")
    assert (found.session.stage, found.session.side) == (None, None)


def test_both_ends_get_the_same_in_whatever_order() -> None:
    one, two = half(HERE, session(), A_DIRECT, *A_GATHERED), half(THERE, answerer(), B_DIRECT, *B_GATHERED)

    assert compare(one, two, ASKED) == compare(two, one, ASKED)


def only(found: Comparison) -> JoinedPair:
    assert found.session is not None
    (row,) = found.session.pairs
    return row


def test_both_views_of_a_pair_are_one_row() -> None:
    row = only(direct())

    assert (row.a.base, row.a.mapped, row.a.address, row.a.type) == (A_HOST, A_MAPPED, A_MAPPED, "srflx")
    assert (row.b.base, row.b.mapped, row.b.address, row.b.type) == (B_HOST, B_MAPPED, B_MAPPED, "srflx")
    assert (row.state, row.agreed, row.relayed, row.nominated) == ("succeeded", True, False, ("all", "direct"))


def test_a_learned_port_joins_what_each_end_knows_of_the_other() -> None:
    told = (learned("remote", B_OTHER, B_MAPPED, A_HOST),)
    one = half(HERE, session(), good(A_HOST, B_OTHER, A_MAPPED, "host prflx"), *told, *A_GATHERED)
    own = learned("own", B_OTHER, B_MAPPED, B_HOST)
    two = half(FAR_SYMMETRIC, answerer(), good(B_HOST, A_MAPPED, B_OTHER), own, *B_GATHERED)
    found = compare(one, two, ASKED)
    assert found.session is not None

    assert (only(found).b.type, only(found).b.address, only(found).b.base) == ("prflx", B_OTHER, B_HOST)
    (lesson,) = found.session.learned
    assert (lesson.whose, lesson.proves, lesson.told) == ("b", True, B_MAPPED)
    assert "B at a port learned from its checks" in found.verdict.summary


def test_pairs_of_other_sockets_are_not_joined() -> None:
    found = no_path((pair(A_HOST, B_MAPPED),), (pair(at("10.8.0.2:61000"), A_MAPPED),))
    assert found.session is not None

    assert len(found.session.pairs) == 2


def test_silent_pairs_are_joined_by_what_was_told() -> None:
    found = no_path()
    assert found.session is not None

    assert [(row.a.type, row.b.type) for row in found.session.pairs] == [("host", "host"), ("srflx", "srflx")]
    assert [(row.a.requests, row.b.requests) for row in found.session.pairs] == [(14, 14), (14, 14)]


def test_a_direct_pair_that_ends_in_a_relay_of_the_other_is_relayed() -> None:
    one = half(HERE, session(), good(A_HOST, A_RELAY, A_MAPPED, "host prflx"), *A_GATHERED)
    two = half(THERE, answerer("no-pair-answered", "connected"), good(A_RELAY, A_MAPPED, A_RELAY, "relay srflx"))
    found = compare(one, two, ASKED)

    assert only(found).relayed
    assert only(found).b.type == "relay"
    assert found.verdict.direct_p2p != "confirmed"


UNAGREED = {
    "one end alone says so": ((A_DIRECT,), B_SILENT),
    "the other end neither heard nor was answered": ((A_DIRECT,), (pair(B_HOST, A_MAPPED),)),
}


@pytest.mark.parametrize(("a", "b"), UNAGREED.values(), ids=UNAGREED)
def test_what_one_end_alone_calls_direct_is_not_confirmed(a: Any, b: Any) -> None:
    one = half(HERE, session(), *a, *A_GATHERED)
    found = compare(one, half(THERE, answerer("no-pair-answered"), *b, *B_GATHERED), ASKED)

    assert (found.verdict.direct_p2p, found.verdict.status) == ("inconclusive", "inconclusive")


def test_one_computer_confirms_nothing() -> None:
    one = half(HERE, session(), good(A_HOST, at("192.168.1.4:50200"), A_HOST, "host host"))
    two = half(HERE, answerer(), good(at("192.168.1.4:50200"), A_HOST, at("192.168.1.4:50200"), "host host"), id="r2")
    found = compare(one, two, ASKED)

    assert (found.verdict.direct_p2p, found.direct) == ("inconclusive", "unknown")
    assert "one computer" in found.verdict.summary


def test_a_relay_that_was_first_does_not_hide_that_direct_works() -> None:
    first = msgspec.structs.replace(A_RELAYED, nominated=("all", "relay"), rtt_ms=20.0)
    later = msgspec.structs.replace(A_DIRECT, nominated=("direct",))
    one = half(HERE, session("connected", "connected"), first, later, *A_GATHERED)
    two = half(THERE, answerer("connected", "connected"), B_RELAYED, msgspec.structs.replace(B_DIRECT, nominated=()))
    found = compare(one, two, ASKED)

    assert (found.verdict.direct_p2p, found.direct, found.relayed) == ("confirmed", "yes", "yes")
    assert found.verdict.summary.endswith("; the session itself used a relay, which was ready first.")


def test_a_session_that_only_a_relay_connects_needs_it() -> None:
    found = relayed()

    assert (found.verdict.direct_p2p, found.verdict.status, found.direct, found.relayed) == (
        "relay-needed",
        "healthy",
        "no",
        "yes",
    )
    assert "through a relay (A's 192.0.2.50), round trip 41 ms, and not directly (both sides" in found.verdict.summary
    assert {change.then for change in found.verdict.would_change_if} == {"likely"}


def test_where_nothing_arrives_the_reason_is_that_of_the_reports() -> None:
    found = no_path(here=SYMMETRIC, there=FAR_SYMMETRIC)
    assert found.session is not None

    assert (found.verdict.status, found.verdict.direct_p2p) == ("broken", "blocked")
    assert (found.session.stage, found.session.side) == ("checks", "both")
    assert "no check of either end arrives at the other (both sides use another port" in found.verdict.summary
    assert "relay-needed" in {change.then for change in found.verdict.would_change_if}


def _from_inside(relay: str, *seen: Any, **more: Any) -> Comparison:
    """Return a session in which B told its own address only, since no STUN server answered it."""
    one = half(HERE, session("no-pair-answered", relay), pair(A_HOST, B_HOST, "host host"), *A_GATHERED, *seen)
    two = half(THERE, answerer("no-pair-answered", relay), *B_SILENT, B_GATHERED[0], **more)
    return compare(one, two, ASKED)


def test_an_end_that_told_no_public_address_is_where_it_broke_and_no_proof_against_a_direct_path() -> None:
    found = _from_inside("no-pairs")
    assert found.session is not None

    assert (found.verdict.status, found.verdict.direct_p2p, found.direct) == ("broken", "inconclusive", "unknown")
    assert found.verdict.by_family["ipv4"] == "inconclusive"
    assert (found.session.stage, found.session.side) == ("gathering", "b")
    assert "B told no public IPv4 address" in found.verdict.summary
    assert found.session.prediction.direct_right == "unknown"


def test_an_end_without_udp_needs_no_public_address_to_be_called_blocked() -> None:
    blocked = Finding(code="udp-blocked", severity=Severity.ERROR, title="UDP is blocked", meaning="Blocked.")
    found = _from_inside("no-pairs", findings=(blocked,))

    assert found.verdict.direct_p2p == "blocked"


@pytest.mark.parametrize(
    ("handed_over_s", "ended_s", "ahead_s", "readings", "word"),
    [
        (20, 80, 0, (), "inconclusive"),
        (20, 80, 60, (), "inconclusive"),
        (20, 80, 60, (0, 60), "inconclusive"),
        (20, 100, 0, (), "inconclusive"),
        (5, 100, 0, (), "blocked"),
        (20, 100, 0, (0, 0), "blocked"),
        (20, 100, -60, (0, -60), "blocked"),
        (None, 300, 0, (), "inconclusive"),
        (None, 400, 0, (), "blocked"),
    ],
)
def test_an_end_is_a_witness_only_if_it_surely_waited_until_the_other_had_checked(
    handed_over_s: float | None, ended_s: float, ahead_s: int, readings: tuple[float, ...], word: str
) -> None:
    """The offerer has checked when 90 s have gone; the answerer's clock may be ahead, by less than it took to paste."""
    copied: dict[str, Any] = {"signaling": "copied-text", "trickle": False}
    told = SessionTimes(told_ms=1000.0)
    heard = SessionTimes(heard_ms=None if handed_over_s is None else 1000.0 + 1000 * handed_over_s)
    offerer = session("no-pair-answered", duration_ms=90_000.0, times=told, **copied)
    early = answerer("ended-early", stop="interrupted", duration_ms=1000 * ended_s, times=heard, **copied)
    clocks = [ClockReading(t_ms=0.0, host="web.example", role="service", offset_s=offset) for offset in readings]
    one = half(HERE, offerer, *A_SILENT, *A_GATHERED, *clocks[:1])
    two = half(THERE, early, *B_SILENT, *B_GATHERED, *clocks[1:])
    two = msgspec.structs.replace(two, started_at=f"2026-11-22T16:{30 + ahead_s // 60:02}:00.000Z")
    one = msgspec.structs.replace(one, started_at="2026-11-22T16:30:00.000Z")
    found = compare(one, two, ASKED)

    assert found.verdict.direct_p2p == word
    outlasted = ended_s + ahead_s > 90
    assert ("their clocks may differ" in found.verdict.summary) == (word == "inconclusive" and outlasted)


def test_one_way_is_told_with_its_direction() -> None:
    found = no_path(b=(pair(B_HOST, A_MAPPED, heard=4),))
    assert found.session is not None

    assert (found.session.stage, found.session.side) == ("checks", "between")
    assert found.session.why == "checks of A arrive at B, and none of B arrives at A"
    assert found.session.prediction.wrong_input.startswith("a filter: packets of B do not reach A")


BROKEN: dict[str, Any] = {
    "nobody came": ("no-peer", "done", "signaling", "a", "inconclusive"),
    "expired at both": ("expired", "expired", "signaling", "both", "inconclusive"),
    "no candidate at B": ("no-path", "no-candidates", "gathering", "b", "broken"),
    "A left": ("interrupted", "peer-left", None, "both", "inconclusive"),
}


@pytest.mark.parametrize(("a", "b", "stage", "letter", "status"), BROKEN.values(), ids=BROKEN)
def test_the_stage_that_broke_and_its_side_are_named(a: str, b: str, stage: str, letter: str, status: str) -> None:
    one = half(HERE, session("ended-early", "ended-early", stop=a))
    found = compare(one, half(THERE, answerer("ended-early", "ended-early", stop=b)), ASKED)
    assert found.session is not None

    assert (found.session.stage, found.session.side, found.verdict.status) == (stage, letter, status)


def test_an_end_that_waited_for_copied_text_until_it_expired_gave_the_checks_their_time() -> None:
    one = half(SYMMETRIC, session("no-pair-answered"), *A_SILENT, *A_GATHERED)
    two = half(FAR_SYMMETRIC, answerer("no-pair-answered", stop="expired"), *B_SILENT, *B_GATHERED)
    found = compare(one, two, ASKED)
    assert found.session is not None

    assert (found.session.stage, found.verdict.direct_p2p, found.verdict.status) == ("checks", "blocked", "broken")


def test_a_family_in_which_nothing_was_promised_does_not_hide_what_was_in_the_other() -> None:
    six = pair(at("[2001:db8::1]:50102"), at("[2001:db8::2]:60202"), "host host")
    back = pair(at("[2001:db8::2]:60202"), at("[2001:db8::1]:50102"), "host host")
    here = Home(mapping=APDM, has_ipv6=True)
    there = Home(mapping=APDM, public="198.51.100.9", local="192.168.7.4", has_ipv6=True)
    found = no_path((*A_SILENT, six), (*B_SILENT, back), here, there)
    assert found.session is not None
    families = found.session.prediction.families

    assert found.session.prediction.direct_right == "unknown"
    assert {name: (item.predicted, item.right) for name, item in families.items()} == {
        "ipv4": ("no", "yes"),
        "ipv6": ("unknown", "unknown"),
    }
    assert "both sides use another port" in found.verdict.summary


def test_a_pair_that_was_left_early_says_nothing_of_its_family() -> None:
    early = pair(at("[2001:db8::1]:50102"), at("[2001:db8::2]:60202"), "host host", state="in-progress", requests=1)
    one = half(HERE, session(), A_DIRECT, early, *A_GATHERED)
    found = compare(one, half(THERE, answerer(), B_DIRECT, *B_GATHERED), ASKED)

    assert found.verdict.by_family == {"ipv4": "confirmed", "ipv6": "inconclusive"}


def test_a_turn_server_that_nobody_sent_data_through_is_no_proven_absence() -> None:
    turn = target("turn:turn.example.org")
    one = half(SYMMETRIC, session("no-pair-answered"), turn, *A_SILENT, *A_GATHERED)
    found = compare(one, half(FAR_SYMMETRIC, answerer("no-pair-answered"), *B_SILENT, *B_GATHERED), ASKED)
    assert found.session is not None

    assert found.session.prediction.relayed == "unknown"
    assert no_path(here=SYMMETRIC, there=FAR_SYMMETRIC).session.prediction.relayed == "no"  # type: ignore[union-attr]  # there is one


def test_data_that_does_not_pass_is_a_stage_of_its_own() -> None:
    one = half(HERE, session(), A_DIRECT, packets(A_DIRECT), *A_GATHERED)
    two = half(THERE, answerer(), B_DIRECT, packets(B_DIRECT, 150), *B_GATHERED)
    found = compare(one, two, ASKED)
    assert found.session is not None

    assert (found.session.stage, found.session.side, found.verdict.status) == ("data", "b", "broken")
    assert "no data of A reaches B" in found.verdict.summary


def test_packets_that_get_lost_degrade_a_session_that_connects() -> None:
    lossy = Finding(code="session-lossy", severity=Severity.WARNING, title="", meaning="")
    other = Finding(code="stun-slow", severity=Severity.WARNING, title="", meaning="")
    two = half(THERE, answerer(), B_DIRECT, *B_GATHERED)

    for finding, status in ((lossy, "degraded"), (other, "healthy")):
        one = half(HERE, session(), A_DIRECT, *A_GATHERED, findings=(finding,))
        assert compare(one, two, ASKED).verdict.status == status


def test_each_way_is_counted_where_it_came_in() -> None:
    one = half(HERE, session(), A_DIRECT, packets(A_DIRECT, 3, jitter=2.5), *A_GATHERED)
    two = half(THERE, answerer(), B_DIRECT, packets(B_DIRECT), *B_GATHERED)
    found = compare(one, two, ASKED)
    assert found.session is not None
    there, back = found.session.ways

    assert (there.sender, there.receiver, there.lost_percent) == ("a", "b", 0.0)
    assert (back.sender, back.receiver, back.lost_percent, back.jitter_ms) == ("b", "a", 2.0, 2.5)


def test_what_trickle_saved_or_cost_names_the_server_that_was_late() -> None:
    times = SessionTimes(first_candidate_ms=3.0, gathered_ms=5003.0, told_ms=5010.0)
    late = Gathering(t_ms=1.0, duration_ms=5000.0, server="stun:stun.example.org", candidates=0)
    one = half(HERE, session(trickle=False, times=times), A_DIRECT, late)
    found = compare(one, half(THERE, answerer(trickle=False), B_DIRECT), ASKED)
    assert found.session is not None
    cost = found.session.a.waiting
    assert cost is not None

    assert (cost.kept_back_ms, cost.paid, cost.server, cost.answered) == (5000.0, True, "stun:stun.example.org", False)
    assert not found.session.trickle


def test_the_selected_pair_over_time_is_told_as_both_ends_know_it() -> None:
    one = half(HERE, session(selected=(chosen(A_DIRECT), chosen(A_DIRECT, "direct"))), A_DIRECT, *A_GATHERED)
    found = compare(one, half(THERE, answerer(selected=(chosen(B_DIRECT),)), B_DIRECT, *B_GATHERED), ASKED)
    assert found.session is not None

    assert [(item.seen_by, item.policy, item.a, item.b) for item in found.session.selected] == [
        ("a", "all", A_MAPPED, B_MAPPED),
        ("a", "direct", A_MAPPED, B_MAPPED),
        ("b", "all", A_MAPPED, B_MAPPED),
    ]


def test_a_prediction_that_came_true_is_right() -> None:
    came, not_so = direct().session, no_path(here=SYMMETRIC, there=FAR_SYMMETRIC).session
    assert came is not None
    assert not_so is not None

    assert (came.prediction.direct, came.prediction.direct_right, came.prediction.wrong_input) == ("yes", "yes", "")
    assert (not_so.prediction.direct, not_so.prediction.direct_right) == ("no", "yes")
    assert came.prediction.relayed_right == "unknown"


def test_a_mapping_that_the_session_refutes_is_the_wrong_input() -> None:
    own = learned("own", A_OTHER, A_MAPPED, A_HOST)
    found = no_path((pair(A_HOST, B_MAPPED),), (pair(B_HOST, A_OTHER, "host prflx", heard=2),))
    refuted = compare(
        half(HERE, session("no-pair-answered"), pair(A_HOST, B_MAPPED), own, *A_GATHERED),
        half(THERE, answerer("no-pair-answered"), *B_SILENT, *B_GATHERED),
        ASKED,
    )
    assert found.session is not None
    assert refuted.session is not None

    assert found.session.prediction.direct_right == "no"
    assert "A's mapping: its report says endpoint-independent" in refuted.session.prediction.wrong_input
    assert "A's mapping" not in found.session.prediction.wrong_input
    unproven = compare(
        half(HERE, session("no-pair-answered"), pair(A_HOST, B_MAPPED), own),
        half(THERE, answerer("no-pair-answered"), *B_SILENT, *B_GATHERED),
        ASKED,
    )
    assert unproven.session is not None
    assert "A's mapping" not in unproven.session.prediction.wrong_input


def test_a_path_that_was_not_predicted_names_what_was_better() -> None:
    one = half(SYMMETRIC, session(), A_DIRECT, *A_GATHERED)
    kept = compare(one, half(FAR_SYMMETRIC, answerer(), B_DIRECT, *B_GATHERED), ASKED).session
    vpn = at("10.8.0.2:50100")
    other = half(SYMMETRIC, session(), good(vpn, B_MAPPED, A_MAPPED), candidate("srflx", A_MAPPED, vpn))
    way = compare(other, half(FAR_SYMMETRIC, answerer(), B_DIRECT, *B_GATHERED), ASKED).session
    assert kept is not None
    assert way is not None

    assert "A's mapping: its NAT used the told port" in kept.prediction.wrong_input
    assert "A used 10.8.0.2, and its report describes another interface" in way.prediction.wrong_input


def test_what_was_not_promised_is_neither_right_nor_wrong() -> None:
    one = half(HERE, session(), A_DIRECT, *A_GATHERED, nat=Nats())
    found = compare(one, half(THERE, answerer(), B_DIRECT, *B_GATHERED), ASKED).session
    assert found is not None

    assert (found.prediction.direct, found.prediction.direct_right) == ("unknown", "unknown")


def test_halves_that_were_redacted_apart_are_joined_by_ports() -> None:
    def moved(address: TransportAddress) -> TransportAddress:
        return TransportAddress(f"192.0.2.{address.ip.packed[0]}", address.port)

    level = Redaction(level="share", key_id="k1")
    one = half(HERE, session(), A_DIRECT, *A_GATHERED, redaction=level)
    mine = good(moved(B_HOST), moved(A_MAPPED), moved(B_MAPPED))
    gathered = candidate("srflx", moved(B_MAPPED), moved(B_HOST))
    two = half(THERE, answerer(), mine, gathered, redaction=Redaction(level="share", key_id="k2"))
    found = compare(one, two, ASKED)

    assert (found.verdict.direct_p2p, found.redaction.level) == ("confirmed", "share")
    assert only(found).agreed


def test_a_half_with_hidden_local_addresses_is_joined() -> None:
    hidden = at("0.0.0.0:50100")
    one = half(HERE, session(), good(hidden, B_MAPPED, A_MAPPED), candidate("srflx", A_MAPPED, hidden))
    found = compare(one, half(THERE, answerer(), B_DIRECT, *B_GATHERED), ASKED)

    assert found.verdict.direct_p2p == "confirmed"
    assert only(found).agreed


def test_a_base_that_only_its_own_report_hides_is_joined_by_its_port() -> None:
    hidden = at("0.0.0.0:60200")
    one = half(HERE, session(), good(A_HOST, B_HOST, A_HOST, "host host"))
    found = compare(one, half(THERE, answerer(), good(hidden, A_HOST, hidden, "host host")), ASKED)

    assert only(found).agreed


def test_the_summary_tells_the_pair_that_was_used_and_not_the_quickest() -> None:
    quick = good(at("10.8.0.2:50300"), B_HOST, at("10.8.0.2:50300"), "host host", rtt_ms=2.0, nominated=())
    back = good(B_HOST, at("10.8.0.2:50300"), B_HOST, "host host", rtt_ms=2.0, nominated=())
    one = half(HERE, session(), quick, A_DIRECT, *A_GATHERED)
    found = compare(one, half(THERE, answerer(), back, B_DIRECT, *B_GATHERED), ASKED)

    assert "both at their public addresses, round trip 41 ms" in found.verdict.summary


def test_two_halves_of_one_end_are_refused() -> None:
    with pytest.raises(ComparisonError, match="both are the offerer's half of session 00112233aabbccdd"):
        compare(half(HERE, session(), A_DIRECT), half(THERE, session(), A_DIRECT), ASKED)


def test_halves_of_different_sessions_are_compared_by_their_networks_and_said_to_be() -> None:
    other = half(THERE, answerer(session="ffff000011112222"), B_DIRECT)
    found = compare(half(HERE, session(), A_DIRECT), other, ASKED)
    alone = compare(half(HERE, session(), A_DIRECT), THERE.report(), ASKED)

    assert (found.kind, found.session, found.direct) == ("compare", None, "yes")
    assert "different sessions (00112233aabbccdd and ffff000011112222)" in found.notes[0]
    assert found.verdict.direct_p2p == "likely"
    assert "only one of the reports is of a session" in alone.notes[0]
