"""Sessions of two, both ends of them: A behind 203.0.113.7, B behind 198.51.100.9, and a relay at 192.0.2.50."""

from typing import Any

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import (
    Candidate,
    CheckedPair,
    Evidence,
    Interface,
    Jitter,
    LearnedCandidate,
    Observation,
    PacketStream,
    PeerSession,
    PeerStream,
    Spread,
)
from rtcdiag.evidence.session import PolicyOutcome, Selection, SessionTimes
from support.evidence import at, run

SESSION = "00112233aabbccdd"
A_HOST, A_MAPPED, A_OTHER = at("192.168.1.4:50100"), at("203.0.113.7:50100"), at("203.0.113.7:50977")
B_HOST, B_MAPPED, B_OTHER = at("192.168.7.4:60200"), at("198.51.100.9:60200"), at("198.51.100.9:60955")
A_RELAY = at("192.0.2.50:49160")
TIMES = SessionTimes(
    first_candidate_ms=2.0,
    gathered_ms=50.0,
    told_ms=60.0,
    heard_ms=400.0,
    first_check_ms=410.0,
    first_success_ms=480.0,
    nominated_ms=520.0,
)


def sdp(kind: str, address: TransportAddress, base: TransportAddress | None = None) -> str:
    related = f" raddr {base.host} rport {base.port}" if base else ""
    return f"candidate:1 1 udp 1694498815 {address.host} {address.port} typ {kind}{related}"


A_TOLD = (sdp("host", A_HOST), sdp("srflx", A_MAPPED, A_HOST))
B_TOLD = (sdp("host", B_HOST), sdp("srflx", B_MAPPED, B_HOST))


def candidate(kind: Any, address: TransportAddress, base: TransportAddress | None = None) -> Candidate:
    return Candidate(
        t_ms=2.0, type=kind, address=address, related=base, priority=1, foundation="1", sdp=sdp(kind, address, base)
    )


A_GATHERED = (candidate("host", A_HOST), candidate("srflx", A_MAPPED, A_HOST))
B_GATHERED = (candidate("host", B_HOST), candidate("srflx", B_MAPPED, B_HOST))


def policy(name: Any, outcome: Any) -> PolicyOutcome:
    t_ms = 480.0 if outcome == "connected" else None
    return PolicyOutcome(policy=name, outcome=outcome, first_success_ms=t_ms, nominated_ms=t_ms)


def session(direct: str = "connected", relay: str = "no-pairs", **more: Any) -> PeerSession:
    both = next((one for one in ("connected", "ended-early") if one in (direct, relay)), "no-pair-answered")
    fields: dict[str, Any] = {
        "t_ms": 1.0,
        "session": SESSION,
        "role": "offerer",
        "signaling": "sse",
        "trickle": True,
        "stop": "done" if both == "connected" else "no-path",
        "times": TIMES,
        "policies": (policy("all", both), policy("direct", direct), policy("relay", relay)),
        "remote_candidates": B_TOLD,
    }
    return PeerSession(**fields | more)


def pair(local: TransportAddress, remote: TransportAddress, kinds: str = "host srflx", **more: Any) -> CheckedPair:
    """Return a pair that got no answer; ``kinds`` are the types of its ends."""
    one, two = kinds.split()
    fields: dict[str, Any] = {"t_ms": 410.0, "state": "failed", "checks": 2, "requests": 14}
    return CheckedPair(local=local, local_type=one, remote=remote, remote_type=two, **fields | more)  # type: ignore[arg-type] # a candidate's type


def good(
    local: TransportAddress, remote: TransportAddress, mapped: TransportAddress, kinds: str = "host srflx", **more: Any
) -> CheckedPair:
    """Return a pair that was answered, and was seen as ``mapped``."""
    fields: dict[str, Any] = {"state": "succeeded", "checks": 1, "requests": 1, "answered": 1, "heard": 2}
    times: dict[str, Any] = {"rtt_ms": 41.2, "first_success_ms": 480.0, "nominated": ("all", "direct")}
    return pair(local, remote, kinds, **fields | times | {"mapped": mapped} | more)


def learned(whose: Any, address: TransportAddress, told: TransportAddress | None, local: TransportAddress) -> Any:
    return LearnedCandidate(t_ms=440.0, whose=whose, address=address, told=told, local=local)


def chosen(item: CheckedPair, name: Any = "all", t_ms: float = 520.0) -> Selection:
    ends = {"local": item.local, "local_type": item.local_type, "remote": item.remote, "remote_type": item.remote_type}
    return Selection(t_ms=t_ms, policy=name, **ends)  # type: ignore[arg-type] # of the pair


def packets(item: CheckedPair, lost: int = 0, jitter: float = 0.6, trip: float = 41.0, **more: Any) -> PeerStream:
    inward = PacketStream(
        way="inward",
        payload_bytes=172,
        interval_ms=20.0,
        sent=150,
        received=150 - lost,
        lost_in_a_row=min(lost, 2),
        jitter_ms=Jitter(final=jitter, mean=jitter, max=2 * jitter),
    )
    spread = Spread(min=trip - 1, mean=trip, p50=trip, p95=trip + 4, max=trip + 9)
    fields: dict[str, Any] = {"t_ms": 600.0, "duration_ms": 3000.0, "policy": "all", "inward": inward}
    return PeerStream(local=item.local, remote=item.remote, round_trip_ms=spread, round_trips=150, **fields | more)


def evidence(*observations: Observation, address: str = "192.168.1.4") -> Evidence:
    return run(
        *observations, os="Linux 6.1", interfaces=(Interface(name="eth0", role="ethernet", addresses=(address,)),)
    )
