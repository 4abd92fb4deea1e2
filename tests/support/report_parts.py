"""The parts of whole reports: chains of stages, servers, a NAT, a reach table."""

from typing import Any, Literal

import msgspec

from rtcdiag.evidence import Environment, Evidence, Interface, Observation
from rtcdiag.evidence.candidate import Candidate
from rtcdiag.findings import STAGES, Stage
from rtcdiag.nat import Certainty, Nat
from rtcdiag.report import (
    CandidateRow,
    Nats,
    Options,
    Report,
    ServerRow,
    StageRow,
    Tool,
    Verdict,
    raw_evidence,
)
from rtcdiag.traversal import PeerKind, Reach, Reachable
from support.observations import PUBLIC, at

STUN = ("stun:stun.example.org", "stun:stun.example.net", "stun:stun.example.com:3479")
AT = ("198.51.100.10:3478", "198.51.100.77:3478", "192.0.2.33:3479")
TURN, TURN_AT = "turn:turn.example.com:3478", "198.51.100.20:3478"
TURNS, TURNS_AT = "turns:turn.example.com:443?transport=tcp", "198.51.100.20:443"
LAPTOP = Environment(
    os="Linux 6.1",
    python="3.11.2",
    interfaces=(
        Interface(name="wlan0", role="wifi", addresses=("192.168.1.4", "fe80::1c2a")),
        Interface(name="docker0", role="container", addresses=("172.17.0.1",)),
        Interface(name="tun0", role="vpn", addresses=("10.8.0.2",)),
    ),
    default_route="wlan0",
    ipv4=True,
)
EARLY: tuple[Stage, ...] = ("dns", "connect", "tls")


def report(command: str, verdict: Verdict, observations: tuple[Observation, ...] = (), **more: Any) -> Report:
    """Return a report with fixed id and time; the observations are numbered in their order."""
    numbered = (msgspec.structs.replace(item, id=f"obs-{at}") for at, item in enumerate(observations, 1))
    evidence = Evidence(observations=tuple(numbered))
    more.setdefault("environment", LAPTOP)
    more.setdefault("options", Options(targets=STUN, flags={"timeout_ms": 2300.0}))
    return Report(
        id="01JDEXAMPLE0000000000000",
        tool=Tool(version="0.1.0"),
        command=command,
        started_at="2026-11-22T16:00:00.000Z",
        duration_ms=612.4,
        verdict=verdict,
        evidence=raw_evidence(evidence),
        candidates=tuple(row(item) for item in evidence.of(Candidate)),
        **more,
    )


def row(item: Candidate) -> CandidateRow:
    fields = msgspec.structs.asdict(item)
    return CandidateRow(**{name: fields[name] for name in CandidateRow.__struct_fields__})


def chain(uri: str, address: str | None, transport: str, stages: tuple[StageRow, ...], **quality: Any) -> ServerRow:
    worst: Any = max(
        (stage.status for stage in stages), key=["not-tested", "ok", "warning", "failed"].index, default="not-tested"
    )
    place = at(address) if address else None
    return ServerRow(uri=uri, address=place, transport=transport, status=worst, stages=stages, quality=quality or None)


def stages(
    names: tuple[Stage, ...],
    broken: Stage | None = None,
    code: str | None = None,
    status: Literal["failed", "warning"] = "failed",
) -> tuple[StageRow, ...]:
    """Return a chain: ok up to the broken stage, not tested behind it."""
    end = names.index(broken) if broken else len(names)
    return tuple(
        StageRow(stage=name, status="ok", duration_ms=3.1 + 9 * place)
        if place < end
        else StageRow(stage=name, status=status, duration_ms=41.2, finding=code)
        if place == end
        else StageRow(stage=name, status="not-tested")
        for place, name in enumerate(names)
    )


def stun_row(number: int, rtt: float = 21.0) -> ServerRow:
    samples = [round(rtt + 2.3 * (sample % 4), 1) for sample in range(5)]
    quality = {"rtt_ms": samples, "rtt_median_ms": samples[1], "sent": 5, "answered": 5}
    return chain(STUN[number], AT[number], "udp", stages(("dns", "binding")), **quality)


def reach(text: str) -> tuple[Reach, ...]:
    """Return the reach table from one letter a kind of peer: y, n or u."""
    kinds: tuple[PeerKind, ...] = (
        "open",
        "full-cone",
        "address-restricted",
        "port-restricted",
        "symmetric",
        "firewalled",
        "udp-blocked",
    )
    words: dict[str, Reachable] = {"y": "yes", "n": "no", "u": "unknown"}
    whys = {"y": "both sides open their filters with their checks", "n": "neither side learns a port that works"}
    return tuple(
        Reach(peer=kind, direct=words[letter], why=whys.get(letter, "filtering was not tested"))
        for kind, letter in zip(kinds, text, strict=True)
    )


def nat(mapping: Any, filtering: Any, *ports: int, **more: Any) -> Nats:
    return Nats(
        ipv4=Nat(
            behind_nat=True,
            mapping=mapping,
            filtering=filtering,
            mapped=tuple(at(f"{PUBLIC}:{port}") for port in ports),
            pooling="paired",
            cgnat=False,
            alg=False,
            layers=1,
            confidence={"mapping": Certainty(p_wrong=0.0004, evidence=("obs-3", "obs-4"))},
            undetermined={"hairpinning": "not tested: --hairpin", "lifetime_s": "not tested: --lifetime"},
            **more,
        )
    )


def turn_row(kind: str) -> ServerRow:
    names: tuple[Stage, ...] = ("dns", *STAGES[STAGES.index("challenge") :])
    if kind == "ok":
        return chain(
            TURN, TURN_AT, "udp", stages(names), rtt_ms=[22.4, 23.0, 25.1], rtt_median_ms=23.0, sent=4, answered=3
        )
    if kind == "credentials":
        return chain(TURN, TURN_AT, "udp", stages(names, "allocate", "turn-credentials-rejected"))
    if kind == "blocked":
        return chain(TURN, TURN_AT, "udp", stages(names, "challenge", "udp-blocked"))
    secure = EARLY + STAGES[STAGES.index("challenge") :]
    if kind == "expired":
        return chain(TURNS, TURNS_AT, "tls", stages(secure, "tls", "tls-certificate-expired"))
    return chain(TURNS, TURNS_AT, "tls", stages(secure))
