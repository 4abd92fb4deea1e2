"""A session of two as one end saw it: where it broke, what its NATs showed, how good the path is."""

from typing import Any

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure, Gathering, PacketStream, PeerSession
from rtcdiag.evidence.session import Policy, PolicyOutcome, SessionTimes
from support.cases import Case, case
from support.evidence import at
from support.two_ends import (
    A_GATHERED,
    A_HOST,
    A_MAPPED,
    A_OTHER,
    A_RELAY,
    B_HOST,
    B_MAPPED,
    B_OTHER,
    B_TOLD,
    evidence,
    good,
    learned,
    packets,
    pair,
    sdp,
    session,
)

DIRECT = good(A_HOST, B_MAPPED, A_MAPPED)
RELAYED = good(A_RELAY, B_MAPPED, A_RELAY, "relay srflx")
SILENT = (pair(A_HOST, B_HOST, "host host"), pair(A_HOST, B_MAPPED))
NO_PATH = session("no-pair-answered")
POLICIES: tuple[Policy, ...] = ("all", "direct", "relay")
NOTHING = tuple(PolicyOutcome(policy=policy, outcome="no-pairs") for policy in POLICIES)

NAME = "candidate:1 1 udp 2113937151 46041e94-5603-4c78-81f0-eebff086caa3.local 43861 typ host"


def ended(stop: Any) -> PeerSession:
    return session("ended-early", "ended-early", stop=stop, detail="no answer within 600 s", remote_candidates=())


def seen_from(told: TransportAddress | None, *gathered: Any, **more: Any) -> Case:
    """Return a session in which the other end saw this socket as A_OTHER."""
    codes = more.pop("codes", ())
    own = learned("own", A_OTHER, told, A_HOST)
    return case(evidence(session(**more), good(A_HOST, B_MAPPED, A_OTHER), own, *gathered), *codes)


def of_them(*told: str) -> Any:
    return evidence(session(remote_candidates=told), DIRECT, learned("remote", B_OTHER, B_MAPPED, A_HOST))


def waited(trickle: bool, **gathering: Any) -> Any:
    times = SessionTimes(first_candidate_ms=3.0, gathered_ms=5003.0, told_ms=5010.0)
    last = Gathering(t_ms=1.0, duration_ms=5000.0, server="stun:stun.example.org", **{"candidates": 0, **gathering})
    quick = Gathering(t_ms=1.0, duration_ms=40.0, server="stun:stun.example.net", candidates=1)
    return evidence(session(trickle=trickle, times=times), DIRECT, quick, last)


