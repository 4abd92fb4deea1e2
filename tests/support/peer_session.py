"""What one end of a session of two saw, for the report that holds one observation of every kind."""

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import CheckedPair, LearnedCandidate, Observation, PacketStream, PeerSession, PeerStream
from rtcdiag.evidence.session import PolicyOutcome, Selection, SessionTimes

HOST = TransportAddress.parse("192.168.1.4:50100")
REMOTE = TransportAddress.parse("203.0.113.9:60200")
LEARNED = TransportAddress.parse("203.0.113.9:60201")


def peer_session() -> tuple[Observation, ...]:
    """Return a session that connected directly to an address that no one had told."""
    return (
        PeerSession(
            t_ms=1.0,
            session="00112233aabbccdd",
            role="offerer",
            signaling="sse",
            trickle=True,
            stop="done",
            times=SessionTimes(
                first_candidate_ms=2.0, gathered_ms=50.0, told_ms=60.0, heard_ms=400.0, nominated_ms=520.0
            ),
            policies=(
                PolicyOutcome(policy="all", outcome="connected", first_success_ms=480.0, nominated_ms=520.0),
                PolicyOutcome(policy="direct", outcome="connected", first_success_ms=480.0, nominated_ms=520.0),
                PolicyOutcome(policy="relay", outcome="no-pairs"),
            ),
            selected=(
                Selection(t_ms=520.0, policy="all", local=HOST, local_type="host", remote=LEARNED, remote_type="prflx"),
            ),
            remote_candidates=("candidate:1 1 udp 1694498815 203.0.113.9 60200 typ srflx raddr 0.0.0.0 rport 9",),
        ),
        CheckedPair(
            t_ms=410.0,
            local=HOST,
            local_type="host",
            remote=REMOTE,
            remote_type="srflx",
            state="failed",
            checks=1,
            requests=4,
        ),
        CheckedPair(
            t_ms=440.0,
            local=HOST,
            local_type="host",
            remote=LEARNED,
            remote_type="prflx",
            state="succeeded",
            checks=1,
            requests=1,
            answered=1,
            rtt_ms=40.2,
            first_success_ms=480.0,
            heard=2,
            nominated=("all", "direct"),
        ),
        LearnedCandidate(t_ms=440.0, whose="remote", address=LEARNED, told=REMOTE, local=HOST),
        PeerStream(
            t_ms=600.0,
            duration_ms=2000.0,
            local=HOST,
            remote=LEARNED,
            policy="all",
            inward=PacketStream(way="inward", payload_bytes=172, interval_ms=20.0, sent=100, received=99),
            round_trips=99,
        ),
    )
