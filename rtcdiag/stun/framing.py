"""Frames of a byte stream: STUN messages and ChannelData (RFC 8489 section 6.2.2, RFC 8656 section 12.5).

A stream whose first frame is not a STUN message was not answered by a STUN server; what did answer is recognized from
its first bytes, because "a web server owns this port" is a diagnosis and "timed out" is none.
"""

from collections.abc import Iterator
from struct import pack, unpack_from
from typing import NamedTuple

from rtcdiag.evidence.base import Failure
from rtcdiag.stun.header import COOKIE, HEADER_BYTES

FIRST_CHANNEL = 0x4000
LAST_OLD_CHANNEL = 0x7FFF
"""RFC 8656 section 12 ends at 0x4FFF; RFC 5766 allowed these too, and its clients and servers still use them."""
_COOKIE_BYTES = pack("!I", COOKIE)
_DETAIL_CHARS = 80
_BANNERS: tuple[tuple[bytes, Failure], ...] = (
    (b"HTTP/", Failure.NOT_STUN_HTTP),
    (b"SSH-", Failure.NOT_STUN),
    *((bytes([record, 3]), Failure.NOT_STUN_TLS) for record in (20, 21, 22, 23)),
)


class Frame(NamedTuple):
    """One frame: a STUN message where `channel` is None, otherwise the data that came over that channel."""

    channel: int | None
    data: bytes


def channel_data(channel: int, data: bytes, *, stream: bool) -> bytes:
    """Return a ChannelData message; on a stream it is padded to a multiple of four (RFC 8656 section 12.5)."""
    return pack("!HH", channel, len(data)) + data + bytes(-len(data) % 4 if stream else 0)


def split_channel_data(datagram: bytes) -> Frame | None:
    """Read a ChannelData message from a datagram; None where it is none or is cut off."""
    if len(datagram) < 4 or not 0x40 <= datagram[0] < 0x80:
        return None
    channel, size = unpack_from("!HH", datagram)
    return Frame(channel, datagram[4 : 4 + size]) if len(datagram) >= 4 + size else None


class StreamFrames:
    """Cuts a byte stream into frames. It holds at most one unfinished frame, 64 KiB and a header."""

    def __init__(self) -> None:
        self.failure: Failure | None = None
        """Why this is no STUN stream; nothing is read after that."""
        self.detail = ""
        """The first bytes of what it is instead, printable ASCII only."""
        self._buffer = bytearray()
        self._seen_stun = False

    @property
    def unfinished_bytes(self) -> int:
        """How much has come of the frame that is not whole yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they arrived; return the frames that are now whole."""
        if self.failure is not None:
            return []
        self._buffer += data
        return list(self._frames())

    def end(self) -> None:
        """Say that the stream has ended: what is unfinished will never be a frame."""
        if self.failure is None and self._buffer:
            half = self._seen_stun or self._buffer[4:8] == _COOKIE_BYTES
            self._fail(Failure.CONNECTION_CLOSED if half else Failure.NOT_STUN)

    def _frames(self) -> Iterator[Frame]:
        start = 0
        while (size := self._frame_size(start)) is not None and len(self._buffer) - start >= size:
            yield self._frame(start)
            start += size
        del self._buffer[:start]

    def _frame(self, start: int) -> Frame:
        first, length = unpack_from("!HH", self._buffer, start)
        if first < FIRST_CHANNEL:
            self._seen_stun = True
            return Frame(None, bytes(self._buffer[start : start + HEADER_BYTES + length]))
        return Frame(first, bytes(self._buffer[start + 4 : start + 4 + length]))

    def _frame_size(self, start: int) -> int | None:
        """Return the size of the frame that starts here, padding included; None while or because it is not known."""
        head = bytes(self._buffer[start : start + 8])
        if not self._seen_stun and self._is_something_else(head, start):
            return None
        if head and (head[0] >= 0x80 or (head[0] < 0x40 and not _COOKIE_BYTES.startswith(head[4:]))):
            self._fail(Failure.NOT_STUN, start)
            return None
        if len(head) < 4:
            return None
        length = int.from_bytes(head[2:4], "big")
        return HEADER_BYTES + length if head[0] < 0x40 else 4 + length + -length % 4

    def _is_something_else(self, head: bytes, start: int) -> bool:
        """Recognize what is not STUN at the start of a stream, where no ChannelData can be."""
        for banner, failure in _BANNERS:
            if head.startswith(banner):
                self._fail(failure, start)
                return True
        if head and head[0] >= 0x40:
            if not any(banner.startswith(head) for banner, _ in _BANNERS):
                self._fail(Failure.NOT_STUN, start)
            return True
        return False

    def _fail(self, failure: Failure, start: int = 0) -> None:
        line = bytes(self._buffer[start : start + _DETAIL_CHARS]).split(b"\r")[0].split(b"\n")[0]
        self.detail = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in line)
        self.failure = failure
        self._buffer.clear()
