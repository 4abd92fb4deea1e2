"""How good a relay is, in a few words and as tables."""

from collections.abc import Iterator
from typing import assert_never

from rtcdiag.evidence import Evidence, PacketStream, RateStep, RelayQuality, RelaySoak, RelayThroughput, Upkeep
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.words import Tone, count, ms
from rtcdiag.rules.soak import limit_of

Kind = RelayQuality | RelayThroughput | RelaySoak
_MOST = 9.9e8
"""What is more is no measurement, whoever wrote the report."""
WAY = {"round-trip": "there and back", "up": "up", "down": "down", "inward": "to here"}


def label(item: Kind) -> str:
    """Return what was measured."""
    match item:
        case RelayQuality():
            return "Quality"
        case RelayThroughput():
            return "Throughput"
        case RelaySoak():
            return "Soak test"
        case _:
            assert_never(item)


def outcome(item: Kind) -> tuple[str, Tone]:
    """Return what came out, in a line."""
    match item:
        case RelayQuality():
            received, sent = (sum(getattr(one, name) for one in item.streams) for name in ("received", "sent"))
            return f"{received} of {sent} packets arrived", "ok" if received >= sent else "warn"
        case RelayThroughput():
            return _throughput(item), "ok"
        case RelaySoak():
            return _soak(item), "ok" if item.stop is None and not any(one.failed for one in item.upkeep) else "bad"
        case _:
            assert_never(item)


def lines(item: Kind) -> Iterator[str]:
    """Yield the few lines that tell a user how good a relay is."""
    match item:
        case RelayQuality():
            yield from _quality(item)
        case RelayThroughput():
            yield f"throughput: {_throughput(item)}"
        case RelaySoak():
            yield f"soak test: {_soak(item)}"
        case _:
            assert_never(item)


def _throughput(item: RelayThroughput) -> str:
    carried = max((step.carried_kbps for step in item.steps), default=0.0)
    if limit_of(item) is None:
        return f"all of what was tried arrived, up to {_whole(carried)} kbit/s"
    return f"no more than {_whole(carried)} kbit/s arrived, where up to {item.up_to_kbps} were to be tried"


def _soak(item: RelaySoak) -> str:
    """Return how long data went through, and what was renewed."""
    lasted = f"{_whole(item.lasted_s)} s"
    if item.stop is not None:
        return f"data stopped after {_whole(item.stop.after_s)} s"
    told = ", ".join(_kept(one) for one in item.upkeep if one.done or one.failed)
    return f"{item.received} of {item.sent} packets in {lasted}, renewed: {told or 'nothing, for nothing expired'}"


def _kept(one: Upkeep) -> str:
    failed = f", {one.failed} failed" if one.failed else ""
    nonces = f", {count(one.fresh_nonces, 'new nonce')}" if one.fresh_nonces else ""
    return f"{one.what} {count(one.done, 'time')}{failed}{nonces}"


def _whole(value: float) -> str:
    return f"{min(max(value, 0.0), _MOST):.0f}"


def _quality(item: RelayQuality) -> Iterator[str]:
    trips = [one for one in item.streams if one.way == "round-trip"]
    for one in trips[:1]:
        if one.trip_ms is not None and one.jitter_ms is not None:
            yield (
                f"round trip {ms(one.trip_ms.p50)} (95 % within {ms(one.trip_ms.p95)}, at most {ms(one.trip_ms.max)})"
                f", jitter {ms(one.jitter_ms.mean)}"
            )
    there = [f"{percent(one.lost_percent)} of {one.payload_bytes} bytes" for one in trips]
    ways = [f"{WAY[one.way]} {percent(one.lost_percent)}" for one in item.streams if one not in trips]
    yield "; ".join(["lost there and back: " + ", ".join(there), *([", ".join(ways)] if ways else [])])
    if item.round_trip_only:
        yield f"each way by itself is not told: {item.round_trip_only}"
    odd = {name: sum(getattr(one, name) for one in item.streams) for name in ("late", "reordered", "duplicated")}
    if any(odd.values()):
        yield ", ".join(f"{number} {name}" for name, number in odd.items() if number)


def percent(value: float) -> str:
    """Return a share in words: ``0 %``, ``0.4 %``, ``12 %``."""
    return f"{value:.1f} %" if 0 < value < 10 else f"{value:.0f} %"


def streams(evidence: Evidence) -> Table | None:
    """Return every stream through every relay."""
    rows = tuple(_row(item, one) for item in evidence.of(RelayQuality) for one in item.streams)
    if not rows:
        return None
    columns = ("Server", "Way", "Bytes", "Sent", "Lost", "Late", "Reordered", "Twice", "Trip, ms", "Jitter, ms")
    note = "Trip: least / mean / median / 95 % within / most. Jitter (RFC 3550): mean / most."
    return Table(caption="Quality of the relays", columns=columns, rows=rows, note=note)


def _row(item: RelayQuality, one: PacketStream) -> tuple[Cell, ...]:
    trip, jitter = one.trip_ms, one.jitter_ms
    return (
        code(f"{item.server} {item.transport} {item.destination}"),
        Cell(WAY[one.way]),
        Cell(str(one.payload_bytes)),
        Cell(str(one.sent)),
        Cell(f"{one.lost} ({percent(one.lost_percent)})", "warn" if one.lost else ""),
        *(Cell(str(number), "warn" if number else "") for number in (one.late, one.reordered, one.duplicated)),
        Cell(_row_of(trip.min, trip.mean, trip.p50, trip.p95, trip.max) if trip else ""),
        Cell(_row_of(jitter.mean, jitter.max) if jitter else ""),
    )


def rates(evidence: Evidence) -> Table | None:
    """Return every rate that was tried through every relay."""
    rows = tuple(_rate(item, step) for item in evidence.of(RelayThroughput) for step in item.steps)
    if not rows:
        return None
    columns = ("Server", "Sent, kbit/s", "Arrived, kbit/s", "Lost", "Trip, ms")
    note = "Trip: least / median / most."
    return Table(caption="Throughput of the relays", columns=columns, rows=rows, note=note)


def _rate(item: RelayThroughput, step: RateStep) -> tuple[Cell, ...]:
    trip, lost = step.trip_ms, max(0, step.sent - step.received)
    return (
        code(f"{item.server} {item.transport} {item.destination}"),
        Cell(_whole(step.offered_kbps)),
        Cell(_whole(step.carried_kbps)),
        Cell(f"{lost} of {step.sent}", "warn" if lost else ""),
        Cell(_row_of(trip.min, trip.p50, trip.max) if trip else ""),
    )


def _row_of(*values_ms: float) -> str:
    return " / ".join(f"{min(value, _MOST):.1f}" for value in values_ms)
