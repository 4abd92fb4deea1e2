"""Cutting a byte stream into frames: fed whole, byte by byte, and with trailing garbage."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.evidence.base import Failure
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.codec import encode
from rtcdiag.stun.framing import Frame, StreamFrames, channel_data, split_channel_data
from rtcdiag.stun.header import MessageClass, Method

STUN = encode(MessageClass.SUCCESS, Method.BINDING, bytes(12), [(AttributeType.SOFTWARE, "abc")])
STREAM = STUN + channel_data(0x4000, b"hello", stream=True) + STUN + channel_data(0x4FFF, b"", stream=True)
FRAMES = [Frame(None, STUN), Frame(0x4000, b"hello"), Frame(None, STUN), Frame(0x4FFF, b"")]


def test_a_whole_stream_gives_all_its_frames() -> None:
    assert StreamFrames().feed(STREAM) == FRAMES


def test_byte_by_byte_gives_the_same_frames() -> None:
    frames = StreamFrames()
    found = [frame for byte in STREAM for frame in frames.feed(bytes([byte]))]
    assert found == FRAMES
    assert frames.failure is None


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_any_cut_gives_the_same_frames(cuts: list[int]) -> None:
    frames = StreamFrames()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [frame for start, end in pairwise(edges) for frame in frames.feed(STREAM[start:end])]
    assert found == FRAMES


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff", b"\x00\x01\x00\x00nope", b"\x80"])
def test_garbage_after_frames_is_a_failure_that_keeps_the_frames(garbage: bytes) -> None:
    frames = StreamFrames()
    assert frames.feed(STREAM + garbage) == FRAMES
    assert frames.failure is Failure.NOT_STUN
    assert frames.feed(STUN) == []


WRONG_SPEAKERS = [
    (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", Failure.NOT_STUN_HTTP, "HTTP/1.1 400 Bad Request"),
    (b"\x15\x03\x03\x00\x02\x02\x46", Failure.NOT_STUN_TLS, "......F"),
    (b"\x16\x03\x01\x02\x00\x01", Failure.NOT_STUN_TLS, "......"),
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", Failure.NOT_STUN, "SSH-2.0-OpenSSH_9.2p1"),
    (b"220 mail ESMTP\r\n", Failure.NOT_STUN, "220 mail ESMTP"),
    (b"HELO", Failure.NOT_STUN, "HELO"),
    (b"\xff\xfe", Failure.NOT_STUN, ".."),
    (b"\x00\x01\x00\x00\x00\x00\x00\x00", Failure.NOT_STUN, "........"),
]


@pytest.mark.parametrize(("data", "failure", "detail"), WRONG_SPEAKERS)
def test_what_is_not_stun_is_recognized(data: bytes, failure: Failure, detail: str) -> None:
    frames = StreamFrames()
    assert frames.feed(data) == []
    assert (frames.failure, frames.detail) == (failure, detail)


@pytest.mark.parametrize(("data", "failure", "_detail"), WRONG_SPEAKERS)
def test_what_is_not_stun_is_recognized_byte_by_byte(data: bytes, failure: Failure, _detail: str) -> None:
    frames = StreamFrames()
    assert not [frame for byte in data for frame in frames.feed(bytes([byte]))]
    assert frames.failure is failure


def test_channel_data_cannot_come_before_the_first_stun_message() -> None:
    frames = StreamFrames()
    assert frames.feed(channel_data(0x4000, b"hello", stream=True)) == []
    assert frames.failure is Failure.NOT_STUN


def test_a_stream_that_ends_inside_a_frame_is_a_failure() -> None:
    cut = StreamFrames()
    assert cut.feed(STUN + STUN[:-1]) == [Frame(None, STUN)]
    cut.end()
    assert cut.failure is Failure.CONNECTION_CLOSED


def test_a_stream_that_ends_before_anything_was_said_is_not_stun() -> None:
    short = StreamFrames()
    short.feed(b"HTT")
    short.end()
    assert (short.failure, short.detail) == (Failure.NOT_STUN, "HTT")


def test_a_stream_that_ends_inside_its_first_message_was_cut_off() -> None:
    cut = StreamFrames()
    assert cut.feed(STUN[:12]) == []
    cut.end()
    assert cut.failure is Failure.CONNECTION_CLOSED


def test_a_stream_that_ends_between_frames_is_none() -> None:
    frames = StreamFrames()
    frames.feed(STREAM)
    frames.end()
    assert frames.failure is None


def test_at_most_one_unfinished_frame_is_held() -> None:
    frames = StreamFrames()
    frames.feed(STUN)
    largest = channel_data(0x4000, bytes(0xFFFF), stream=True)
    for start in range(0, len(largest) - 1, 1000):
        assert frames.feed(largest[start : min(start + 1000, len(largest) - 1)]) == []
    assert len(frames._buffer) == len(largest) - 1
    assert frames.feed(largest[-1:]) == [Frame(0x4000, bytes(0xFFFF))]
    assert len(frames._buffer) == 0


def test_channel_data_in_a_datagram_needs_no_padding() -> None:
    assert channel_data(0x4000, b"abc", stream=False) == b"\x40\0\0\3abc"
    assert split_channel_data(b"\x40\0\0\3abc") == split_channel_data(b"\x40\0\0\3abc\0") == Frame(0x4000, b"abc")


@pytest.mark.parametrize("datagram", [b"", b"\x40\0\0", b"\x40\0\0\4abc", b"\x00\1\0\0", b"\x80\0\0\0"])
def test_what_is_no_channel_data_is_none(datagram: bytes) -> None:
    assert split_channel_data(datagram) is None


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_no_input_raises_or_grows_without_bound(chunks: list[bytes]) -> None:
    frames = StreamFrames()
    for chunk in chunks:
        frames.feed(chunk)
    frames.end()
    assert len(frames._buffer) < 0x10000 + 20
