"""The verdict of a session: what may be called confirmed, and what may not."""

from typing import Any

import pytest

from rtcdiag.diagnosis import Run, diagnose, rediagnose
from rtcdiag.evidence import Evidence
from rtcdiag.report import Report, decode, encode
from support.cases.browser import CASES as WITH_BROWSER
from support.cases.session import CASES, DIRECT, NO_PATH, RELAYED, SILENT, ended
from support.evidence import Turn
from support.two_ends import (
    A_GATHERED,
    A_HOST,
    A_MAPPED,
    A_RELAY,
    B_HOST,
    B_MAPPED,
    evidence,
    good,
    pair,
    sdp,
    session,
)

RUN = Run(id="r", command="connect", started_at="2026-11-23T12:00:00.000Z", duration_ms=9000.0)


def reported(seen: Evidence) -> Report:
    return diagnose(seen, RUN)


@pytest.mark.parametrize(
    ("sentence", "direct", "status"),
    [
        ("two ends connect directly", "confirmed", "healthy"),
        ("two ends connect directly although a relay was first", "confirmed", "healthy"),
        ("two ends connect through a relay only", "relay-needed", "healthy"),
        ("two ends that use relays only connect", "not-tested", "healthy"),
        ("no check of either end arrives", "blocked", "broken"),
        ("checks of the other end arrive, and none that go back", "blocked", "broken"),
        ("of copied text nothing tells whether the other command still ran", "inconclusive", "inconclusive"),
        ("who waited for copied text expires without an answer", "inconclusive", "inconclusive"),
        ("with copied text, checks of the other end show that it ran", "blocked", "broken"),
        ("the other end told nothing", "inconclusive", "broken"),
        ("nobody comes", "inconclusive", "inconclusive"),
        ("the other end leaves", "inconclusive", "inconclusive"),
        ("the signaling breaks", "inconclusive", "inconclusive"),
        ("a session that Ctrl-C ends is no fault of the network", "inconclusive", "inconclusive"),
        ("both ends on one computer", "inconclusive", "inconclusive"),
        ("packets of the other end get lost", "confirmed", "degraded"),
        ("no packet comes although checks pass", "confirmed", "broken"),
    ],
)
def test_a_session_is_judged_by_what_answered(sentence: str, direct: str, status: str) -> None:
    verdict = reported(CASES[sentence].evidence).verdict

    assert (verdict.direct_p2p, verdict.status) == (direct, status)
    assert verdict.summary.endswith(".")


@pytest.mark.parametrize(
    ("sentence", "direct", "status", "words"),
    [
        ("a browser gathers what this program does, under a name", "not-tested", "healthy", "both on this computer"),
        ("DTLS with a browser fails", "not-tested", "broken", "DTLS failed between them"),
        ("no data channel opens", "not-tested", "broken", "no data channel opened"),
        ("a browser may use TCP only", "not-tested", "degraded", "reached each other directly"),
        ("a browser on another computer has its own public address", "confirmed", "healthy", "direct connection"),
    ],
)
def test_a_session_with_a_browser_here_is_judged_by_whether_it_works(
    sentence: str, direct: str, status: str, words: str
) -> None:
    verdict = reported(WITH_BROWSER[sentence].evidence).verdict

    assert (verdict.direct_p2p, verdict.status) == (direct, status)
    assert words in verdict.summary


UNPROVEN: dict[str, Any] = {
    "an outcome without a pair that was answered": (session(), *SILENT),
    "a pair that only heard": (session(), pair(A_HOST, B_MAPPED, state="succeeded", heard=4)),
    "a relay on this end": (session("connected"), RELAYED),
    "a relay on the other end": (session(), good(A_HOST, B_MAPPED, A_MAPPED, "host relay")),
    "a relay that the other end's checks name": (
        session(),
        good(A_HOST, B_MAPPED, A_MAPPED, "host prflx", remote_base_relayed=True),
    ),
    "another port of a relay that was told": (
        session(remote_candidates=(sdp("relay", B_MAPPED),)),
        good(A_HOST, B_MAPPED, A_MAPPED, "host prflx"),
    ),
    "an address of this computer": (session(), good(A_HOST, A_HOST, A_HOST)),
}


@pytest.mark.parametrize("observations", UNPROVEN.values(), ids=UNPROVEN)
def test_direct_is_confirmed_by_nothing_but_an_answered_direct_pair(observations: Any) -> None:
    assert reported(evidence(*observations)).verdict.direct_p2p != "confirmed"


def test_without_a_relay_one_is_what_would_change_it() -> None:
    (change,) = reported(evidence(NO_PATH, *SILENT)).verdict.would_change_if
    tried = reported(evidence(session("no-pair-answered", "no-pair-answered"), *SILENT, pair(A_RELAY, B_MAPPED)))

    assert (change.side, change.then) == ("here", "relay-needed")
    assert tried.verdict.would_change_if == ()


def test_a_server_that_fails_beside_a_session_that_works_is_a_flaw() -> None:
    turn = Turn()
    broken = turn.up_to("challenge")[:1]
    report = reported(evidence(session(), DIRECT, *broken))

    assert report.verdict.direct_p2p == "confirmed"
    assert report.verdict.status != "broken"


def test_a_session_that_never_was_says_so() -> None:
    verdict = reported(Evidence()).verdict

    assert (verdict.status, verdict.direct_p2p, verdict.summary) == (
        "inconclusive",
        "inconclusive",
        "No session was held.",
    )
    assert reported(evidence(ended("expired"))).verdict.confidence == "low"


def test_a_saved_report_of_a_session_is_judged_the_same_again() -> None:
    report = reported(CASES["two ends connect through a relay only"].evidence)

    assert encode(rediagnose(decode(encode(report)))[0]) == encode(report)


HOST_ONLY = (A_GATHERED[0], pair(A_HOST, B_MAPPED))
INSIDE = pair(A_HOST, B_HOST, "host host")


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (HOST_ONLY, "no server told this computer its public IPv4 address"),
        ((*A_GATHERED, INSIDE), "the other end told no public IPv4 address"),
        ((A_GATHERED[0], INSIDE), "neither end told a public IPv4 address"),
    ],
)
def test_silence_between_ends_that_told_no_public_address_proves_no_absence_of_a_path(seen: Any, words: str) -> None:
    alone = reported(evidence(NO_PATH, *seen)).verdict
    relayed = reported(evidence(session("no-pair-answered", "connected"), *seen, RELAYED)).verdict
    fair = reported(evidence(NO_PATH, *A_GATHERED, pair(A_HOST, B_MAPPED))).verdict

    assert (alone.direct_p2p, alone.status, alone.by_family["ipv4"]) == ("inconclusive", "broken", "inconclusive")
    assert (relayed.direct_p2p, relayed.status) == ("inconclusive", "inconclusive")
    assert words in alone.summary
    assert words in relayed.summary
    assert fair.direct_p2p == "blocked"
