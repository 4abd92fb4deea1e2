"""Numbered datagrams through a relay: what is sent when, what counts as arrived, and how long a trip took."""

import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.probes.flow import COUNT, MAX_SOURCES, OFFSETS_MS, PAYLOAD_BYTES, Flow, new_run_id
from rtcdiag.stun.framing import split_channel_data
from rtcdiag.stun.header import looks_like_stun

RUN = bytes(range(8))
RELAY = TransportAddress("203.0.113.10", 50_000)


def test_what_arrived_is_not_sent_again_and_what_did_not_is() -> None:
    flow = Flow(0, RUN)
    first = flow.due(10.0)
    assert len(first) == COUNT
    assert flow.receive(first[2], RELAY, 30.0)
    assert flow.due(50.0) == []
    again = flow.due(10.0 + OFFSETS_MS[1])
    assert len(again) == COUNT - 1
    assert not set(again) & set(first)


def test_copies_end_with_the_last_offset_and_the_wake_with_the_end() -> None:
    flow = Flow(0, RUN)
    for offset in OFFSETS_MS:
        assert flow.due(offset)
    assert flow.due(10_000.0) == []
    assert flow.wake_ms(1500.0) == 1500.0


def test_it_wakes_for_the_next_copies_but_never_after_the_end() -> None:
    flow = Flow(0, RUN)
    assert flow.wake_ms(1500.0) == 1500.0
    flow.due(5.0)
    assert flow.wake_ms(1500.0) == 5.0 + OFFSETS_MS[1]
    assert flow.wake_ms(50.0) == 50.0


def test_a_trip_is_timed_from_the_copy_that_arrived() -> None:
    flow = Flow(0, RUN)
    flow.due(0.0)
    copies = flow.due(OFFSETS_MS[1])
    assert flow.receive(copies[0], RELAY, OFFSETS_MS[1] + 40.0)
    assert flow.rtt_ms == 40.0


def test_a_datagram_counts_once_and_its_first_trip_is_kept() -> None:
    flow = Flow(0, RUN)
    (first, *_), copies = flow.due(0.0), flow.due(OFFSETS_MS[1])
    assert flow.receive(first, RELAY, 120.0)
    assert flow.receive(copies[0], RELAY, 121.0)
    assert (flow.sent, flow.received, flow.rtt_ms) == (COUNT, 1, 120.0)


def test_it_is_complete_when_every_datagram_arrived_in_whatever_order() -> None:
    flow = Flow(0, RUN)
    for payload in reversed(flow.due(0.0)):
        assert not flow.complete
        assert flow.receive(payload, RELAY, 1.0)
    assert flow.complete
    assert flow.due(OFFSETS_MS[1]) == []


def test_nothing_was_sent_or_received_before_it_starts() -> None:
    flow = Flow(0, RUN)
    assert (flow.sent, flow.received, flow.rtt_ms, flow.complete) == (0, 0, None, False)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"\x00",
        lambda data: b"\x00" + data[1:],
        lambda data: data[:4] + bytes(8) + data[12:],
        lambda data: data[:12] + b"\x07" + data[13:],
        lambda data: data[:13] + bytes([COUNT]) + data[14:],
        lambda data: data[:14] + b"\x01" + data[15:],
        lambda _data: b"",
    ],
    ids=["cut off", "too long", "no magic", "another run", "another flow", "no such number", "not sent yet", "empty"],
)
def test_what_was_not_sent_here_does_not_count(spoil: object) -> None:
    flow = Flow(0, RUN)
    payload = flow.due(0.0)[0]
    assert callable(spoil)
    assert not flow.receive(spoil(payload), RELAY, 1.0)
    assert flow.sources == []
    assert flow.receive(payload, RELAY, 1.0)


def test_sources_are_kept_once_each_and_only_the_first_few() -> None:
    flow = Flow(0, RUN)
    payload = flow.due(0.0)[0]
    for port in (1, 1, 2, 3, 4, 5, 6):
        flow.receive(payload, TransportAddress("203.0.113.10", port), 1.0)
    assert [source.port for source in flow.sources] == [1, 2, 3, 4]
    assert len(flow.sources) == MAX_SOURCES


def test_a_payload_looks_like_neither_stun_nor_channel_data_and_needs_padding() -> None:
    for payload in Flow(3, new_run_id()).due(0.0):
        assert len(payload) == PAYLOAD_BYTES
        assert PAYLOAD_BYTES % 4
        assert not looks_like_stun(payload)
        assert split_channel_data(payload) is None


def test_two_runs_do_not_take_each_others_datagrams() -> None:
    mine, other = Flow(0, new_run_id()), Flow(0, new_run_id())
    payload = mine.due(0.0)[0]
    other.due(0.0)
    assert not other.receive(payload, RELAY, 1.0)
