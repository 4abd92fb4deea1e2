"""Which address is where: pure arithmetic, the same in every lab.

The internet of the lab has addresses of the documentation ranges (RFC 5737, RFC 3849), which count as global. Behind a
NAT are those of RFC 1918, between two NATs those of RFC 6598.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import count, pairwise
from typing import Literal, NamedTuple

from rtcdiag.lab.spec import Addresses, NatSpec

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")


class Operator(NamedTuple):
    """The addresses of one server: two of each family, as RFC 5780 needs them."""

    ipv4: tuple[str, str]
    ipv6: tuple[str, str]


OPERATORS = (
    Operator(("203.0.113.10", "203.0.113.11"), ("2001:db8::10", "2001:db8::11")),
    Operator(("198.51.100.10", "198.51.100.11"), ("2001:db8:100::10", "2001:db8:100::11")),
)
ROUTER, ROUTER6 = "203.0.113.1", "2001:db8::1"
"""Who says on the internet that there is no way to a host."""
NAME_SERVER = "203.0.113.53"

_PUBLIC = {"a": IPv4Network("203.0.113.128/25"), "b": IPv4Network("198.51.100.128/25")}


class Layer(NamedTuple):
    """One middlebox."""

    spec: NatSpec
    addresses: Addresses


class HostPlan(NamedTuple):
    """A computer and the middleboxes in front of it that nobody shares, innermost first."""

    side: Side
    address: IPv4Address
    lan: IPv4Network
    address6: IPv6Address
    lan6: IPv6Network
    layers: tuple[Layer, ...]
    routed: tuple[IPv4Network | IPv6Network, ...]
    """What the internet sends to the outermost of them."""


class Group(NamedTuple):
    """Hosts that reach the internet by one way: a single one, or two with middleboxes that they share."""

    hosts: tuple[HostPlan, ...]
    shared: tuple[Layer, ...]
    """Behind those of each host, innermost first."""
    routed: tuple[IPv4Network | IPv6Network, ...]
    """What the internet sends to this way."""

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return where the hosts, or their own outermost middleboxes, are next to each other."""
        addresses = self.shared[0].addresses
        return (*addresses.inside, *((addresses.inside6,) if addresses.inside6 else ()))


def plan_apart(branches: Sequence[Sequence[NatSpec]]) -> list[Group]:
    """Give each host a way of its own."""
    plans = [plan(side, specs) for side, specs in zip(SIDES, branches, strict=False)]
    return [Group((one,), (), one.routed) for one in plans]


def plan_together(branches: Sequence[Sequence[NatSpec]], shared: Sequence[NatSpec]) -> Group:
    """Put two hosts behind their own middleboxes, and all of that behind shared ones, of which there is at least one.

    Without any of their own they are in one LAN.
    """
    plans = [plan(side, [*specs, *shared]) for side, specs in zip(SIDES, branches, strict=True)]
    first, second = plans
    if not any(branches):
        second = first._replace(side="b", address=first.lan[3], address6=first.lan6[3])
        plans = [first, second]
    behind = [one.layers[len(specs) :] for one, specs in zip(plans, branches, strict=True)]
    routed = {
        network: None
        for one in plans
        for network in one.routed
        if network in first.routed or not _translates(network.version, shared)
    }
    return Group(
        hosts=tuple(one._replace(layers=one.layers[: len(one.layers) - len(shared)]) for one in plans),
        shared=tuple(_shared(one, other) for one, other in zip(*behind, strict=True)),
        routed=tuple(routed),
    )


def _translates(version: int, specs: Sequence[NatSpec]) -> bool:
    return any(spec.kind == "nat" if version == 4 else spec.v6 == "nat66" for spec in specs)