CASES: dict[str, Case] = {
    "the other end told names of mDNS only": case(
        evidence(session("no-pairs", "no-pairs", stop="no-path", remote_candidates=(NAME,))), "session-peer-names-only"
    ),
    "two ends connect directly": case(evidence(session(), DIRECT)),
    "two ends connect through a relay only": case(
        evidence(session("no-pair-answered", "connected"), *SILENT, RELAYED), "session-relayed-only"
    ),
    "two ends connect directly although a relay was first": case(
        evidence(session("connected", "connected"), RELAYED, DIRECT)
    ),
    "two ends that use relays only connect": case(evidence(session("no-pairs", "connected"), RELAYED)),
    "no check of either end arrives": case(evidence(NO_PATH, *SILENT), "session-no-path"),
    "a whole session passes without an answer": case(
        evidence(session("no-pair-answered", stop="expired"), *SILENT), "session-no-path"
    ),
    "who waited for copied text expires without an answer": case(
        evidence(session("no-pair-answered", stop="expired", signaling="copied-text"), *SILENT), "session-expired"
    ),
    "of copied text nothing tells whether the other command still ran": case(
        evidence(session("no-pair-answered", signaling="copied-text"), *SILENT), "session-silent"
    ),
    "nothing tells from here whether an application still checked": case(
        evidence(session("no-pair-answered", signaling="copied-text", application=True), *SILENT),
        "session-application-silent",
    ),
    "with copied text, checks of the other end show that it ran": case(
        evidence(session("no-pair-answered", signaling="copied-text"), pair(A_HOST, B_MAPPED, heard=3)),
        "session-one-way",
    ),
    "checks of the other end arrive, and none that go back": case(
        evidence(NO_PATH, pair(A_HOST, B_MAPPED, heard=3)), "session-one-way"
    ),
    "a check of the other end came in when it was too late to answer": case(
        evidence(NO_PATH, pair(A_HOST, B_MAPPED, heard=1, requests=1)), "session-no-path"
    ),
    "the other end told nothing": case(
        evidence(session("no-pairs", stop="no-path", remote_candidates=())), "session-peer-without-candidates"
    ),
    "nothing fits together": case(evidence(session("no-pairs", stop="no-path")), "session-no-pairs"),
    "nobody comes": case(evidence(ended("no-peer")), "session-no-peer"),
    "an application told its offer before it had gathered, and the session expires": case(
        evidence(session(stop="expired", policies=NOTHING, remote_candidates=())),
        "session-peer-without-candidates",
    ),
    "a session expires": case(evidence(ended("expired")), "session-expired"),
    "the other end leaves": case(evidence(ended("peer-left")), "session-peer-left"),
    "the signaling breaks": case(evidence(ended("signaling")), "session-signaling-failed"),
    "a computer without candidates": case(evidence(ended("no-candidates")), "session-no-candidates"),
    "a session that Ctrl-C ends is no fault of the network": case(evidence(ended("interrupted"), *SILENT)),
    "both ends on one computer": case(evidence(session(), good(A_HOST, A_HOST, A_HOST)), "session-one-computer"),
    "a NAT that used another port towards the other end than towards a STUN server": seen_from(
        A_MAPPED, *A_GATHERED, codes=("session-mapping-differs",)
    ),
    "a host address behind a NAT that was learned proves nothing": seen_from(A_HOST, *A_GATHERED),
    "a learned address with nothing told proves nothing": seen_from(None, *A_GATHERED),
    "a told address that no STUN server saw of this socket proves nothing": seen_from(A_MAPPED, A_GATHERED[0]),
    "another public address proves no mapping": seen_from(at("203.0.113.8:50100"), *A_GATHERED),
    "another port proves nothing after the network changed": seen_from(
        A_MAPPED, *A_GATHERED, address_changed=True, codes=("session-address-changed",)
    ),
    "an address that was lost while checking proves no path blocked": case(
        evidence(session("ended-early", stop="no-path", address_changed=True), *SILENT), "session-address-changed"
    ),
    "the NAT of the other end used another port": case(of_them(*B_TOLD), "session-peer-mapping-differs"),
    "another port of an end that hides its own addresses proves nothing": case(of_them(sdp("srflx", B_MAPPED))),
    "another port of an end with one socket more proves nothing": case(
        of_them(*B_TOLD, sdp("host", at("10.8.0.2:61000")))
    ),
    "another port of a name of mDNS proves nothing": case(
        of_them("candidate:1 1 udp 1 d4f8.local 60200 typ host", sdp("srflx", B_MAPPED))
    ),
    "candidates are refused": case(evidence(session(refused_candidates=3), DIRECT), "session-candidates-refused"),
    "a relay that is not released": case(evidence(session(released=False), DIRECT), "session-relay-not-released"),
    "a description waits for a silent server": case(
        waited(trickle=False, failure=Failure.TIMEOUT), "gathering-failed", "session-gathering-late"
    ),
    "a description waits for a server that one interface does not reach": case(
        waited(trickle=False, candidates=1, failure=Failure.TIMEOUT), "session-gathering-late"
    ),
    "with trickle nothing waits": case(waited(trickle=True, redundant=1), "gathering-failed"),
    "no packet comes although checks pass": case(evidence(session(), DIRECT, packets(DIRECT, 150)), "session-no-data"),
    "packets of the other end get lost": case(evidence(session(), DIRECT, packets(DIRECT, 15)), "session-lossy"),
    "two packets of 150 are chance": case(evidence(session(), DIRECT, packets(DIRECT, 2))),
    "packets of the other end jitter": case(
        evidence(session(), DIRECT, packets(DIRECT, jitter=44.0)), "session-jitter"
    ),
    "the other end is far": case(evidence(session(), DIRECT, packets(DIRECT, trip=420.0)), "session-far"),
    "how many packets the other end sent is not known": case(
        evidence(
            session(),
            DIRECT,
            packets(DIRECT, inward=PacketStream(way="inward", payload_bytes=172, interval_ms=20.0, sent=0, received=0)),
        )
    ),
}
