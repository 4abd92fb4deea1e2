"""Boxes in a row, and packets that take their time between them."""

from rtcdiag.lab.middlebox import Emission, Side
from rtcdiag.lab.wire import Wire

IN, OUT = Side.INSIDE, Side.OUTSIDE


class Stamp:
    """Adds its name to each packet, and passes it on after a delay."""

    def __init__(self, name: bytes, delay_s: float = 0.0) -> None:
        self.name = name
        self.delay_s = delay_s

    def receive(self, side: Side, packet: bytes, now_s: float) -> list[Emission]:
        del now_s
        return [Emission(OUT if side is IN else IN, packet + self.name, self.delay_s)]


class Mirror:
    """Sends everything back."""

    def receive(self, side: Side, packet: bytes, now_s: float) -> list[Emission]:
        del now_s
        return [Emission(side, packet, 0.0)]


def wire(*boxes: Stamp | Mirror) -> tuple[Wire, list[tuple[Side, bytes]]]:
    got: list[tuple[Side, bytes]] = []
    return Wire(boxes, lambda side, packet: got.append((side, packet))), got


def test_without_a_box_a_packet_comes_out_at_the_other_end() -> None:
    made, got = wire()
    made.enter(IN, b"up", 0)
    made.enter(OUT, b"down", 0)
    assert got == [(OUT, b"up"), (IN, b"down")]


def test_boxes_are_passed_from_the_innermost_outwards_and_back() -> None:
    made, got = wire(Stamp(b"1"), Stamp(b"2"), Stamp(b"3"))
    made.enter(IN, b"", 0)
    made.enter(OUT, b"", 0)
    assert got == [(OUT, b"123"), (IN, b"321")]


def test_a_box_that_sends_back_is_heard_by_those_before_it_only() -> None:
    made, got = wire(Stamp(b"1"), Mirror(), Stamp(b"3"))
    made.enter(IN, b"", 0)
    made.enter(OUT, b"", 0)
    assert got == [(IN, b"11"), (OUT, b"33")]


def test_a_delayed_packet_waits_and_the_next_time_is_told() -> None:
    made, got = wire(Stamp(b"1", 0.02), Stamp(b"2", 0.03))
    made.enter(IN, b"", 1.0)
    assert made.advance(1.0) == 1.02
    assert got == []
    assert made.advance(1.02) == 1.05
    assert made.advance(1.05) is None
    assert got == [(OUT, b"12")]


def test_packets_that_are_due_together_keep_their_order() -> None:
    made, got = wire(Stamp(b"", 0.5))
    for number in range(20):
        made.enter(IN, bytes([number]), 0.0)
    made.advance(0.5)
    assert [packet[0] for _, packet in got] == list(range(20))


def test_a_shorter_delay_overtakes_a_longer_one() -> None:
    slow = Stamp(b"", 0.5)
    made, got = wire(slow)
    made.enter(IN, b"first", 0.0)
    slow.delay_s = 0.1
    made.enter(IN, b"second", 0.0)
    made.advance(1.0)
    assert [packet for _, packet in got] == [b"second", b"first"]
