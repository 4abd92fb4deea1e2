"""The geometry of the figures."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.evidence import Crash, Environment, Evidence, Failure, Interface, Resolution, Target
from rtcdiag.formats.figures import nice_step, percent, shorten, ticks
from rtcdiag.formats.figures.latency import strips
from rtcdiag.formats.figures.layout import tall, wide
from rtcdiag.formats.figures.path import path
from rtcdiag.formats.figures.waterfall import waterfall
from rtcdiag.nat import Nat
from rtcdiag.report import Nats, Report, evidence_of
from support.observations import answered, at, binding, resolution, silent
from support.report_parts import AT, STUN, stun_row
from support.reports import REPORTS, crowded

EVERY_REPORT = pytest.mark.parametrize("name", REPORTS)


@given(st.floats(min_value=0, max_value=1e300))
def test_an_axis_has_few_ticks_and_all_of_them_on_it(span: float) -> None:
    places = [place for _, place in ticks(span)]

    assert 1 <= len(places) <= 6
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


@pytest.mark.parametrize(("span", "step"), [(100, 50), (39.8, 10), (1, 0.5), (8, 2), (7, 2), (4, 1)])
def test_ticks_stand_at_round_values(span: float, step: float) -> None:
    assert nice_step(span) == step


def test_an_empty_axis_has_its_zero() -> None:
    assert percent(1.0, 0.0) == 0.0


@pytest.mark.parametrize(("text", "short"), [("abcdef", "abcdef"), ("abcdefg", "abc…fg"), ("abcdefghij", "abc…ij")])
def test_a_long_name_keeps_both_ends(text: str, short: str) -> None:
    assert shorten(text, 6) == short


@EVERY_REPORT
@pytest.mark.parametrize("layout", [wide, tall])
def test_all_places_of_the_path_stand_apart_inside_the_drawing(name: str, layout: Any) -> None:
    drawing = layout(path(REPORTS[name]()))

    for node in drawing.nodes:
        assert 0 <= node.x <= node.x + node.width <= drawing.width
        assert 0 <= node.y <= node.y + node.height <= drawing.height
    for one in drawing.nodes:
        for other in drawing.nodes:
            apart = one.x + one.width <= other.x or one.y + one.height <= other.y
            assert one is other or apart or other.x + other.width <= one.x or other.y + other.height <= one.y


def test_servers_that_do_not_fit_are_counted() -> None:
    route = path(crowded(12))

    assert len(route.hops) == 8
    assert route.more == "and 4 more"
    assert route.sentence.endswith(" And 4 more.")


def test_a_server_that_works_is_drawn_beside_many_that_do_not() -> None:
    report = msgspec.structs.replace(crowded(12), servers=(*crowded(12).servers, stun_row(0)))

    assert [hop.broken for hop in path(report).hops] == [True] * 7 + [False]


def test_servers_on_this_computer_hang_on_it_without_interface_or_nat() -> None:
    route = path(REPORTS["local"]())

    assert (route.stops, route.hops) == ((), ())
    assert [hop.place.title for hop in route.local] == ["turn:localhost", "stun:[::1]", "stun:192.168.1.4"]
    assert len(wide(route).nodes) == len(tall(route).nodes) == 4
    assert wide(route).links == tall(route).links == ()
    assert route.sentence.startswith("This computer Linux 6.1. On this computer itself: turn:localhost udp ok")


def test_servers_outside_stand_behind_interface_and_nat_beside_local_ones() -> None:
    route = path(REPORTS["partly-local"]())

    assert [stop.title for stop in route.stops] == ["wlan0 (wifi)", "NAT"]
    assert len(route.local) == 3
    assert {hop.place.title.partition(":")[0] for hop in route.hops} == {"stun", "turn"}


@pytest.mark.parametrize("layout", [wide, tall])
def test_the_way_to_a_local_server_starts_at_the_computer(layout: Any) -> None:
    drawing = layout(path(REPORTS["partly-local"]()))
    computer = drawing.nodes[0]
    ways = [edge.points for edge in drawing.edges if edge.hop.place.lines[0].startswith(("127.", "[::1]", "192.168."))]

    assert len(ways) == 3
    for way in ways:
        x, y = map(float, way.split()[0].split(","))
        assert computer.x <= x <= computer.x + computer.width
        assert y == computer.y + computer.height


@pytest.mark.parametrize(
    ("uri", "title"),
    [
        ("stun:example.org:3479", "stun:example.org"),
        ("TURNS:Example.org?transport=tcp", "turns:example.org"),
        ("turn:[2001:db8::1]:5349", "turn:[2001:db8::1]"),
        ("no URI", "no URI"),
    ],
)
def test_a_server_is_labelled_with_its_scheme(uri: str, title: str) -> None:
    row = msgspec.structs.replace(stun_row(0), uri=uri)

    assert path(msgspec.structs.replace(REPORTS["healthy"](), servers=(row,))).hops[0].place.title == title


NEAR = Nat(behind_nat=False, mapping="endpoint-independent", mapped=(at("192.168.1.4:1"),), local_only=True)
CONE = Nat(behind_nat=True, mapping="endpoint-independent", mapped=(at("203.0.113.7:1"),))


@pytest.mark.parametrize(
    ("nat", "title", "lines"),
    [
        (Nats(), "Network", ("NAT not examined",)),
        (Nats(ipv4=Nat()), "NAT not known", ("behavior undetermined",)),
        (Nats(ipv4=Nat(behind_nat=False, firewall=True)), "No NAT", ("stateful firewall",)),
        (Nats(ipv6=Nat(behind_nat=False)), "No NAT", ()),
        (
            Nats(ipv4=Nat(behind_nat=True, cgnat=True, mapping="endpoint-independent", mapped=(at("203.0.113.7:1"),))),
            "Carrier-grade NAT",
            ("some kind of cone", "203.0.113.7"),
        ),
        (Nats(ipv4=Nat(behind_nat=True, mapping="address-dependent")), "NAT", ("symmetric NAT",)),
        (Nats(ipv4=NEAR), "NAT not known", ("no server outside",)),
        (Nats(ipv4=NEAR, ipv6=Nat(behind_nat=False)), "No NAT", ()),
        (Nats(ipv4=Nat(), ipv6=CONE), "NAT", ("some kind of cone", "203.0.113.7")),
        (
            Nats(ipv4=CONE, ipv6=Nat(behind_nat=False, firewall=True)),
            "NAT",
            ("IPv4 203.0.113.7", "some kind of cone", "IPv6", "no NAT, firewall"),
        ),
    ],
)
def test_the_nat_is_drawn_as_what_it_is(nat: Nats, title: str, lines: tuple[str, ...]) -> None:
    place = path(msgspec.structs.replace(REPORTS["healthy"](), nat=nat)).stops[1]

    assert (place.title, place.lines) == (title, lines)


@pytest.mark.parametrize(
    ("environment", "title", "lines"),
    [
        (Environment(), "No default route", ()),  # and yet servers answered
        (Environment(default_route="ppp0"), "ppp0", ()),
        (
            Environment(default_route="tun0", vpn=True, interfaces=(Interface(name="tun0", role="vpn", addresses=()),)),
            "tun0 (vpn) through a VPN",
            ("no address",),
        ),
    ],
)
def test_the_interface_is_drawn_with_what_is_known_of_it(
    environment: Environment, title: str, lines: tuple[str, ...]
) -> None:
    place = path(msgspec.structs.replace(REPORTS["healthy"](), environment=environment)).stops[0]

    assert (place.title, place.lines) == (title, lines)


@EVERY_REPORT
def test_every_bar_of_the_waterfall_lies_on_the_axis(name: str) -> None:
    figure = waterfall(evidence_of(REPORTS[name]())[0])

    for bar in (bar for lane in (figure.lanes if figure else ()) for row in lane.rows for bar in row.bars):
        assert 0 <= bar.x <= bar.x + bar.width <= 100.01
        assert all(bar.x <= mark <= bar.x + bar.width + 0.4 for mark in bar.marks)


def test_every_repeated_request_is_a_mark_in_its_bar() -> None:
    figure = waterfall(Evidence(observations=(binding(STUN[0], "198.51.100.10:3478", silent(0.0), 0.0),)))
    assert figure is not None

    assert len(figure.lanes[0].rows[0].bars[0].marks) == 3


def test_steps_of_one_name_share_a_row_unless_they_ended_differently() -> None:
    good, bad = (answered(5.0, AT[0], xor_mapped=at("203.0.113.7:50123")), silent(0.0))
    figure = waterfall(Evidence(observations=tuple(binding(STUN[0], AT[0], end, 5.0) for end in (good, bad, good))))
    assert figure is not None

    told = [(row.label.partition(",")[0], len(row.bars), row.tone) for row in figure.lanes[0].rows]
    assert told == [("Binding mapping \u00d7 2", 2, "ok"), ("Binding mapping", 1, "bad")]


def test_rows_that_do_not_fit_are_counted_in_steps() -> None:
    steps = tuple(binding(STUN[n % 2], AT[n % 2], silent(0.0), 5.0) for n in range(4))
    figure = waterfall(Evidence(observations=steps), most=1)
    assert figure is not None

    assert (len(figure.lanes), figure.left) == (1, 2)


def test_nothing_that_took_time_draws_no_waterfall() -> None:
    asked = Target(t_ms=0, server="stun:x", protocol="stun", host="x", port=1, transport="udp", ip_literal=False)  # type: ignore[arg-type]  # a saved report has the word

    assert waterfall(Evidence(observations=(asked,))) is None


def test_a_run_without_any_duration_still_has_an_axis() -> None:
    figure = waterfall(Evidence(observations=(Crash(t_ms=0.0, probe="p", error="KeyError", where="p.py:1"),)))

    assert figure is not None
    assert figure.lanes[0].rows[0].bars[0].x == 0.0


def measured(**quality: Any) -> Report:
    row = msgspec.structs.replace(stun_row(0), quality=quality)
    return msgspec.structs.replace(REPORTS["check-stun"](), servers=(row,))


def test_stun_and_turn_of_one_host_have_strips_of_their_own_name() -> None:
    plot = strips(measured(rtt_ms=[20.0]))

    assert plot is not None
    assert plot.rows[0].name == "stun:stun.example.org udp 198.51.100.10:3478"


def test_loss_is_part_of_the_strip() -> None:
    plot = strips(measured(rtt_ms=[20.0, 30.0], sent=4, answered=2))

    assert plot is not None
    assert plot.rows[0].words == "median 30 ms, 95th percentile 30 ms, 2 of 4 answered, 50 % lost"


@pytest.mark.parametrize("quality", [{}, {"rtt_ms": []}, {"rtt_ms": "soon"}, {"rtt_ms": ["a", None, -1, 1e300, True]}])
def test_a_quality_that_holds_no_times_draws_nothing(quality: dict[str, Any]) -> None:
    assert strips(measured(**quality)) is None


def test_times_of_zero_still_have_an_axis() -> None:
    plot = strips(measured(rtt_ms=[0.0]))

    assert plot is not None
    assert plot.rows[0].dots == (0.0,)


def test_two_nats_in_a_row_are_two_places_of_a_wider_figure() -> None:
    twice = msgspec.structs.replace(CONE, layers=2, cgnat=True)
    route = path(msgspec.structs.replace(REPORTS["healthy"](), nat=Nats(ipv4=twice)))
    drawing = wide(route)

    assert [stop.title for stop in route.stops] == ["wlan0 (wifi)", "NAT nearby", "Carrier-grade NAT"]
    assert drawing.width > 1030
    assert all(node.x + node.width <= drawing.width for node in drawing.nodes)


def test_a_name_without_an_address_of_one_family_is_no_fault_in_the_timeline() -> None:
    figure = waterfall(Evidence(observations=(resolution("a.example"), failed_resolution("b.example"))))
    assert figure is not None
    assert [row.tone for lane in figure.lanes for row in lane.rows] == ["muted", "bad"]


def failed_resolution(host: str) -> Resolution:
    return msgspec.structs.replace(resolution(host), failure=Failure.DNS_NOT_FOUND)
