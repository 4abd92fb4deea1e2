"""What two ends make of each other's messages, whatever a hostile rendezvous does with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.signaling.channel import SignalingError
from rtcdiag.signaling.invitation import Invitation, Rendezvous
from rtcdiag.signaling.post import MAX_IN_PIECES, MAX_OUT_BYTES, PIECE_BYTES, Inbox, Outbox
from rtcdiag.signaling.sealing import OVERHEAD_BYTES, Opener, Sealer, SealingError
from rtcdiag.signaling.wire import MAX_BATCH, MAX_BATCH_BYTES, MAX_MESSAGE_BYTES, frame, join, split, unframe

HERE = Rendezvous("http://127.0.0.1:3480")
ROOM = Invitation(HERE, "r" * 22, bytes(16))
OTHER_KEY = Invitation(HERE, "r" * 22, bytes(15) + b"\1")
OTHER_ROOM = Invitation(HERE, "s" * 22, bytes(16))


def sealed(*messages: bytes, invitation: Invitation = ROOM) -> list[bytes]:
    """Return what the offerer sends."""
    outbox = Outbox(invitation, "offerer")
    for message in messages:
        outbox.add(message)
    return outbox.batch()[1]


# --- encryption ---


@given(st.binary(max_size=3000), st.integers(1, 1 << 40))
def test_what_is_sealed_is_opened_only_by_the_other_end(data: bytes, number: int) -> None:
    box = Sealer(bytes(16), "room", "offerer").seal(number, data)
    assert Opener(bytes(16), "room", "offerer").open(number, box) == data
    assert len(box) == len(data) + OVERHEAD_BYTES
    with pytest.raises(SealingError):
        Opener(bytes(16), "room", "answerer").open(number, box)


@given(st.binary(max_size=200))
def test_garbage_opens_as_nothing(data: bytes) -> None:
    with pytest.raises(SealingError):
        Opener(bytes(16), "room", "offerer").open(1, data)


@pytest.mark.parametrize("at", [0, 15, 16, 40, -1])
def test_a_changed_bit_anywhere_is_noticed(at: int) -> None:
    box = bytearray(Sealer(bytes(16), "room", "offerer").seal(1, b"x" * 30))
    box[at] ^= 1
    with pytest.raises(SealingError):
        Opener(bytes(16), "room", "offerer").open(1, bytes(box))


def test_two_processes_with_one_key_never_encrypt_alike() -> None:
    one, two = (Sealer(bytes(16), "room", "answerer").seal(1, b"the same") for _ in range(2))
    assert one[:16] != two[:16]
    assert one[16:] != two[16:]


def test_a_second_sender_with_the_right_key_is_noticed() -> None:
    opener = Opener(bytes(16), "room", "answerer")
    opener.open(1, Sealer(bytes(16), "room", "answerer").seal(1, b"one"))
    with pytest.raises(SealingError, match="another sender"):
        opener.open(2, Sealer(bytes(16), "room", "answerer").seal(2, b"two"))


def test_a_stranger_without_the_key_does_not_decide_who_the_sender_is() -> None:
    opener = Opener(bytes(16), "room", "answerer")
    with pytest.raises(SealingError):
        opener.open(1, bytes(64))
    assert opener.open(1, Sealer(bytes(16), "room", "answerer").seal(1, b"one")) == b"one"


# --- what a rendezvous could do ---


def test_a_message_that_came_already_is_passed_over() -> None:
    inbox = Inbox(ROOM, "answerer")
    one, two = sealed(b"one", b"two")
    assert [inbox.take(1, one), inbox.take(1, one), inbox.take(2, two), inbox.take(1, two)] == [
        b"one",
        None,
        b"two",
        None,
    ]


def test_a_replayed_message_under_a_new_number_is_refused() -> None:
    inbox = Inbox(ROOM, "answerer")
    (one,) = sealed(b"one")
    inbox.take(1, one)
    with pytest.raises(SignalingError, match="not the other end's"):
        inbox.take(2, one)


def test_messages_that_changed_places_are_refused() -> None:
    inbox = Inbox(ROOM, "answerer")
    with pytest.raises(SignalingError, match="not the other end's"):
        inbox.take(1, sealed(b"one", b"two")[1])


def test_a_message_that_was_left_out_is_noticed_with_the_next() -> None:
    inbox = Inbox(ROOM, "answerer")
    one, _, three = sealed(b"one", b"two", b"three")
    inbox.take(1, one)
    with pytest.raises(SignalingError, match="lost messages"):
        inbox.take(3, three)


def test_ones_own_message_sent_back_is_refused() -> None:
    with pytest.raises(SignalingError, match="not the other end's"):
        Inbox(ROOM, "offerer").take(1, sealed(b"one")[0])


@pytest.mark.parametrize("invitation", [OTHER_KEY, OTHER_ROOM], ids=["key", "room"])
def test_a_message_of_another_key_or_room_is_refused(invitation: Invitation) -> None:
    with pytest.raises(SignalingError, match="another key was used"):
        Inbox(ROOM, "answerer").take(1, sealed(b"one", invitation=invitation)[0])


def test_a_confirmation_of_what_was_never_sent_is_refused() -> None:
    outbox = Outbox(ROOM, "offerer")
    outbox.add(b"one")
    outbox.confirm(1)
    outbox.confirm(0)
    assert len(outbox) == 0
    with pytest.raises(SignalingError, match="never sent"):
        outbox.confirm(2)


def test_a_flood_of_messages_is_refused() -> None:
    inbox, sealer = Inbox(ROOM, "answerer"), Sealer(ROOM.key, ROOM.room, "offerer")
    for number in range(1, MAX_IN_PIECES + 1):
        inbox.take(number, sealer.seal(number, b"\0x"))
    with pytest.raises(SignalingError, match="more than the other end may say"):
        inbox.take(MAX_IN_PIECES + 1, sealer.seal(MAX_IN_PIECES + 1, b"\0x"))


# --- pieces and batches ---


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 10 * PIECE_BYTES + 7])
def test_a_message_of_any_length_arrives_whole(size: int) -> None:
    outbox, inbox = Outbox(ROOM, "offerer"), Inbox(ROOM, "answerer")
    outbox.add(b"x" * size)
    outbox.add(b"after")
    came: list[bytes] = []
    while outbox:
        first, messages = outbox.batch()
        assert all(len(message) <= MAX_MESSAGE_BYTES for message in messages)
        assert len(join(messages)) <= MAX_BATCH_BYTES
        came += [
            whole for number, each in enumerate(messages, first) if (whole := inbox.take(number, each)) is not None
        ]
        outbox.confirm(first + len(messages) - 1)
    assert came == [b"x" * size, b"after"]


def test_what_no_room_holds_is_refused_before_it_is_sent() -> None:
    outbox = Outbox(ROOM, "offerer")
    with pytest.raises(SignalingError, match="more to tell"):
        outbox.add(bytes(MAX_OUT_BYTES))
    outbox.add(b"small")
    assert len(outbox) == 1


def test_a_batch_begins_with_what_is_not_confirmed_nor_on_its_way() -> None:
    outbox = Outbox(ROOM, "offerer")
    for _ in range(5):
        outbox.add(b"x")
    outbox.confirm(2)
    assert (outbox.batch()[0], len(outbox.batch()[1])) == (3, 3)
    assert (outbox.batch(after=4)[0], len(outbox.batch(after=4)[1])) == (5, 1)
    assert outbox.batch(after=5) == (6, [])


@given(st.lists(st.binary(max_size=50), max_size=MAX_BATCH))
def test_a_body_is_split_into_what_it_was_joined_from(messages: list[bytes]) -> None:
    assert split(join(messages)) == messages


@given(st.binary(max_size=60))
def test_splitting_garbage_raises_nothing_but_value_errors(body: bytes) -> None:
    try:
        messages = split(body)
    except ValueError:
        return
    assert join(messages) == body


def test_more_messages_than_a_batch_may_have_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths"):
        split(join([b""] * (MAX_BATCH + 1)))


@given(st.integers(0, (1 << 32) - 1), st.binary(max_size=50))
def test_a_frame_is_read_again(number: int, data: bytes) -> None:
    assert unframe(frame(number, data)) == (number, data)


def test_a_short_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="four bytes"):
        unframe(b"abc")
