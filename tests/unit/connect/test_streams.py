"""Numbered packets of two computers whose clocks have nothing to do with each other."""

import pytest

from rtcdiag.connect.streams import MOST_PACKETS, PAYLOAD_BYTES, Inward, Outward
from rtcdiag.probes.packets import HEAD, MAGIC

SESSION = b"12345678"
APART_MS = 5_000_000.0
"""What the receiver's clock is ahead."""


def sent(packets: int) -> list[bytes]:
    out = Outward(SESSION, 0)
    return [out.next(20.0 * number) for number in range(packets)]


def received(datagrams: list[tuple[bytes, float]], *, told: int | None = None) -> Inward:
    into = Inward(SESSION, 0)
    for data, arrived_ms in datagrams:
        into.receive(data, APART_MS + arrived_ms)
    into.sent = told
    return into


def test_loss_order_copies_and_gaps_are_counted_at_the_receiver() -> None:
    packets = sent(10)
    order = [0, 1, 2, 6, 5, 7, 7, 8]
    stream = received([(packets[number], 40 + 20.0 * number) for number in order], told=10).measured()

    assert (stream.sent, stream.received, stream.lost) == (10, 7, 3)
    assert (stream.reordered, stream.duplicated, stream.lost_in_a_row) == (1, 1, 2)
    assert stream.lost_percent == pytest.approx(30.0)


def test_jitter_is_not_blurred_by_how_far_the_clocks_are_apart() -> None:
    late = [0.0, 8.0] * 50
    stream = received([(data, 40 + 20.0 * at + late[at]) for at, data in enumerate(sent(100))], told=100).measured()

    assert stream.jitter_ms is not None
    assert stream.jitter_ms.mean == pytest.approx(8.0, rel=0.05)


def test_without_a_word_of_the_sender_what_is_known_to_have_been_sent_counts() -> None:
    packets = sent(10)
    stream = received([(packets[number], 40.0) for number in (0, 4)]).measured()

    assert (stream.sent, stream.received) == (5, 2)


def test_an_echo_tells_the_round_trip_by_the_senders_own_clock() -> None:
    out, into = Outward(SESSION, 0), Inward(SESSION, 0)
    echo = into.receive(out.next(100.0), APART_MS)
    assert echo is not None
    out.receive_echo(echo, 142.0)
    out.receive_echo(echo, 500.0)

    spread = out.round_trip_ms()
    assert spread is not None
    assert (out.round_trips, spread.max) == (1, 42.0)


def test_an_echo_is_smaller_than_what_it_answers() -> None:
    echo = Inward(SESSION, 0).receive(sent(1)[0], 0.0)

    assert echo is not None
    assert len(echo) < PAYLOAD_BYTES


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xf4rtq",
        bytes(PAYLOAD_BYTES),
        HEAD.pack(MAGIC, b"87654321", 0, 0, 0).ljust(PAYLOAD_BYTES, b"\0"),
        HEAD.pack(MAGIC, SESSION, 1, 0, 0).ljust(PAYLOAD_BYTES, b"\0"),
        HEAD.pack(MAGIC, SESSION, 0, MOST_PACKETS, 0).ljust(PAYLOAD_BYTES, b"\0"),
        HEAD.pack(MAGIC, SESSION, 0, 0, 0),
    ],
    ids=["nothing", "magic only", "zeros", "another session", "another stream", "a number too high", "too short"],
)
def test_what_is_no_packet_of_the_stream_is_neither_counted_nor_echoed(data: bytes) -> None:
    into = Inward(SESSION, 0)

    assert into.receive(data, 0.0) is None
    assert into.measured().received == 0


def test_an_echo_of_what_was_never_sent_is_no_round_trip() -> None:
    out = Outward(SESSION, 0)
    out.receive_echo(HEAD.pack(b"\xf4rte", SESSION, 0, 0, 0), 10.0)

    assert out.round_trips == 0


def test_who_says_to_have_sent_more_than_fits_is_not_believed() -> None:
    assert received([], told=2**62).measured().sent == MOST_PACKETS


@pytest.mark.parametrize("told", [-(2**62), 0, 3])
def test_who_says_to_have_sent_less_than_came_is_not_believed(told: int) -> None:
    stream = received([(data, 40.0) for data in sent(10)[::3]], told=told).measured()

    assert (stream.sent, stream.received, stream.lost) == (10, 4, 6)
