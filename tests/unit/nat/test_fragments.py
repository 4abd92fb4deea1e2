"""Fragments: an answer is proof, and what a silence needs before it is called a loss of fragments."""

from typing import Any

import pytest
from msgspec.structs import replace

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Evidence, Exchange, Failure, SizedBinding, SizeTest
from rtcdiag.nat import Nat, classify
from support.evidence import answer
from support.nat_model import ModelNat, ModelServer, two_operators
from support.nat_probe import Probe

ONE, TWO = two_operators()
PACKETS: dict[SizeTest, int] = {
    "long": 1200, "long-fragmented": 1700, "padding-refused": 84, "padding": 76, "padding-fragmented": 1660,
    "unfragmented": 1500,
}  # fmt: skip
ECHOES: dict[SizeTest, int | None] = {
    "long": 88, "long-fragmented": 88, "padding-refused": -400, "padding": 108, "padding-fragmented": 1592,
}  # fmt: skip
"""Sizes of a server's answers that pads as much as was sent; None for silence, below zero for an error."""
FILLS: dict[SizeTest, int | None] = {**ECHOES, "padding": 1604, "padding-fragmented": 1604}
"""Those of one that always pads to Ethernet's MTU, as coturn does."""
OUT_LOST: dict[SizeTest, int | None] = {"long-fragmented": None, "padding-fragmented": None}
IN_LOST: dict[SizeTest, int | None] = {"padding-fragmented": None}


def exchange(size: int | None, *, server: ModelServer, sends: int = 9, unknown: tuple[int, ...] = ()) -> Exchange:
    if size is None:
        return Exchange(sent_ms=tuple(120.0 * number for number in range(sends)), failure=Failure.TIMEOUT)
    told: dict[str, Any] = {"size_bytes": size} if size >= 0 else {"success": False, "error_code": -size}
    return Exchange(sent_ms=(0.0,), answers=(answer(str(server.primary), **told, unknown_attributes=unknown),))


def sized(test: SizeTest, size: int | None, server: ModelServer = ONE, **more: Any) -> SizedBinding:
    return SizedBinding(
        id=f"obs-{test}",
        t_ms=0.0,
        server=server.uri,
        destination=server.primary,
        local=None,
        test=test,
        packet_bytes=more.pop("packet_bytes", PACKETS[test]),
        exchange=exchange(size, server=server, **more),
    )


def of(sizes: dict[SizeTest, int | None], server: ModelServer = ONE, **more: Any) -> tuple[SizedBinding, ...]:
    return tuple(sized(test, size, server, **more) for test, size in sizes.items())


def seen(*tests: SizedBinding, loss: float = 0.0) -> Nat:
    found = Probe(ModelNat(), two_operators(), loss=loss).run().evidence.observations
    judged = classify(Evidence(observations=(*found, *tests)), Family.IPV4)
    assert judged is not None
    return judged


def both(nat: Nat) -> tuple[bool | None, bool | None]:
    return nat.fragments_outbound, nat.fragments_inbound


@pytest.mark.parametrize("server", [ECHOES, FILLS], ids=["echoes", "fills"])
def test_what_is_answered_got_through(server: dict[SizeTest, int | None]) -> None:
    assert both(seen(*of(server))) == (True, True)


def test_fragments_that_get_lost_on_the_way_out_hide_the_way_in_of_a_server_that_pads_as_much_as_was_sent() -> None:
    nat = seen(*of(ECHOES | OUT_LOST))

    assert both(nat) == (False, None)
    assert "long requests do not get out" in nat.undetermined["fragments_inbound"]
    assert both(seen(*of(FILLS | OUT_LOST))) == (False, True)


def test_fragments_that_get_lost_on_the_way_in_are_told_from_those_on_the_way_out() -> None:
    assert both(seen(*of(ECHOES | IN_LOST))) == (True, False)
    assert both(seen(*of(FILLS | IN_LOST | {"padding": None}))) == (True, False)


def test_both_ways_are_lost_behind_a_server_that_always_pads() -> None:
    assert both(seen(*of(FILLS | OUT_LOST | {"padding": None}))) == (False, False)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"long": None}, "no server answers a request of 1200 bytes"),
        ({"padding-refused": None, "padding": None}, "does PADDING"),
        ({"padding-refused": -420, "padding": -420}, "does PADDING"),
        ({"padding-refused": -500, "padding": None}, "does PADDING"),
    ],
)
def test_silence_without_a_control_is_undetermined(changes: dict[SizeTest, int | None], reason: str) -> None:
    nat = seen(*of(FILLS | OUT_LOST | changes))

    assert nat.fragments_outbound is None
    assert reason in nat.undetermined["fragments_outbound"]


@pytest.mark.parametrize(("unknown", "expected"), [((0x0027,), False), ((0x0026, 0x0027), None), ((), None)])
def test_a_server_that_refuses_nothing_but_response_port_knows_padding(
    unknown: tuple[int, ...], expected: bool | None
) -> None:
    tests = of(FILLS | OUT_LOST | {"padding": None})
    refusal = sized("padding-refused", -420, unknown=unknown)
    nat = seen(*(refusal if test.test == "padding-refused" else test for test in tests))

    assert nat.fragments_outbound is expected


def test_few_transmissions_prove_nothing_by_silence() -> None:
    assert seen(*of(FILLS | OUT_LOST, sends=5)).fragments_outbound is None
    assert seen(*of(FILLS | OUT_LOST), loss=0.4).fragments_outbound is None


def test_a_server_that_is_reached_shows_that_the_loss_is_not_here() -> None:
    assert both(seen(*of(FILLS | OUT_LOST | {"padding": None}), *of(FILLS, TWO))) == (True, True)


def test_an_answer_that_needs_no_cutting_proves_nothing_of_the_way_in() -> None:
    nat = seen(*of(ECHOES | {"padding-fragmented": 108}))

    assert both(nat) == (True, None)
    assert "no answer that is long enough" in nat.undetermined["fragments_inbound"]


def test_inside_one_computer_nothing_is_cut() -> None:
    here = ModelServer("stun:127.0.0.1", "127.0.0.1")
    probe = Probe(ModelNat(translates=False), (here,)).run()
    judged = classify(Evidence(observations=(*probe.seen, *of(FILLS, here))), Family.IPV4)

    assert judged is not None
    assert judged.undetermined["fragments_outbound"] == "inside this computer nothing is cut"


def test_the_largest_packet_is_one_that_was_answered() -> None:
    tried = {1280: 88, 1400: 88, 1420: None, 1492: None, 1500: None}
    tests = [sized("unfragmented", size, packet_bytes=packet) for packet, size in tried.items()]

    assert seen(*tests).mtu_bytes == 1400
    assert seen(*tests[2:]).undetermined["mtu_bytes"] == "no packet of 1420 bytes or more got through uncut"
    assert seen(*of(FILLS)).undetermined["mtu_bytes"].startswith("no server answered, or this system")


def test_the_headers_of_ipv6_count_too() -> None:
    there = TransportAddress("2001:db8::1", 3478)
    tests = of(ECHOES | {"padding-fragmented": 1460})
    first = next(item for item in Probe(ModelNat(), (ONE,)).run().seen)
    over6 = (replace(item, destination=there) for item in (first, *tests))
    judged = classify(Evidence(observations=tuple(over6)), Family.IPV6)

    assert seen(*tests).fragments_inbound is None
    assert judged is not None
    assert judged.fragments_inbound is True
