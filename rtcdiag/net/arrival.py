"""When a datagram really arrived: the kernel's own time stamp, for what is measured in fractions of milliseconds."""

import contextlib
import socket
import struct
import sys
import time
from typing import Any

_SO_TIMESTAMPNS = 35
"""Of Linux' ``asm-generic/socket.h``; the control message has the same number."""
_LONGEST_WAIT_S = 1.0
"""An older stamp is a clock that was set meanwhile."""
_STAMPS = {16: struct.Struct("=qq"), 8: struct.Struct("=ii")}
"""``struct timespec`` of 64-bit and of 32-bit systems."""


class StampedSocket(socket.socket):
    """A datagram socket that can tell how long what it hands over has waited for this program to read it."""

    waited_s = 0.0
    """Of the last datagram; 0 where no stamps are wanted, or the system has none (all but Linux)."""
    _stamps = False

    def stamp(self) -> None:
        """Ask for time stamps from now on, where the system has them."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                self._stamps = True

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """Receive as every socket does; asyncio calls this."""
        if not self._stamps:
            return super().recvfrom(bufsize, flags)
        data, ancillary, _, address = self.recvmsg(bufsize, 64, flags)
        self.waited_s = _waited_s(ancillary)
        return data, address


def _waited_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(data) in _STAMPS:
            seconds, nanoseconds = _STAMPS[len(data)].unpack(data)
            waited_s = (time.time_ns() - seconds * 1_000_000_000 - nanoseconds) / 1e9
            return waited_s if 0 <= waited_s <= _LONGEST_WAIT_S else 0.0
    return 0.0
