"""A NAT in words: short, with how sure it is, and with what to do where it is not known."""

import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Environment, Interface
from rtcdiag.formats.nat_words import axes, other_way, standing, sure
from rtcdiag.nat import BEHAVIORS, Certainty, Nat, OtherWay

HERE = Environment(
    interfaces=(
        Interface(name="eth0", role="ethernet", addresses=("192.168.1.2",)),
        Interface(name="wg0", role="vpn", addresses=("10.8.0.2",)),
    )
)
EIM, _, APDM = BEHAVIORS


def at(*texts: str) -> tuple[TransportAddress, ...]:
    return tuple(map(TransportAddress.parse, texts))


@pytest.mark.parametrize(
    ("p_wrong", "words"),
    [
        (None, ""),
        (0.5, "50 % sure"),
        (0.15, "85 % sure"),
        (0.02, "98 % sure"),
        (0.002, "99.8 % sure"),
        (0.00073, "99.93 % sure"),
        (0.0001, "99.99 % sure"),
        (1e-6, "99.99+ % sure"),
        (1.0, "0 % sure"),
    ],
)
def test_how_sure_it_is_has_as_many_digits_as_tell_something(p_wrong: float | None, words: str) -> None:
    assert sure(p_wrong) == words


@pytest.mark.parametrize(
    ("nat", "words"),
    [
        (
            Nat(
                behind_nat=True,
                mapping=EIM,
                filtering=APDM,
                interface="eth0",
                address="192.168.1.2",
                mapped=at("203.0.113.7:5"),
            ),
            "behind a NAT (port-restricted cone), over eth0 (192.168.1.2), seen as 203.0.113.7",
        ),
        (
            Nat(behind_nat=True, interface="wg0", address="10.8.0.2", mapped=at("203.0.113.7:5", "203.0.113.8:5")),
            "behind a NAT, over wg0 (VPN, 10.8.0.2), seen as 203.0.113.7 and 203.0.113.8",
        ),
        (Nat(behind_nat=False, mapping=EIM, filtering=EIM), "no NAT (open internet)"),
        (Nat(behind_nat=False, mapping=EIM, filtering=APDM, firewall=True), "no NAT, but a stateful firewall"),
        (Nat(behind_nat=False, mapping=EIM, address="203.0.113.7"), "no NAT, over 203.0.113.7"),
        (Nat(behind_nat=False, mapping=EIM, local_only=True, mapped=at("127.0.0.1:1")), "this computer only"),
        (Nat(), "whether there is a NAT is not known"),
    ],
)
def test_where_a_nat_stands_is_one_line(nat: Nat, words: str) -> None:
    assert standing(nat, HERE) == words


def told(nat: Nat) -> dict[str, str]:
    return dict(axes(nat))


def test_each_axis_says_how_sure_it_is() -> None:
    nat = Nat(
        behind_nat=True,
        mapping=EIM,
        filtering=APDM,
        port_preservation=True,
        port_assignment="preserved",
        confidence={"mapping": Certainty(p_wrong=0.02), "filtering": Certainty(p_wrong=0.0007)},
    )

    assert told(nat) == {
        "mapping": "endpoint-independent (98 % sure)",
        "filtering": "address-and-port-dependent (99.93 % sure)",
        "ports": "the local port is kept",
    }


def test_an_undetermined_axis_has_its_reason_and_the_next_step() -> None:
    nat = Nat(undetermined={"filtering": "nobody knows"}, find_out={"filtering": "ask again"})

    assert told(nat)["filtering"] == "undetermined: nobody knows; to find out, ask again"


@pytest.mark.parametrize(
    ("nat", "words"),
    [
        (Nat(behind_nat=True, port_assignment="random"), "random"),
        (Nat(behind_nat=True, port_assignment="sequential", port_delta=1), "sequential, step +1"),
        (Nat(behind_nat=True, port_assignment="sequential", port_delta=-2), "sequential, step -2"),
        (Nat(behind_nat=True, port_assignment="sequential"), "sequential, with other hosts' ports between"),
        (
            Nat(behind_nat=True, port_assignment="block", mapped=at("203.0.113.7:1100", "203.0.113.7:1050")),
            "from one block, seen 1050 to 1100",
        ),
        (Nat(behind_nat=True, port_assignment="random", port_parity=True), "random, even ports stay even"),
        (
            Nat(behind_nat=True, port_assignment="random", port_preservation=True),
            "the local port for the first destination, then random",
        ),
    ],
)
def test_how_ports_are_chosen_is_said_in_words(nat: Nat, words: str) -> None:
    assert told(nat)["ports"] == words


def test_without_a_nat_nothing_is_said_of_ports_and_pools() -> None:
    assert set(told(Nat(behind_nat=False, port_assignment="random", pooling="arbitrary"))) == {"mapping", "filtering"}


def test_another_way_is_told_with_what_was_seen_there() -> None:
    way = OtherWay(interface="wg0", address="10.8.0.2", mapped=at("198.51.100.7:1", "198.51.100.7:2"))

    assert other_way(way, HERE) == "some servers were asked over wg0 (VPN, 10.8.0.2): seen as 198.51.100.7"
    assert other_way(OtherWay(), HERE) == "some servers were asked another way: no answer"
