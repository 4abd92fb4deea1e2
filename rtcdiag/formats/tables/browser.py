"""A session with a browser: which pair it used, the data channel, and what passed over it."""

from collections.abc import Iterator
from itertools import pairwise

from rtcdiag.evidence import BrowserView, DataChannel, Evidence, PeerStream
from rtcdiag.formats.tables import Cell, Table
from rtcdiag.formats.words import ms

_OUTCOME = {
    "open": "open",
    "dtls-failed": "DTLS failed",
    "dtls-silent": "DTLS was not answered",
    "not-opened": "encrypted, but no channel opened",
}


def words(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Return label and words of each line; nothing where the other end was no browser."""
    channels, views = evidence.of(DataChannel), evidence.of(BrowserView)
    yield from _used(views)
    yield from _channel(evidence.of(PeerStream), channels)


def table(evidence: Evidence) -> Table:
    """Return the same as a table."""
    rows = tuple((Cell(label), Cell(told)) for label, told in words(evidence)) if evidence.of(BrowserView) else ()
    return Table(caption="The browser on the other end", columns=("what", "outcome"), rows=rows)


def _used(views: tuple[BrowserView, ...]) -> Iterator[tuple[str, str]]:
    used = [(item.after_ms, f"{item.local_type} to {item.remote_type}") for view in views for item in view.selected]
    if used:
        changes = [f"{now}, seen after {ms(at)}" for (_, before), (at, now) in pairwise(used) if now != before]
        rest = ", then ".join(changes) or f"the same after {ms(used[-1][0])}"
        yield "Used by the browser", f"{used[0][1]}{', then ' if changes else ', '}{rest}"


def _channel(streams: tuple[PeerStream, ...], channels: tuple[DataChannel, ...]) -> Iterator[tuple[str, str]]:
    for item in channels[:1]:
        times = f": DTLS {ms(item.dtls_ms)}, channels {ms(item.open_ms)}" if item.open_ms is not None else ""
        yield "Data channel", _OUTCOME[item.outcome] + times
        if item.received_there is not None:
            yield "Packets to the browser", f"{item.received_there} of {item.sent} arrived"
    for stream in streams[:1] if channels else ():
        yield "Packets from the browser", f"{stream.inward.received} of {stream.inward.sent} arrived"
        if stream.round_trip_ms is not None:
            trips = stream.round_trip_ms
            yield "Round trips", f"{ms(trips.p50)} median, {ms(trips.p95)} 95 %, of {stream.round_trips}"
    for item in channels[:1]:
        yield from _rates(item)


def _rates(item: DataChannel) -> Iterator[tuple[str, str]]:
    each = (("from the browser", item.inward_kbps), ("to the browser", item.outward_kbps))
    told = [f"{kbps / 1000:.1f} Mbit/s {way}" for way, kbps in each if kbps is not None]
    if told:
        yield "Throughput", f"at least {', '.join(told)}; rtcdiag itself may be the limit, not the network"
