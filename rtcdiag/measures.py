"""What was measured of a relay, in the form in which a report's server rows have it: plain numbers, no judgement."""

from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec

from rtcdiag.evidence import Observation, PacketStream, RelayQuality, RelaySoak, RelayThroughput
from rtcdiag.rules.soak import limit_of


def relay_measures(observations: Sequence[Observation]) -> dict[str, Any]:
    """Return what the experiments that take long have found through one server's relay; empty where none was made."""
    found: dict[str, Any] = {}
    for item in observations:
        if isinstance(item, RelayQuality):
            found["relay"] = _quality(item)
        elif isinstance(item, RelayThroughput):
            found["throughput"] = _throughput(item)
        elif isinstance(item, RelaySoak):
            found["soak"] = _soak(item)
    return found


def _quality(item: RelayQuality) -> dict[str, Any]:
    first = next((one for one in item.streams if one.way == "round-trip"), None)
    trip = first.trip_ms if first is not None else None
    direct = median(item.direct_ms) if item.direct_ms else None
    return {
        "rtt_ms": msgspec.to_builtins(trip),
        "direct_ms": direct,
        "overhead_ms": round(trip.p50 - direct, 3) if trip is not None and direct is not None else None,
        "jitter_ms": msgspec.to_builtins(first.jitter_ms) if first is not None else None,
        "loss_percent": {f"{one.way} {one.payload_bytes}": _loss(one) for one in item.streams},
        "round_trip_only": item.round_trip_only or None,
        "streams": msgspec.to_builtins(item.streams),
    }


def _loss(one: PacketStream) -> float:
    return round(one.lost_percent, 3)


def _throughput(item: RelayThroughput) -> dict[str, Any]:
    return {
        "up_to_kbps": item.up_to_kbps,
        "carried_kbps": max((step.carried_kbps for step in item.steps), default=None),
        "limit_kbps": limit_of(item),
        "steps": msgspec.to_builtins(item.steps),
    }


def _soak(item: RelaySoak) -> dict[str, Any]:
    names = ("planned_s", "lasted_s", "lifetime_s", "sent", "received", "longest_gap_s")
    kept = {"upkeep": msgspec.to_builtins(item.upkeep), "stop": msgspec.to_builtins(item.stop)}
    return {name: getattr(item, name) for name in names} | kept
