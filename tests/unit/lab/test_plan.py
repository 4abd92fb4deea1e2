"""Which address is where."""

from ipaddress import ip_address

import pytest

from rtcdiag.address import Scope, scope_of
from rtcdiag.lab.plan import NAME_SERVER, OPERATORS, ROUTER, ROUTER6, SIDES, Side, plan
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
