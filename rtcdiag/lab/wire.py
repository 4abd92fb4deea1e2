"""The ways between hosts and the internet: middleboxes in a row, switches, and packets that take their time."""

import heapq
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from select import select
from typing import NoReturn, Protocol

from rtcdiag.lab.middlebox import Emission, Side

_BATCH = 64
"""Packets that are read from one side before the other side and the clock are looked at."""
_UPLINK = 0
_MOST_NEIGHBORS = 1024
"""That a switch learns."""

Deliver = Callable[[bytes, float], None]
"""Take a packet, and the time in seconds."""


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


class Schedule:
    """What is on its way, whichever wire it is on. It has no clock of its own."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Deliver, bytes]] = []
        self._sent = 0

    def add(self, due_s: float, deliver: Deliver, packet: bytes) -> None:
        """Deliver a packet then; those that are due together keep their order."""
        self._sent += 1
        heapq.heappush(self._waiting, (due_s, self._sent, deliver, packet))

    def advance(self, now_s: float) -> float | None:
        """Deliver what is due by now; return when the next packet is."""
        while self._waiting and self._waiting[0][0] <= now_s:
            _, _, deliver, packet = heapq.heappop(self._waiting)
            deliver(packet, now_s)
        return self._waiting[0][0] if self._waiting else None


class Wire:
    """Boxes in a row, innermost first."""

    def __init__(self, boxes: Sequence[Box], schedule: Schedule) -> None:
        self._boxes = boxes
        self._schedule = schedule
        self._ends: dict[Side, Deliver] = {}

    def connect(self, end: Side, deliver: Deliver) -> None:
        """Say who gets what comes out at an end."""
        self._ends[end] = deliver

    def entrance(self, end: Side) -> Deliver:
        """Return what takes packets in at an end."""
        return partial(self._pass, -1 if end is Side.INSIDE else len(self._boxes), _other(end))

    def _pass(self, at: int, to: Side, packet: bytes, now_s: float) -> None:
        """Bring a packet that left the box at this place to what comes next on that side."""
        following = at + 1 if to is Side.OUTSIDE else at - 1
        if not 0 <= following < len(self._boxes):
            self._ends[to](packet, now_s)
            return
        for emission in self._boxes[following].receive(_other(to), packet, now_s):
            if emission.delay_s <= 0:
                self._pass(following, emission.to, emission.packet, now_s)
            else:
                deliver = partial(self._pass, following, emission.to)
                self._schedule.add(now_s + emission.delay_s, deliver, emission.packet)


def _other(side: Side) -> Side:
    return Side.OUTSIDE if side is Side.INSIDE else Side.INSIDE


class Switch:
    """Who is on the same network, and the way out of it, which is what is plugged in first."""

    def __init__(self, is_local: Callable[[bytes], bool]) -> None:
        """`is_local` tells whether an address, packed, is of this network."""
        self._is_local = is_local
        self._ways: list[Deliver] = []
        self._known: dict[bytes, int] = {}

    def plug(self, deliver: Deliver, addresses: Iterable[bytes] = ()) -> Deliver:
        """Connect one more, with the addresses that are known to be there; return what takes its packets."""
        way = len(self._ways)
        self._ways.append(deliver)
        self._known |= dict.fromkeys(addresses, way)
        return partial(self._switch, way)

    def _switch(self, way: int, packet: bytes, now_s: float) -> None:
        if not packet:
            return
        source, destination = (packet[12:16], packet[16:20]) if packet[0] >> 4 == 4 else (packet[8:24], packet[24:40])
        if way != _UPLINK and len(self._known) < _MOST_NEIGHBORS and self._is_local(source):
            self._known.setdefault(source, way)
        for target in self._targets(way, destination):
            if target != way:
                self._ways[target](packet, now_s)

    def _targets(self, way: int, destination: bytes) -> Iterable[int]:
        known = self._known.get(destination)
        if known is not None:
            return (known,)
        if way == _UPLINK or self._is_local(destination) or _is_for_all(destination):
            return range(_UPLINK + 1, len(self._ways))
        return (_UPLINK,)


def _is_for_all(address: bytes) -> bool:
    """Return whether an address is a multicast or the broadcast one."""
    return address[:1] == b"\xff" or (len(address) == 4 and 224 <= address[0] < 240)


def pump(inputs: Mapping[Port, Deliver], schedule: Schedule) -> NoReturn:
    """Carry packets from these ports, and those on their way, for ever."""
    clock = time.monotonic
    while True:
        due_s = schedule.advance(clock())
        ready, _, _ = select(inputs, (), (), None if due_s is None else max(0.0, due_s - clock()))
        for port in ready:
            deliver = inputs[port]
            for _ in range(_BATCH):
                packet = port.read()
                if packet is None:
                    break
                now_s = clock()
                schedule.advance(now_s)  # what is due comes before what comes only now
                deliver(packet, now_s)
