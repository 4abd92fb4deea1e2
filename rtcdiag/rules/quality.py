"""How good a relay is for calls: loss, delay and jitter of the packets that were sent at the rate of a call."""

from collections.abc import Iterator
from math import sqrt
from statistics import median

from rtcdiag.evidence import Evidence, PacketStream, RelayQuality
from rtcdiag.findings import Facts, Finding
from rtcdiag.rules.paths import Path, asked_paths

LOSS_PERCENT = (1.0, 5.0)
JITTER_MS = (30.0, 100.0)
TRIP_MS = (300.0, 800.0)
"""From where on a call suffers, and from where on it is none."""
_GRADES = ("people will notice it in calls", "too much for calls")
OVERHEAD_MS = 50.0
_LEAST_LOST = 3
"""Fewer may be chance, whatever share of a short run they are."""
_BLURRED_MS = 10.0
_SURE = 4.0
"""Standard deviations between the losses of two sizes."""
_CHANCE = 0.01


def quality(evidence: Evidence) -> Iterator[Finding]:
    """Judge each relay that was measured."""
    for path in asked_paths(evidence):
        for item in path.of(RelayQuality):
            yield from _loss(path, item)
            yield from _times(path, item)


def grade(value: float, thresholds: tuple[float, float]) -> str:
    """Say how bad a value is that is over the first threshold."""
    return _GRADES[value >= thresholds[1]]


def _loss(path: Path, item: RelayQuality) -> Iterator[Finding]:
    small, large = _by_size(item)
    if small is not None and large is not None and _grows(small, large):
        facts: Facts = {"small": shown_percent(small.lost_percent), "large": shown_percent(large.lost_percent)}
        yield path.find("turn-loss-grows-with-size", item, bytes=[small.payload_bytes, large.payload_bytes], **facts)
    lossy = [one for one in item.streams if one is not large and loses(one)]
    if not lossy and large is not None and loses(large) and small is not None and not _grows(small, large):
        lossy = [large]
    if lossy:
        one_way = [one for one in lossy if one.way != "round-trip"]
        worst = max(one_way or lossy, key=lambda one: one.lost_percent)
        yield path.find(
            "turn-relay-lossy",
            item,
            loss=_where(item, one_way or [worst]),
            percent=round(worst.lost_percent, 3),
            grade=grade(worst.lost_percent, LOSS_PERCENT),
            lost=worst.lost,
            sent=worst.sent,
            in_a_row=worst.lost_in_a_row,
            cause=_cause(item, worst),
        )


def _by_size(item: RelayQuality) -> tuple[PacketStream | None, PacketStream | None]:
    """Return the streams there and back, the one of small packets and the one of large ones."""
    trips = sorted((one for one in item.streams if one.way == "round-trip"), key=lambda one: one.payload_bytes)
    return (trips[0] if trips else None), (trips[-1] if len(trips) > 1 else None)


def loses(one: PacketStream) -> bool:
    """Tell whether so many packets were lost that it is no chance."""
    return one.lost >= _LEAST_LOST and one.lost_percent >= LOSS_PERCENT[0]


def _grows(small: PacketStream, large: PacketStream) -> bool:
    """Tell by a test of two proportions whether large packets get lost more often."""
    if not (small.sent and loses(large)):
        return False
    shares = [one.lost / one.sent for one in (small, large)]
    pooled = (small.lost + large.lost) / (small.sent + large.sent)
    deviation = sqrt(pooled * (1 - pooled) * (1 / small.sent + 1 / large.sent))
    return shares[1] - shares[0] > _SURE * deviation


_WAYS = {
    "up": "on the way to the server",
    "down": "on the way back",
    "round-trip": "there and back",
    "inward": "on the way here",
}


def _where(item: RelayQuality, lossy: list[PacketStream]) -> str:
    """Say how much gets lost which way, as far as that is known."""
    told = " and ".join(f"{shown_percent(one.lost_percent)} {_WAYS[one.way]}" for one in lossy)
    return told + ("" if item.reference else ", and which way is not known")


def _cause(item: RelayQuality, worst: PacketStream) -> str:
    """Compare with what was sent to the server itself in the same seconds, where that tells anything."""
    lost, sent = max(0, item.direct_sent - len(item.direct_ms)), max(0, item.direct_sent)
    here = f"Of {sent} requests to the server itself in the same seconds {lost or 'none'} got lost"
    if lost > 1:
        return f"{here}: the line loses them, and not the relay alone."
    if lost == 0 and (1 - worst.lost_percent / 100) ** sent < _CHANCE:
        return f"{here}: it is the relay that loses them."
    return f"{here}, too few to tell whether the line or the relay loses them."


def _times(path: Path, item: RelayQuality) -> Iterator[Finding]:
    small, _ = _by_size(item)
    if small is None or small.trip_ms is None:
        return
    direct = median(item.direct_ms) if item.direct_ms else None
    trip = small.trip_ms.p50
    beside = "" if direct is None else f"The server itself answered in {direct:.0f} ms in the same seconds. "
    facts: Facts = {"trip_ms": round(trip), "direct_ms": None if direct is None else round(direct), "beside": beside}
    if trip >= TRIP_MS[0]:
        yield path.find("turn-relay-far", item, grade=grade(trip, TRIP_MS), **facts)
    if direct is not None and trip - direct >= OVERHEAD_MS:
        yield path.find("turn-relay-adds-delay", item, added_ms=round(trip - direct), **facts)
    yield from _jitter(path, item, small)


def _jitter(path: Path, item: RelayQuality, small: PacketStream) -> Iterator[Finding]:
    """Judge jitter only where this program itself kept to its times."""
    own = item.pacing_ms.p95 if item.pacing_ms else 0.0
    if small.jitter_ms is None or small.jitter_ms.mean < JITTER_MS[0]:
        return
    mean = small.jitter_ms.mean
    if own > _BLURRED_MS:
        yield path.find("turn-jitter-undetermined", item, jitter_ms=round(mean), own_ms=round(own))
    else:
        yield path.find("turn-relay-jitter", item, jitter_ms=round(mean), grade=grade(mean, JITTER_MS))


def shown_percent(percent: float) -> str:
    """Return a share for people: ``0.6 %``, ``12 %``."""
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"