def _shared(one: Layer, other: Layer) -> Layer:
    """Return a layer that is behind both hosts: outside as it is planned for the first, inside open to both."""
    here, there = one.addresses, other.addresses
    both = Addresses(
        inside=tuple(dict.fromkeys(here.inside + there.inside)),
        external=here.external,
        inside6=_around(here.inside6, there.inside6),
        external6=_around(here.external6, there.external6) if one.spec.v6 == "prefix" else here.external6,
        routers=here.routers,
    )
    return Layer(one.spec, both)


def _around(one: IPv6Network | None, other: IPv6Network | None) -> IPv6Network | None:
    """Return the smallest network that has both."""
    while one is not None and other is not None and not other.subnet_of(one):
        one = one.supernet()
    return one


def plan(side: Side, specs: Sequence[NatSpec]) -> HostPlan:
    """Give addresses to a host behind these; the outermost is the last."""
    networks = list(_networks(side, [spec.kind == "nat" for spec in specs]))
    networks6 = list(_networks6(side, [spec.v6 in {"nat66", "prefix"} for spec in specs]))
    between = zip(specs, pairwise(networks), pairwise(networks6), strict=True)
    layers = tuple(
        Layer(spec, _addresses(spec, pair, pair6, tuple(_routers(side, specs, place))))
        for place, (spec, pair, pair6) in enumerate(between)
    )
    lan, lan6 = networks[0], networks6[0]
    return HostPlan(side, lan[2], lan, lan6[2], lan6, layers, (networks[-1], networks6[-1]))


def _routers(side: Side, specs: Sequence[NatSpec], place: int) -> Iterator[IPv4Address | IPv6Address]:
    """Yield addresses of its own for a box that is in the same network as the one before it, which translates not."""
    if place == 0:
        return
    before, number = specs[place - 1], 1 + SIDES.index(side)
    if before.kind != "nat":
        inner = any(spec.kind == "nat" for spec in specs[place:])
        yield IPv4Address(f"10.{100 + place}.{number}.1" if inner else f"192.0.2.{100 * number + place}")
    if before.v6 not in {"nat66", "prefix"}:
        yield IPv6Address(f"2001:db8:1:{number}0{place:02x}::1")


def _addresses(
    spec: NatSpec,
    networks: tuple[IPv4Network, IPv4Network],
    networks6: tuple[IPv6Network, IPv6Network],
    routers: tuple[IPv4Address | IPv6Address, ...],
) -> Addresses:
    (inside, outside), (inside6, outside6) = networks, networks6
    external = tuple(outside[2 + number] for number in range(spec.pool)) if spec.kind == "nat" else ()
    external6 = outside6 if spec.v6 in {"nat66", "prefix"} else None
    return Addresses(inside=(inside,), external=external, inside6=inside6, external6=external6, routers=routers)


def _networks(side: Side, translates: Sequence[bool]) -> Iterator[IPv4Network]:
    """Yield the network inside the first box, then the one outside each: a new one behind each that translates."""
    number = 1 + SIDES.index(side)
    left = sum(translates)
    depth = count()
    network = IPv4Network(f"192.168.{number}.0/24") if left else _PUBLIC[side]
    yield network
    for translating in translates:
        if translating:
            left -= 1
            between = (f"100.64.{number}.0/24", *(f"10.{deep}.{number}.0/24" for deep in range(1, 100)))
            network = IPv4Network(between[next(depth)]) if left else _PUBLIC[side]
        yield network


def _networks6(side: Side, translates: Sequence[bool]) -> Iterator[IPv6Network]:
    """As `_networks`; those of both sides at one depth are halves of one network."""
    number = 2 + SIDES.index(side)
    left = sum(translates)
    public = IPv6Network(f"2001:db8:1:{number}::/64")
    depth = count()
    network = IPv6Network(f"fd5a:1ab:{next(depth)}:{number}::/64") if left else public
    yield network
    for translating in translates:
        if translating:
            left -= 1
            network = IPv6Network(f"fd5a:1ab:{next(depth)}:{number}::/64") if left else public
        yield network
