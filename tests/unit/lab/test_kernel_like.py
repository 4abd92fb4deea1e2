"""What routers in the field do besides RFC 4787: share a port, remember the unasked, refuse aloud, restart."""

import pytest

from rtcdiag.lab.connections import CLOSED_S, OPENING_S, Connections
from rtcdiag.lab.mappings import MOST_MAPPINGS, Mappings
from rtcdiag.lab.middlebox import Side
from support.middleboxes import EXTERNAL, HOST, HOST6, OTHER_HOST, OTHER_SERVER, SERVER, SERVER6, Box, echo, tcp, udp

A, A_OTHER_PORT, B = (SERVER, 3478), (SERVER, 3479), (OTHER_SERVER, 3478)
HERE, THERE = (HOST, 50000), (OTHER_HOST, 50000)
FIN, SYN, RST, ACK = 1, 2, 4, 16


def test_an_overloaded_port_is_kept_towards_everybody_until_two_hosts_want_it_for_the_same_remote() -> None:
    box = Box("apdm/apdf port=overloading")
    assert {box.mapped(HERE, remote) for remote in (A, A_OTHER_PORT, B)} == {(EXTERNAL, 50000)}
    assert box.mapped(THERE, (OTHER_SERVER, 9)) == (EXTERNAL, 50000)
    assert box.mapped(THERE, A) != (EXTERNAL, 50000)


def test_each_host_behind_an_overloaded_port_gets_what_its_own_remote_sends() -> None:
    box = Box("apdm/apdf port=overloading")
    box.mapped(HERE, A)
    box.mapped(THERE, B)
    for remote, host in ((A, HERE), (B, THERE)):
        seen = box.into(udp(remote, (EXTERNAL, 50000)))
        assert seen is not None
        assert seen.destination == host
    assert not box.accepts(A_OTHER_PORT, (EXTERNAL, 50000))


def test_an_address_dependent_overloaded_port_is_shared_by_address() -> None:
    box = Box("adm/adf port=overloading")
    box.mapped(HERE, A)
    assert box.mapped(THERE, B) == (EXTERNAL, 50000)
    assert box.mapped(THERE, A_OTHER_PORT) != (EXTERNAL, 50000)


@pytest.mark.parametrize(("inbound", "kept"), [("dropped", True), ("tracked", False)])
def test_an_unasked_packet_takes_the_port_towards_its_sender_where_it_is_tracked(inbound: str, kept: bool) -> None:
    box = Box(f"apdm/apdf port=overloading inbound={inbound}")
    assert box.mapped(HERE, A) == (EXTERNAL, 50000)
    assert not box.accepts(B, (EXTERNAL, 50000))
    assert (box.mapped(HERE, B) == (EXTERNAL, 50000)) == kept
    assert box.mapped(HERE, A_OTHER_PORT) == (EXTERNAL, 50000)


def test_what_was_tracked_is_forgotten_after_half_a_minute() -> None:
    box = Box("apdm/apdf port=overloading inbound=tracked")
    box.accepts(B, (EXTERNAL, 50000))
    box.now_s = 30
    assert box.mapped(HERE, B) == (EXTERNAL, 50000)


def test_an_answer_is_not_taken_for_unasked() -> None:
    box = Box("apdm/apdf port=overloading inbound=tracked lifetime=10s")
    box.mapped(HERE, A)
    assert box.accepts(A, (EXTERNAL, 50000))
    box.now_s = 11
    assert box.mapped(HERE, A) == (EXTERNAL, 50000)


def test_the_tracked_are_bounded() -> None:
    table = Mappings(
        mapping="address-and-port-dependent",
        filtering="address-and-port-dependent",
        lifetime_s=30.0,
        refresh="both",
        assign=lambda inside, taken: inside if inside not in taken else None,
        overloads=True,
        tracks=True,
    )
    here = (b"here", 50000)
    for port in (*range(1, MOST_MAPPINGS + 1), 1, MOST_MAPPINGS + 1):
        table.inbound(here, (b"away", port), 0.0)
    taken = [table.outbound(here, (b"away", port), 0.0) is None for port in (1, 2, 3, MOST_MAPPINGS + 1)]
    assert taken == [True, False, True, True]


@pytest.mark.parametrize(("blocked", "code"), [("prohibited", 13), ("unreachable", 3)])
@pytest.mark.parametrize("make", [udp, tcp])
def test_what_is_blocked_is_refused_aloud_where_the_firewall_says_so(blocked: str, code: int, make: type) -> None:
    box = Box(f"eim/apdf udp=53 tcp=443 blocked={blocked}")
    packet = make(HERE, A)
    refused = box.back(Side.INSIDE, packet)
    assert refused is not None
    assert (refused.source[0], refused.destination[0]) == ("192.168.1.1", HOST)
    assert (refused.payload[:2], refused.payload[8:]) == (bytes((3, code)), packet)


def test_a_refusal_of_ipv6_is_one_of_icmpv6() -> None:
    for blocked, code in (("prohibited", 1), ("unreachable", 4)):
        refused = Box(f"eim/apdf v6=blocked blocked={blocked}").back(Side.INSIDE, udp((HOST6, 5000), (SERVER6, 3478)))
        assert refused is not None
        assert refused.payload[:2] == bytes((1, code))


def test_nothing_is_said_to_the_outside_nor_where_icmp_is_blocked_nor_unless_told() -> None:
    box = Box("eim/apdf udp=53 blocked=prohibited")
    assert box.emissions(Side.OUTSIDE, udp(A, (EXTERNAL, 50000))) == []
    for spec in ("eim/apdf udp=53", "eim/apdf udp=53 blocked=prohibited icmp=blocked"):
        assert Box(spec).emissions(Side.INSIDE, udp(HERE, A)) == []


