"""Messages over datagrams that get lost, come twice, and come from somebody else."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.connect import parcels
from rtcdiag.connect.parcels import Parcels

SESSION = b"12345678"
RTT_MS = 40.0


def ends() -> tuple[Parcels, Parcels]:
    return Parcels(SESSION, offers=True), Parcels(SESSION, offers=False)


def carried(messages: list[bytes], *, loss: float, seed: int, twice: bool = False) -> list[bytes]:
    """Return what arrives of messages over a line that loses so much and mixes the order up."""
    random, (one, other) = Random(seed), ends()  # noqa: S311 - a line that can be repeated
    for message in messages:
        one.send(message)
    arrived: list[bytes] = []
    for turn in range(2000):
        now_ms = turn * 20.0
        for sender, receiver in ((one, other), (other, one)):
            datagrams = [each for each in sender.due(now_ms, RTT_MS) if random.random() >= loss]
            random.shuffle(datagrams)
            for datagram in datagrams * (2 if twice else 1):
                got = receiver.receive(datagram)
                arrived += got if receiver is other else []
        if one.idle:
            break
    assert one.idle
    return arrived


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_every_message_arrives_once_whole_and_in_order_however_much_is_lost(loss: float, seed: int) -> None:
    messages = [b"", b"short", bytes(range(256)) * 200, b"last"]

    assert carried(messages, loss=loss, seed=seed, twice=True) == messages


@given(st.binary(max_size=1300))
def test_what_somebody_else_sends_makes_no_message_and_raises_nothing(data: bytes) -> None:
    one, _ = ends()

    assert one.receive(data) == []
    assert one.receive(parcels.MAGIC + data) == []
    assert one.due(0.0, RTT_MS) == []


def test_a_datagram_of_another_session_is_not_listened_to() -> None:
    stranger = Parcels(b"87654321", offers=False)
    stranger.send(b"hello")
    one, _ = ends()

    assert [one.receive(datagram) for datagram in stranger.due(0.0, RTT_MS)] == [[]]


def test_the_own_datagrams_sent_back_are_not_listened_to() -> None:
    one, _ = ends()
    one.send(b"hello")

    assert [one.receive(datagram) for datagram in one.due(0.0, RTT_MS)] == [[]]


def test_a_message_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "MOST_BYTES", 10_000)
    one, other = ends()
    one.send(bytes(20_000))
    for turn in range(20):
        for datagram in one.due(turn * 1000.0, RTT_MS):
            assert other.receive(datagram) == []
        for datagram in other.due(turn * 1000.0, RTT_MS):
            one.receive(datagram)

    assert other.failed


def test_no_more_than_a_window_is_under_way() -> None:
    one, _ = ends()
    one.send(bytes(1_000_000))

    assert len(one.due(0.0, RTT_MS)) == parcels.WINDOW
    assert one.due(1.0, RTT_MS) == []
