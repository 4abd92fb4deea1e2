"""Answers that came by different interfaces: what differs because the way differs says nothing about a NAT."""

from random import Random

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Binding, Environment, Evidence
from rtcdiag.nat import BEHAVIORS, Nat, classify
from support.nat_model import ModelNat, ModelServer, plain
from support.nat_probe import Probe

EIM, _, APDM = BEHAVIORS
ETH0 = Environment(default_route="eth0", default_interfaces={"ipv4": "eth0", "ipv6": "wwan0"})


def by(interface: str, address: str, probe: Probe) -> list[Binding]:
    """Return what a probe saw, as if it had asked by that interface."""
    return [
        msgspec.structs.replace(
            item, interface=interface, local=TransportAddress(address, item.local.port) if item.local else None
        )
        for item in probe.run().seen
    ]


def servers(count: int, first: int = 0) -> tuple[ModelServer, ...]:
    return plain(first + count)[first:]


def seen(*bindings: Binding, environment: Environment = ETH0) -> Nat:
    nat = classify(Evidence(observations=bindings, environment=environment), Family.IPV4)
    assert nat is not None
    return nat


def home(*asked: ModelServer) -> list[Binding]:
    return by("eth0", "192.168.1.4", Probe(ModelNat(EIM, pool=("203.0.113.50",)), asked))


def tunnel(*asked: ModelServer, nat: ModelNat | None = None) -> list[Binding]:
    return by("wg0", "10.8.0.2", Probe(nat or ModelNat(EIM, pool=("198.51.100.7",), random=Random(5)), asked))  # noqa: S311  a model


def test_a_tunnel_for_some_servers_makes_no_dependent_mapping_no_pool_and_no_liar() -> None:
    nat = seen(*home(*servers(3)), *tunnel(*servers(2, 3)))

    assert (nat.mapping, nat.behind_nat, nat.interface, nat.address) == (EIM, True, "eth0", "192.168.1.4")
    assert nat.pooling != "arbitrary"
    assert nat.distrusted == {}
    assert {address.host for address in nat.mapped} == {"203.0.113.50"}
    (other,) = nat.other_ways
    assert (other.interface, other.address) == ("wg0", "10.8.0.2")
    assert {address.host for address in other.mapped} == {"198.51.100.7"}


def test_the_default_route_counts_although_more_servers_were_asked_by_another() -> None:
    assert seen(*home(*servers(2)), *tunnel(*servers(4, 2))).interface == "eth0"


def test_the_default_route_is_that_of_the_family() -> None:
    nat = seen(*home(*servers(2)), environment=msgspec.structs.replace(ETH0, default_route="wwan0"))

    assert (nat.interface, nat.mapping) == ("eth0", EIM)


def test_where_nobody_was_asked_by_the_default_route_most_servers_decide() -> None:
    lan = by("eth1", "192.168.9.9", Probe(ModelNat(EIM), servers(1)))

    assert seen(*lan, *tunnel(*servers(2, 1))).interface == "wg0"


def test_silence_by_the_default_route_is_not_filled_by_answers_of_a_tunnel() -> None:
    mute = by("eth0", "192.168.1.4", Probe(ModelNat(EIM, blocks_udp=True), servers(2)))
    nat = seen(*mute, *tunnel(*servers(3, 2)))

    assert (nat.interface, nat.behind_nat, nat.mapping) == ("eth0", None, "undetermined")
    assert nat.undetermined["mapping"] == "no answer over UDP by eth0; servers that were asked by wg0 did answer"


def test_two_addresses_of_one_interface_are_two_ways() -> None:
    one = by("eth0", "192.168.1.4", Probe(ModelNat(EIM), servers(3)))
    other = by("eth0", "192.168.1.5", Probe(ModelNat(APDM, random=Random(7)), servers(2, 3)))  # noqa: S311  a model
    nat = seen(*one, *other)

    assert (nat.address, nat.mapping, len(nat.other_ways)) == ("192.168.1.4", EIM, 1)


def test_what_no_system_told_is_one_way() -> None:
    unknown = [msgspec.structs.replace(item, interface=None) for item in home(*servers(3))]
    nat = seen(*unknown, environment=Environment())

    assert (nat.interface, nat.address, nat.mapping, nat.other_ways) == (None, "192.168.1.4", EIM, ())