def test_a_restart_forgets_every_mapping_and_does_not_hurt_before() -> None:
    box = Box("eim/apdf port=random restart=60s")
    before = box.mapped(HERE, A)
    box.now_s = 59.9
    assert box.accepts(A, before)
    box.now_s = 60
    assert not box.accepts(A, before)
    again = box.mapped(HERE, A)
    assert again != before
    box.now_s = 119
    assert box.accepts(A, again)
    box.now_s = 130
    assert not box.accepts(A, again)
    last = box.mapped(HERE, A)
    box.now_s = 180
    assert not box.accepts(A, last)


@pytest.mark.parametrize("spec", ["eim/apdf", "none", "firewall"])
def test_a_router_answers_for_itself(spec: str) -> None:
    box = Box(spec)
    for host, router in ((HOST, "192.168.1.1"), (HOST6, "2001:db8:1::1")):
        replied = box.back(Side.INSIDE, echo(host, router, 77))
        assert replied is not None
        assert (replied.source[0], replied.destination[0]) == (router, host)
        assert replied.payload[4:] == echo(host, router, 77)[-len(replied.payload) + 4 :]
        assert replied.payload[0] == (129 if ":" in host else 0)
        refused = box.back(Side.INSIDE, udp((host, 5000), (router, 5351)))
        assert refused is not None
        assert (refused.source[0], refused.payload[:2]) == (router, bytes((1, 4) if ":" in host else (3, 3)))


def test_a_router_does_not_answer_what_it_must_not() -> None:
    box = Box("eim/apdf")
    assert box.emissions(Side.INSIDE, echo(HOST, "192.168.1.1", 1, reply=True)) == []
    assert box.emissions(Side.INSIDE, tcp(HERE, ("192.168.1.1", 80))) == []
    assert box.emissions(Side.OUTSIDE, echo(SERVER, "192.168.1.1", 1)) == []
    assert Box("eim/apdf icmp=blocked").emissions(Side.INSIDE, echo(HOST, "192.168.1.1", 1)) == []


def is_open(box: Box) -> bool:
    return box.into(tcp(A, (EXTERNAL, 50000), flags=ACK)) is not None


def opened() -> Box:
    box = Box("eim/eif")
    box.out(tcp(HERE, A, flags=SYN))
    box.into(tcp(A, (EXTERNAL, 50000), flags=SYN | ACK))
    return box


@pytest.mark.parametrize("ends", ["inside resets", "outside resets", "both end"])
def test_a_connection_that_ended_is_forgotten_soon(ends: str) -> None:
    box = opened()
    if ends != "outside resets":
        box.out(tcp(HERE, A, flags=RST if ends == "inside resets" else FIN | ACK))
    if ends != "inside resets":
        box.into(tcp(A, (EXTERNAL, 50000), flags=RST if ends == "outside resets" else FIN | ACK))
    box.out(tcp(HERE, A, flags=ACK))
    box.now_s = 9
    assert is_open(box)
    box.now_s = 20
    assert not is_open(box)


def test_a_connection_with_one_end_closed_lives_on() -> None:
    box = opened()
    box.into(tcp(A, (EXTERNAL, 50000), flags=FIN | ACK))
    box.now_s = 7000
    assert is_open(box)


def test_a_connection_that_nobody_answered_is_forgotten_after_four_minutes() -> None:
    box = Box("eim/eif")
    box.out(tcp(HERE, A, flags=SYN))
    box.now_s = 239
    assert is_open(box)
    box = Box("eim/eif")
    box.out(tcp(HERE, A, flags=SYN))
    box.now_s = 240
    assert not is_open(box)


def test_a_new_connection_between_the_same_ends_lives_as_long_as_any() -> None:
    box = opened()
    box.out(tcp(HERE, A, flags=RST))
    box.out(tcp(HERE, A, flags=SYN))
    box.into(tcp(A, (EXTERNAL, 50000), flags=SYN | ACK))
    box.now_s = 7000
    assert is_open(box)


def test_the_end_of_one_connection_leaves_the_others_of_its_port() -> None:
    box = opened()
    box.out(tcp(HERE, B, flags=SYN))
    box.out(tcp(HERE, B, flags=RST))
    box.now_s = 7000
    assert is_open(box)
    assert box.into(tcp(B, (EXTERNAL, 50000), flags=ACK)) is None


def test_a_block_of_ports_lasts_for_more_connections_than_it_has_ports_one_after_another() -> None:
    box = Box("eim/eif port=block:10")
    for number in range(30):
        box.now_s = 11.0 * number
        here = (HOST, 50000 + number)
        assert box.out(tcp(here, A, flags=SYN)) is not None
        box.out(tcp(here, A, flags=RST))


def test_the_connections_of_one_mapping_are_bounded() -> None:
    box = Box("eim/eif")
    for port in range(1, 1100):
        box.out(tcp(HERE, (SERVER, port), flags=SYN))
    assert box.into(tcp((SERVER, 1), (EXTERNAL, 50000))) is None
    assert box.into(tcp((SERVER, 1099), (EXTERNAL, 50000))) is not None


def test_the_connections_that_are_remembered_are_bounded() -> None:
    connections = Connections()
    connections.follow((b"1", 1), RST, inbound=True)
    for port in range(2, 1026):
        connections.follow((b"1", port), RST, inbound=True)
    assert connections.follow((b"1", 1025), 0, inbound=False) == CLOSED_S
    assert connections.follow((b"1", 1), 0, inbound=False) == OPENING_S
