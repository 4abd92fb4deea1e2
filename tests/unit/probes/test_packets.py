"""Streams of numbered packets: what arrived, what did not, when, and in which order."""

from itertools import accumulate, chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.probes.packets import HEAD, RUN_IN, Packets, jitter_of, spread

RUN = b"12345678"


def packets(**more: object) -> Packets:
    fields: dict[str, object] = {"way": "round-trip", "payload_bytes": 172, "interval_ms": 20.0}
    return Packets(1, RUN, **fields | more)  # type: ignore[arg-type]  # of a mixed dict


def sent(count: int, stream: Packets | None = None) -> tuple[Packets, list[bytes]]:
    """Send so many, one each 20 ms."""
    stream = stream or packets()
    return stream, [stream.next(20.0 * number) for number in range(count)]


def test_all_that_arrives_is_counted_once() -> None:
    stream, out = sent(3)
    assert [stream.receive(data, 20.0 * at + 40) for at, data in enumerate(out)] == [True] * 3
    assert stream.receive(out[1], 99.0)
    found = stream.measured()
    assert (found.sent, found.received, found.duplicated, found.reordered) == (3, 3, 1, 0)
    assert found.trip_ms == spread([40.0] * 3)
    assert stream.complete
    assert stream.ended


def test_a_packet_has_the_size_that_was_asked_for_and_looks_like_neither_stun_nor_channel_data() -> None:
    for size in (172, 1200):
        _, out = sent(2, packets(payload_bytes=size))
        assert [len(data) for data in out] == [size, size]
        assert out[0][0] >= 0x80
        assert out[0] != out[1]


def test_what_did_not_arrive_is_lost_and_its_longest_gap_told() -> None:
    stream, out = sent(10)
    for number in (0, 1, 5, 7):
        stream.receive(out[number], 500.0)
    found = stream.measured()
    assert (found.sent, found.received, found.lost, found.lost_in_a_row) == (10, 4, 6, 3)
    assert found.lost_percent == 60.0
    assert not stream.ended


def test_a_packet_behind_a_later_one_is_reordered() -> None:
    stream, out = sent(4)
    for number in (0, 2, 3, 1):
        stream.receive(out[number], 500.0)
    assert stream.measured().reordered == 1


def test_a_packet_far_behind_the_quickest_is_late_and_not_lost() -> None:
    stream, out = sent(3)
    for number, trip in enumerate((40.0, 239.0, 241.0)):
        stream.receive(out[number], 20.0 * number + trip)
    found = stream.measured()
    assert (found.late, found.received) == (1, 3)


@pytest.mark.parametrize("place", range(HEAD.size))
def test_a_packet_with_another_head_is_nobodys(place: int) -> None:
    stream, (data,) = sent(1)
    changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    assert not stream.receive(changed, 1.0)
    assert not stream.receive(data[:-1], 1.0)
    assert stream.received == 0


@given(st.binary(max_size=300))
def test_what_a_peer_makes_up_is_refused(data: bytes) -> None:
    stream, _ = sent(2)
    assert not stream.receive(data.ljust(172, b"\0")[:172], 1.0)


def test_what_was_sent_just_before_an_interruption_is_not_lost() -> None:
    stream, out = sent(50)
    for number in range(30):
        stream.receive(out[number], 20.0 * number + 40)
    cut = stream.measured(cut_ms=1000.0)
    assert (cut.sent, cut.received) == (38, 30)
    assert stream.measured().sent == 50


def test_one_way_over_tcp_tells_no_times() -> None:
    stream, out = sent(3, packets(way="up"))
    for data in out:
        stream.receive(data, 500.0)
    found = stream.measured()
    assert (found.trip_ms, found.jitter_ms, found.received) == (None, None, 3)


def test_a_stream_that_was_never_sent_measures_nothing() -> None:
    found = packets().measured()
    assert (found.sent, found.lost_percent, found.trip_ms, found.jitter_ms) == (0, 0.0, None, None)


def test_jitter_is_that_of_rfc_3550() -> None:
    """The algorithm of its appendix A.8, in floating point, written out apart."""
    trips = [40.0, 55.0, 41.0, 70.0, 40.0] * 40
    transit, jitter, seen = trips[0], 0.0, []
    for trip in trips[1:]:
        d, transit = abs(trip - transit), trip
        jitter += (1.0 / 16.0) * (d - jitter)
        seen.append(jitter)
    found = jitter_of(trips)
    assert found is not None
    assert found.final == pytest.approx(jitter, abs=1e-3)
    assert found.max == pytest.approx(max(seen), abs=1e-3)
    assert found.mean == pytest.approx(sum(seen[RUN_IN:]) / len(seen[RUN_IN:]), abs=1e-3)


def test_even_trips_have_no_jitter_and_one_trip_has_none_to_tell() -> None:
    assert jitter_of([40.0]) is None
    found = jitter_of([40.0] * 100)
    assert found is not None
    assert (found.final, found.mean, found.max) == (0.0, 0.0, 0.0)


def test_jitter_goes_by_the_order_of_arrival() -> None:
    stream, out = sent(3)
    for number, at in ((0, 40.0), (2, 80.0), (1, 100.0)):
        stream.receive(out[number], at)
    assert stream.measured().jitter_ms == jitter_of([40.0, 40.0, 80.0])


def test_a_spread_takes_the_nearest_rank() -> None:
    found = spread([float(value) for value in range(1, 101)])
    assert found is not None
    assert (found.min, found.mean, found.p50, found.p95, found.max) == (1.0, 50.5, 50.0, 95.0, 100.0)
    assert spread([]) is None


@given(st.lists(st.floats(0, 1e4), min_size=2, max_size=60))
def test_jitter_is_never_more_than_the_largest_difference(steps: list[float]) -> None:
    trips = list(accumulate(chain([40.0], steps)))
    found = jitter_of(trips)
    assert found is not None
    assert 0 <= found.mean <= found.max <= max(steps) + 1e-3
