"""Boxes in a row, packets that take their time between them, and switches."""

from ipaddress import IPv4Network, IPv6Network, ip_address

from rtcdiag.lab.middlebox import Emission, Side
from rtcdiag.lab.networks import Networks
from rtcdiag.lab.wire import Schedule, Switch, Wire

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


class Rig:
    """A wire, and what came out at its ends."""

    def __init__(self, *boxes: Stamp | Mirror) -> None:
        self.schedule = Schedule()
        self.got: list[tuple[Side, bytes]] = []
        self.wire = Wire(boxes, self.schedule)
        self.wire.connect(IN, lambda packet, _: self.got.append((IN, packet)))
        self.wire.connect(OUT, lambda packet, _: self.got.append((OUT, packet)))

    def enter(self, side: Side, packet: bytes, now_s: float) -> None:
        self.wire.entrance(side)(packet, now_s)


def test_without_a_box_a_packet_comes_out_at_the_other_end() -> None:
    made = Rig()
    made.enter(IN, b"up", 0)
    made.enter(OUT, b"down", 0)
    assert made.got == [(OUT, b"up"), (IN, b"down")]


def test_boxes_are_passed_from_the_innermost_outwards_and_back() -> None:
    made = Rig(Stamp(b"1"), Stamp(b"2"), Stamp(b"3"))
    made.enter(IN, b"", 0)
    made.enter(OUT, b"", 0)
    assert made.got == [(OUT, b"123"), (IN, b"321")]


def test_a_box_that_sends_back_is_heard_by_those_before_it_only() -> None:
    made = Rig(Stamp(b"1"), Mirror(), Stamp(b"3"))
    made.enter(IN, b"", 0)
    made.enter(OUT, b"", 0)
    assert made.got == [(IN, b"11"), (OUT, b"33")]


def test_a_delayed_packet_waits_and_the_next_time_is_told() -> None:
    made = Rig(Stamp(b"1", 0.02), Stamp(b"2", 0.03))
    made.enter(IN, b"", 1.0)
    assert made.schedule.advance(1.0) == 1.02
    assert made.got == []
    assert made.schedule.advance(1.02) == 1.05
    assert made.schedule.advance(1.05) is None
    assert made.got == [(OUT, b"12")]


def test_packets_that_are_due_together_keep_their_order() -> None:
    made = Rig(Stamp(b"", 0.5))
    for number in range(20):
        made.enter(IN, bytes([number]), 0.0)
    made.schedule.advance(0.5)
    assert [packet[0] for _, packet in made.got] == list(range(20))


def test_a_shorter_delay_overtakes_a_longer_one() -> None:
    slow = Stamp(b"", 0.5)
    made = Rig(slow)
    made.enter(IN, b"first", 0.0)
    slow.delay_s = 0.1
    made.enter(IN, b"second", 0.0)
    made.schedule.advance(1.0)
    assert [packet for _, packet in made.got] == [b"second", b"first"]


def test_what_is_on_its_way_on_one_wire_is_due_on_the_next_in_time() -> None:
    schedule = Schedule()
    got: list[bytes] = []
    inner, outer = Wire((Stamp(b"1", 0.01),), schedule), Wire((Stamp(b"2", 0.01),), schedule)
    inner.connect(OUT, outer.entrance(IN))
    outer.connect(OUT, lambda packet, _: got.append(packet))
    inner.entrance(IN)(b"", 0.0)
    assert schedule.advance(0.01) == 0.02
    assert schedule.advance(0.02) is None
    assert got == [b"12"]


class Lan:
    """A switch with an uplink and two hosts, and who of them got what."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        is_local = Networks((IPv4Network("192.168.1.0/24"), IPv6Network("fd00::/64"))).has
        self.switch = Switch(is_local)
        router = [ip_address(text).packed for text in ("192.168.1.1", "fd00::1")]
        self.up = self.switch.plug(lambda packet, _: self.got.append(("up", packet)), router)
        self.one = self.switch.plug(lambda packet, _: self.got.append(("one", packet)))
        self.other = self.switch.plug(lambda packet, _: self.got.append(("other", packet)))

    def receivers(self) -> list[str]:
        got, self.got = self.got, []
        return [name for name, _ in got]


def between(source: str, destination: str) -> bytes:
    ends = ip_address(source).packed + ip_address(destination).packed
    return b"\x45".ljust(12, b"\0") + ends if len(ends) == 8 else b"\x60".ljust(8, b"\0") + ends


def test_a_switch_passes_to_the_uplink_what_is_not_of_its_network() -> None:
    lan = Lan()
    for source, away, router in (
        ("192.168.1.2", "203.0.113.10", "192.168.1.1"),
        ("fd00::2", "2001:db8::10", "fd00::1"),
    ):
        for destination in (away, router):
            lan.one(between(source, destination), 0)
            assert lan.receivers() == ["up"]


def test_a_switch_learns_where_an_address_is() -> None:
    lan = Lan()
    lan.up(between("203.0.113.10", "192.168.1.2"), 0)
    assert lan.receivers() == ["one", "other"]
    lan.other(between("192.168.1.2", "203.0.113.10"), 0)
    lan.up(between("203.0.113.10", "192.168.1.2"), 0)
    lan.one(between("192.168.1.3", "192.168.1.2"), 0)
    assert lan.receivers() == ["up", "other", "other"]


def test_a_switch_does_not_learn_addresses_from_outside() -> None:
    lan = Lan()
    lan.one(between("203.0.113.10", "192.168.1.2"), 0)
    lan.other(between("192.168.1.3", "203.0.113.10"), 0)
    assert lan.receivers() == ["other", "up"]
    lan.up(between("192.168.1.9", "192.168.1.3"), 0)
    lan.one(between("192.168.1.2", "192.168.1.9"), 0)
    assert lan.receivers() == ["other", "other"]


def test_what_is_for_all_reaches_the_others_and_does_not_leave() -> None:
    lan = Lan()
    for destination in ("224.0.0.251", "192.168.1.255"):
        lan.one(between("192.168.1.2", destination), 0)
        assert lan.receivers() == ["other"]
    lan.one(between("fd00::2", "ff02::fb"), 0)
    assert lan.receivers() == ["other"]


def test_a_switch_bears_what_is_no_packet() -> None:
    lan = Lan()
    for packet in (b"", b"\x45", b"\x60", b"\xff" * 40):
        lan.one(packet, 0)
        lan.up(packet, 0)
