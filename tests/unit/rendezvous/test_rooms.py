"""The rooms, with the time passed in: who sits where, what is kept for whom, and what nobody gets."""

from collections.abc import Callable

import pytest

from rtcdiag.rendezvous.letters import Reading
from rtcdiag.rendezvous.limits import Limits, Rate
from rtcdiag.rendezvous.rates import Buckets, rate_key
from rtcdiag.rendezvous.rooms import RefusedError, Rooms, Seat
from rtcdiag.signaling.patience import OUTAGE_S
from rtcdiag.signaling.wire import MAX_MESSAGE_BYTES, Notice, Refusal

ANN, BEN, EVE = ("a" * 22, "b" * 22, "e" * 22)
HOST = "192.0.2.1"


def room_of_two(rooms: Rooms, now_s: float = 0.0) -> tuple[Seat, Seat]:
    ann = rooms.make(ANN, HOST, now_s)
    return ann, rooms.seat(ann.room.name, BEN, HOST, now_s)


def refused(refusal: Refusal, what: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        what()
    assert caught.value.refusal == refusal
    return caught.value


def nothing() -> None:
    """Stand for what a stream is woken by."""


def listen(rooms: Rooms, seat: Seat, after: int = 0, wake: Callable[[], None] = nothing) -> Reading:
    rooms.opened(seat, wake)
    return Reading(seat, after, wake)


# --- who sits where ---


def test_a_rooms_name_cannot_be_guessed() -> None:
    rooms = Rooms(Limits())
    names = {rooms.make(ANN, f"192.0.2.{number}", 0.0).room.name for number in range(200)}
    assert len(names) == 200
    assert {len(name) for name in names} == {22}


def test_who_makes_a_room_has_the_first_seat_and_who_comes_the_second() -> None:
    ann, ben = room_of_two(Rooms(Limits()))
    assert (ann.number, ben.number) == (0, 1)
    assert ann.other is ben
    assert ben.other is ann


def test_a_third_person_is_refused() -> None:
    rooms = Rooms(Limits())
    ann, _ = room_of_two(rooms)
    refused("full", lambda: rooms.seat(ann.room.name, EVE, HOST, 1.0))


def test_the_same_token_gets_the_same_seat_again() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    assert rooms.seat(ann.room.name, BEN, HOST, 5.0) is ben
    assert rooms.seat(ann.room.name, ANN, HOST, 5.0) is ann


def test_who_has_left_does_not_come_back_and_nobody_takes_the_seat() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    rooms.leave(ben)
    refused("gone", lambda: rooms.seat(ann.room.name, BEN, HOST, 1.0))
    refused("full", lambda: rooms.seat(ann.room.name, EVE, HOST, 1.0))


def test_a_room_that_nobody_made_is_unknown() -> None:
    refused("unknown-room", lambda: Rooms(Limits()).seat("x" * 22, BEN, HOST, 0.0))


def test_guessing_rooms_is_refused_after_a_while_also_with_a_right_guess() -> None:
    rooms = Rooms(Limits(wrong_rooms_per_address=Rate(3, 0.1)))
    ann = rooms.make(ANN, HOST, 0.0)
    for _ in range(3):
        refused("unknown-room", lambda: rooms.seat("x" * 22, EVE, "203.0.113.9", 0.0))
    error = refused("rate", lambda: rooms.seat(ann.room.name, EVE, "203.0.113.9", 0.0))
    assert error.retry_after_s == pytest.approx(10.0)
    assert rooms.seat(ann.room.name, BEN, HOST, 0.0).number == 1


# --- messages ---


def test_what_the_first_says_before_the_second_comes_is_kept_for_him() -> None:
    rooms = Rooms(Limits())
    ann = rooms.make(ANN, HOST, 0.0)
    assert rooms.post(ann, 1, [b"one", b"two"]) == 2
    ben = rooms.seat(ann.room.name, BEN, HOST, 1.0)
    assert listen(rooms, ben).next()[0] == [(1, b"one"), (2, b"two")]
    assert rooms.post(ann, 3, [b"three"]) == 3
    assert ann.sent == 3


def test_messages_that_are_posted_again_are_there_once() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    rooms.post(ann, 1, [b"one", b"two"])
    assert rooms.post(ann, 1, [b"one", b"two", b"three"]) == 3
    assert rooms.post(ann, 2, [b"two"]) == 3
    assert ben.waiting == [b"one", b"two", b"three"]
    assert rooms.bytes == len(b"onetwothree")


@pytest.mark.parametrize("first", [0, -1, 3])
def test_a_gap_between_messages_is_refused(first: int) -> None:
    rooms = Rooms(Limits())
    ann, _ = room_of_two(rooms)
    rooms.post(ann, 1, [b"one"])
    refused("out-of-order", lambda: rooms.post(ann, first, [b"x"]))


def test_a_stream_resumes_after_the_last_message_that_was_received() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    rooms.post(ann, 1, [b"one", b"two", b"three"])
    assert listen(rooms, ben, after=2).next()[0] == [(3, b"three")]


def test_the_reader_is_woken_and_the_writer_is_not() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    woken: list[str] = []
    rooms.opened(ann, lambda: woken.append("ann"))
    rooms.opened(ben, lambda: woken.append("ben"))
    rooms.post(ann, 1, [b"one"])
    assert woken == ["ben"]


def test_much_is_told_in_parts_and_the_end_only_after_the_last() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    rooms.post(ann, 1, [bytes(MAX_MESSAGE_BYTES)] * 5)
    rooms.leave(ann)
    reading = listen(rooms, ben)
    messages, notices = reading.next()
    assert [number for number, _ in messages] == [1, 2, 3, 4]
    assert notices == [Notice(peer="joined")]
    assert not reading.waits
    messages, notices = reading.next()
    assert [number for number, _ in messages] == [5]
    assert notices == [Notice(peer="left")]
    assert reading.waits


# --- bounds ---


def test_a_message_over_the_limit_is_refused_and_nothing_of_the_batch_is_kept() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    refused("too-large", lambda: rooms.post(ann, 1, [b"small", bytes(MAX_MESSAGE_BYTES + 1)]))
    assert (ben.waiting, rooms.bytes) == ([], 0)


def test_one_person_may_send_only_so_many_messages_and_bytes() -> None:
    rooms = Rooms(Limits(messages=3, bytes=10))
    ann, ben = room_of_two(rooms)
    rooms.post(ann, 1, [b"x"] * 3)
    refused("too-many", lambda: rooms.post(ann, 4, [b"x"]))
    refused("too-many", lambda: rooms.post(ben, 1, [b"x" * 11]))
    assert rooms.post(ben, 1, [b"x" * 10]) == 1


def test_all_rooms_together_hold_only_so_many_bytes() -> None:
    rooms = Rooms(Limits(bytes_in_all=10))
    ann, ben = room_of_two(rooms)
    rooms.post(ann, 1, [b"x" * 8])
    assert refused("server-full", lambda: rooms.post(ben, 1, [b"x" * 3])).retry_after_s == 10.0
    rooms.leave(ann)
    rooms.leave(ben)
    assert rooms.bytes == 0


def test_there_are_only_so_many_rooms() -> None:
    rooms = Rooms(Limits(rooms=1))
    ann = rooms.make(ANN, HOST, 0.0)
    refused("server-full", lambda: rooms.make(BEN, HOST, 0.0))
    rooms.leave(ann)
    assert len(rooms) == 0
    rooms.make(BEN, HOST, 0.0)


def test_one_address_makes_only_so_many_rooms_and_others_are_not_hindered() -> None:
    rooms = Rooms(Limits(rooms_per_address=Rate(2, 0.5)))
    for _ in range(2):
        rooms.make(ANN, HOST, 0.0)
    assert refused("rate", lambda: rooms.make(ANN, HOST, 0.0)).retry_after_s == pytest.approx(2.0)
    rooms.make(ANN, "192.0.2.2", 0.0)
    rooms.make(ANN, HOST, 2.0)


def test_a_flood_from_many_addresses_is_refused_without_using_up_what_each_may() -> None:
    rooms = Rooms(Limits(rooms_in_all=Rate(1, 1), rooms_per_address=Rate(1, 0.001)))
    rooms.make(ANN, HOST, 0.0)
    refused("server-full", lambda: rooms.make(ANN, "192.0.2.2", 0.0))
    rooms.make(ANN, "192.0.2.2", 1.0)


# --- the end ---


def test_a_room_ends_after_ten_minutes_whatever_goes_on_in_it() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    reading = listen(rooms, ann)
    listen(rooms, ben)
    rooms.sweep(599.9)
    assert len(rooms) == 1
    rooms.sweep(600.0)
    assert len(rooms) == 0
    assert reading.next()[1] == [Notice(peer="joined"), Notice(end="expired")]
    assert reading.over


def test_a_room_that_expired_is_unknown_before_the_sweep_too() -> None:
    rooms = Rooms(Limits())
    ann = rooms.make(ANN, HOST, 0.0)
    refused("unknown-room", lambda: rooms.seat(ann.room.name, BEN, HOST, 600.0))


def test_who_opens_no_stream_has_left_after_forty_seconds_and_the_other_is_told() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    reading = listen(rooms, ann)
    rooms.sweep(39.9)
    assert Notice(peer="left") not in reading.next()[1]
    rooms.sweep(40.0)
    assert ben.left
    assert Notice(peer="left") in reading.next()[1]


def test_who_asks_now_and_then_without_a_stream_stays() -> None:
    rooms = Rooms(Limits())
    ann, _ = room_of_two(rooms)
    rooms.seat(ann.room.name, BEN, HOST, 30.0)
    rooms.sweep(60.0)
    assert (ann.left, ann.other is not None and ann.other.left) == (True, False)


def test_who_is_silent_while_the_way_is_tried_again_keeps_the_seat() -> None:
    assert Limits().quiet_s > OUTAGE_S + Limits().away_s
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    listen(rooms, ann)
    rooms.opened(ben, nothing)
    rooms.closed(ben, nothing, 100.0)
    rooms.sweep(100.0 + OUTAGE_S)
    rooms.opened(ben, nothing)
    rooms.sweep(150.0)
    assert not ben.left


def test_who_has_no_stream_for_three_seconds_is_told_to_be_away_until_there_is_one() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    woken: list[None] = []
    reading = listen(rooms, ann, wake=lambda: woken.append(None))
    rooms.opened(ben, nothing)
    reading.next()
    rooms.closed(ben, nothing, 100.0)
    rooms.sweep(102.9)
    assert (reading.next()[1], woken) == ([], [])
    rooms.sweep(103.0)
    rooms.sweep(104.0)
    assert len(woken) == 1
    assert [reading.next()[1], reading.next()[1]] == [[Notice(away=True)], []]
    rooms.opened(ben, nothing)
    assert len(woken) == 2
    assert [reading.next()[1], reading.next()[1]] == [[Notice(away=False)], []]


def test_who_left_while_away_has_left_and_is_not_told_away_again() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    rooms.opened(ann, nothing)
    reading = Reading(ann, 0, nothing)
    rooms.opened(ben, nothing)
    rooms.closed(ben, nothing, 100.0)
    rooms.sweep(110.0)
    assert Notice(away=True) in reading.next()[1]
    rooms.sweep(140.0)
    assert [reading.next()[1], reading.next()[1]] == [[Notice(peer="left")], []]


def test_a_room_whose_people_vanished_is_gone_after_forty_seconds() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    for seat in (ann, ben):
        rooms.opened(seat, nothing)
        rooms.closed(seat, nothing, 100.0)
    rooms.sweep(139.0)
    assert len(rooms) == 1
    rooms.sweep(140.0)
    assert len(rooms) == 0


def test_a_second_stream_of_one_seat_ends_the_first() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    woken: list[str] = []

    def wake_first() -> None:
        woken.append("first")

    def wake_second() -> None:
        woken.append("second")

    first = listen(rooms, ann, wake=wake_first)
    second = listen(rooms, ann, wake=wake_second)
    assert woken == ["first"]
    assert first.next()[1][-1] == Notice(end="replaced")
    assert second.next()[1] == [Notice(peer="joined")]
    rooms.closed(ann, wake_first, 0.0)
    rooms.post(ben, 1, [b"one"])
    assert woken == ["first", "second"]
    rooms.sweep(599.0)
    assert not ann.left


def test_stopping_tells_every_stream() -> None:
    rooms = Rooms(Limits())
    ann, ben = room_of_two(rooms)
    readings = [listen(rooms, seat) for seat in (ann, ben)]
    rooms.stop()
    assert [reading.next()[1][-1] for reading in readings] == [Notice(end="stopping")] * 2


# --- rates ---


def test_a_bucket_fills_again_and_says_when() -> None:
    buckets = Buckets(Rate(2, 0.5), 10)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 2.0]
    assert buckets.take("a", 1.0) == pytest.approx(1.0)
    assert buckets.take("a", 2.0) == 0.0


def test_memory_for_addresses_is_bounded_and_the_refused_stay_refused() -> None:
    buckets = Buckets(Rate(5, 0.001), 100)
    for _ in range(5):
        buckets.take("greedy", 0.0)
    for number in range(1000):
        buckets.take(str(number), 0.0)
    assert len(buckets) <= 100
    assert buckets.take("greedy", 1.0) > 0


def test_buckets_that_are_full_again_are_forgotten() -> None:
    buckets = Buckets(Rate(1, 1), 100)
    buckets.take("a", 0.0)
    buckets.forget_full(0.5)
    assert len(buckets) == 1
    buckets.forget_full(1.0)
    assert len(buckets) == 0


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_the_64_of_an_ipv6_subscriber_counts_as_one_address(one: str, another: str, same: bool) -> None:
    assert (rate_key(one) == rate_key(another)) is same
