"""The way between a host and the internet: middleboxes in a row, and packets that are delayed between them."""

import heapq
import time
from collections.abc import Callable, Sequence
from select import select
from typing import Protocol

from rtcdiag.lab.middlebox import Emission, Side

_BATCH = 64
"""Packets that are read from one side before the other side and the clock are looked at."""


class Box(Protocol):
    """What `rtcdiag.lab.middlebox.Middlebox` is to the wire."""

    def receive(self, side: Side, packet: bytes, now_s: float) -> list[Emission]:
        """Return what becomes of a packet that arrives on this side."""


class Port(Protocol):
    """One end of the wire: an interface of the host, or of the internet."""

    def fileno(self) -> int:
        """Return what to wait for."""

    def read(self) -> bytes | None:
        """Return the next IP packet, empty where the frame holds none; None where nothing waits."""

    def write(self, packet: bytes) -> None:
        """Send an IP packet."""


class Wire:
    """Boxes in a row, innermost first, and what is on its way between them. It has no clock of its own."""

    def __init__(self, boxes: Sequence[Box], put: Callable[[Side, bytes], None]) -> None:
        self._boxes = boxes
        self._put = put
        self._waiting: list[tuple[float, int, int, Side, bytes]] = []
        self._sent = 0

    def enter(self, side: Side, packet: bytes, now_s: float) -> None:
        """Take a packet from one end."""
        self._pass(-1 if side is Side.INSIDE else len(self._boxes), _other(side), packet, now_s)

    def advance(self, now_s: float) -> float | None:
        """Deliver what is due by now; return when the next packet is."""
        while self._waiting and self._waiting[0][0] <= now_s:
            _, _, at, to, packet = heapq.heappop(self._waiting)
            self._pass(at, to, packet, now_s)
        return self._waiting[0][0] if self._waiting else None

    def _pass(self, at: int, to: Side, packet: bytes, now_s: float) -> None:
        """Bring a packet that left the box at this place to what comes next on that side."""
        following = at + 1 if to is Side.OUTSIDE else at - 1
        if not 0 <= following < len(self._boxes):
            self._put(to, packet)
            return
        for emission in self._boxes[following].receive(_other(to), packet, now_s):
            if emission.delay_s <= 0:
                self._pass(following, emission.to, emission.packet, now_s)
            else:
                self._sent += 1
                entry = (now_s + emission.delay_s, self._sent, following, emission.to, emission.packet)
                heapq.heappush(self._waiting, entry)


def _other(side: Side) -> Side:
    return Side.OUTSIDE if side is Side.INSIDE else Side.INSIDE


def pump(boxes: Sequence[Box], inside: Port, outside: Port) -> None:
    """Carry packets between two ends for ever."""
    ends = {inside: Side.INSIDE, outside: Side.OUTSIDE}
    ports = {side: port for port, side in ends.items()}
    wire = Wire(boxes, lambda side, packet: ports[side].write(packet))
    clock = time.monotonic
    while True:
        due_s = wire.advance(clock())
        ready, _, _ = select(ends, (), (), None if due_s is None else max(0.0, due_s - clock()))
        for port in ready:
            for _ in range(_BATCH):
                packet = port.read()
                if packet is None:
                    break
                wire.enter(ends[port], packet, clock())
