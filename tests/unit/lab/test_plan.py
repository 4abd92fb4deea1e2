"""Which address is where."""

from ipaddress import ip_address, ip_network

import pytest

from rtcdiag.address import Scope, scope_of
from rtcdiag.lab.plan import NAME_SERVER, OPERATORS, ROUTER, ROUTER6, SIDES, Side, plan, plan_apart, plan_together
from rtcdiag.lab.spec import parse_spec

NESTS = [
    [],
    ["none"],
    ["firewall"],
    ["symmetric"],
    ["cgnat pool=64"],
    ["eim/apdf", "cgnat"],
    ["firewall", "eim/apdf", "none", "cgnat", "firewall"],
    ["eim/apdf v6=nat66", "cgnat v6=prefix", "eim/eif", "apdm/apdf"],
]


@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize("side", SIDES)
def test_what_a_layer_shows_outside_is_inside_the_next_or_routed_by_the_internet(side: Side, nest: list[str]) -> None:
    made = plan(side, [parse_spec(text) for text in nest])
    inner, inner6 = [made.address], [made.address6]
    for layer in made.layers:
        (inside,), inside6 = layer.addresses.inside, layer.addresses.inside6
        assert all(address in inside for address in inner)
        assert inside6 is not None
        assert all(address in inside6 for address in inner6)
        inner = list(layer.addresses.external) or inner
        inner6 = [layer.addresses.external6[1]] if layer.addresses.external6 else inner6
        assert len(layer.addresses.external) == (layer.spec.pool if layer.spec.kind == "nat" else 0)
    assert all(any(address in network for network in made.routed) for address in (*inner, *inner6))


@pytest.mark.parametrize("nest", NESTS)
def test_the_two_sides_share_no_address_with_each_other_or_with_the_internet(nest: list[str]) -> None:
    specs = [parse_spec(text) for text in nest]
    one, other = (plan(side, specs) for side in SIDES)
    assert not {str(network) for network in one.routed} & {str(network) for network in other.routed}
    servers = [address for operator in OPERATORS for family in operator for address in family]
    for text in (*servers, ROUTER, ROUTER6, NAME_SERVER):
        assert not any(ip_address(text) in network for made in (one, other) for network in made.routed)


def test_addresses_have_the_scope_of_their_place() -> None:
    home, carrier = plan("a", [parse_spec("home-router"), parse_spec("cgnat")]).layers
    assert scope_of(home.addresses.inside[0][2]) is Scope.PRIVATE
    assert {scope_of(address) for address in home.addresses.external} == {Scope.SHARED}
    assert {scope_of(address) for address in carrier.addresses.external} == {Scope.GLOBAL}
    assert scope_of(plan("a", [parse_spec("firewall")]).address) is Scope.GLOBAL


SHARED = [
    ([], [], ["home-router"]),
    ([], [], ["firewall"]),
    (["home-router"], ["symmetric"], ["cgnat"]),
    (["home-router"], [], ["cgnat", "firewall"]),
    (["home-router"], ["cgnat pool=64", "symmetric"], ["eim/eif", "cgnat"]),
    (["eim/apdf v6=nat66"], ["firewall"], ["cgnat v6=prefix"]),
    (["cgnat pool=64"], ["symmetric pool=64"], ["none"]),
]


@pytest.mark.parametrize(("a", "b", "shared"), SHARED)
def test_what_each_host_shows_is_inside_the_shared_layers_and_the_internet_sends_it_there(
    a: list[str], b: list[str], shared: list[str]
) -> None:
    group = plan_together([[parse_spec(text) for text in texts] for texts in (a, b)], list(map(parse_spec, shared)))
    for host in group.hosts:
        addresses = [host.address, host.address6]
        for layer in (*host.layers, *group.shared):
            own = layer.addresses
            assert own.inside6 is not None
            inside = [*map(str, own.inside), str(own.inside6)]
            assert all(any(address in ip_network(one) for one in inside) for address in addresses)
            if layer.spec.kind == "nat":
                addresses = [*own.external, *(one for one in addresses if one.version == 6)]
            if layer.spec.v6 in {"nat66", "prefix"}:
                assert own.external6 is not None
                addresses = [own.external6[1], *(one for one in addresses if one.version == 4)]
        assert all(any(address in network for network in group.routed) for address in addresses)
    servers = [ip_address(text) for operator in OPERATORS for family in operator for text in family]
    assert not any(address in network for network in (*group.routed, *group.networks) for address in servers)


@pytest.mark.parametrize(("a", "b", "shared"), SHARED)
def test_hosts_that_share_a_layer_have_no_address_in_common(a: list[str], b: list[str], shared: list[str]) -> None:
    group = plan_together([[parse_spec(text) for text in texts] for texts in (a, b)], list(map(parse_spec, shared)))
    shown = [
        {host.address, host.address6, *(address for layer in host.layers for address in layer.addresses.external)}
        for host in group.hosts
    ]
    assert not shown[0] & shown[1]


def test_two_hosts_without_anything_of_their_own_are_in_one_lan() -> None:
    one, other = plan_together(([], []), [parse_spec("home-router")]).hosts
    assert (str(one.address), str(other.address)) == ("192.168.1.2", "192.168.1.3")
    assert (one.lan, one.lan6) == (other.lan, other.lan6)
    assert one.address6 != other.address6


def test_two_customers_of_a_carrier_have_shared_addresses() -> None:
    homes = [[parse_spec("home-router")]] * 2
    group = plan_together(homes, [parse_spec("cgnat")])
    for host in group.hosts:
        assert {scope_of(address) for address in host.layers[0].addresses.external} == {Scope.SHARED}
    assert {scope_of(address) for address in group.shared[0].addresses.external} == {Scope.GLOBAL}
    assert [str(network) for network in group.routed if network.version == 4] == ["203.0.113.128/25"]


def test_hosts_apart_have_ways_of_their_own() -> None:
    one, other = plan_apart(([parse_spec("symmetric")], [parse_spec("symmetric")]))
    assert not set(one.routed) & set(other.routed)


@pytest.mark.parametrize("nest", NESTS)
def test_every_box_has_addresses_of_its_own_that_are_those_of_no_host(nest: list[str]) -> None:
    made = plan("a", [parse_spec(text) for text in nest])
    routers = [
        {4: layer.addresses.inside[0][1], 6: (layer.addresses.inside6 or made.lan6)[1]}
        | {one.version: one for one in layer.addresses.routers}
        for layer in made.layers
    ]
    every = [one for box in routers for one in box.values()]
    shown = [address for layer in made.layers for address in layer.addresses.external]
    assert len({*every, *shown, made.address, made.address6}) == len(every) + len(shown) + 2
