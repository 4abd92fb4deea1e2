"""Whole sessions: the reports of both ends, compared."""

from typing import Any

from rtcdiag.compare import Comparison, compare
from rtcdiag.evidence import Observation, PeerSession
from rtcdiag.report import Report, raw_evidence
from support.homes import APDM, ASKED, Home
from support.two_ends import (
    A_GATHERED,
    A_HOST,
    A_MAPPED,
    A_RELAY,
    A_TOLD,
    B_GATHERED,
    B_HOST,
    B_MAPPED,
    candidate,
    evidence,
    good,
    pair,
    session,
)

HERE, THERE = Home(), Home(public="198.51.100.9", local="192.168.7.4")
SYMMETRIC, FAR_SYMMETRIC = Home(mapping=APDM), Home(mapping=APDM, public="198.51.100.9", local="192.168.7.4")


def half(home: Home, *seen: Observation, **more: Any) -> Report:
    found = evidence(*seen, address=home.local)
    return home.report(command="connect", evidence=raw_evidence(found), **more)


def answerer(direct: str = "connected", relay: str = "no-pairs", **more: Any) -> PeerSession:
    return session(direct, relay, role="answerer", remote_candidates=A_TOLD, **more)


A_DIRECT, B_DIRECT = good(A_HOST, B_MAPPED, A_MAPPED), good(B_HOST, A_MAPPED, B_MAPPED)
A_SILENT = (pair(A_HOST, B_HOST, "host host"), pair(A_HOST, B_MAPPED))
B_SILENT = (pair(B_HOST, A_HOST, "host host"), pair(B_HOST, A_MAPPED))
USED = ("all", "relay")
A_RELAYED = good(A_RELAY, B_MAPPED, A_RELAY, "relay srflx", nominated=USED)
B_RELAYED = good(B_HOST, A_RELAY, B_MAPPED, "srflx relay", nominated=USED)


def direct(**more: Any) -> Comparison:
    one = half(HERE, session(**more), A_DIRECT, *A_GATHERED)
    return compare(one, half(THERE, answerer(), B_DIRECT, *B_GATHERED), ASKED)


def no_path(a: Any = A_SILENT, b: Any = B_SILENT, here: Home = HERE, there: Home = THERE) -> Comparison:
    one = half(here, session("no-pair-answered"), *a, *A_GATHERED)
    return compare(one, half(there, answerer("no-pair-answered"), *b, *B_GATHERED), ASKED)


def relayed(here: Home = SYMMETRIC, there: Home = FAR_SYMMETRIC) -> Comparison:
    gathered = (*A_GATHERED, candidate("relay", A_RELAY, A_MAPPED))
    one = half(here, session("no-pair-answered", "connected"), *A_SILENT, A_RELAYED, *gathered)
    two = half(there, answerer("no-pair-answered", "connected"), *B_SILENT, B_RELAYED, *B_GATHERED)
    return compare(one, two, ASKED)
