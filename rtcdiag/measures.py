"""What was measured of a relay, in the form in which a report's server rows have it: plain numbers, no judgement."""

from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec

from rtcdiag.evidence import Observation, PacketStream, RelayQuality


def relay_measures(observations: Sequence[Observation]) -> dict[str, Any]:
    """Return what the experiments that take long have found through one server's relay; empty where none was made."""
    found: dict[str, Any] = {}
    for item in observations:
        if isinstance(item, RelayQuality):
            found["relay"] = _quality(item)
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
