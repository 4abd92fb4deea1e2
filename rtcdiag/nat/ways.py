"""By which interface each question left: a computer with several ways out has several NATs, and one is judged.

Mapped addresses that differ because the way differs say nothing about any NAT. So answers are compared only among those
of one interface and one local address.
"""

import msgspec

from rtcdiag.address import Family, IPAddress, TransportAddress
from rtcdiag.evidence import Binding, Environment
from rtcdiag.nat.answers import known, valid_answer
from rtcdiag.nat.behavior import OtherWay


class Way(msgspec.Struct, frozen=True):
    """One way out of this computer; None is not known."""

    interface: str | None
    address: IPAddress | None

    @property
    def name(self) -> str:
        """The interface, else the address, as a reason names it."""
        return self.interface or str(self.address or "an interface that is not known")


def way_of(binding: Binding) -> Way:
    """Return the way by which a transaction left."""
    local = known(binding.local)
    return Way(binding.interface, local.ip if local is not None else None)


def main_way(bindings: tuple[Binding, ...], environment: Environment, family: Family) -> Way:
    """Return the way that the family's NAT is about: that of the default route where any server was asked by it.

    Peers are anywhere on the internet, so the default route leads to them. Where all servers were asked otherwise, as
    the user can have it, it is the way by which most were.
    """
    servers: dict[Way, set[str]] = {}
    for item in [item for item in bindings if item.role == "primary"] or bindings:
        servers.setdefault(way_of(item), set()).add(item.server)
    default = environment.default_interfaces.get(family.value, environment.default_route)
    return max(
        servers,
        key=lambda way: (way.interface == default and default is not None, len(servers[way])),
        default=Way(None, None),
    )


def by_way(bindings: tuple[Binding, ...], way: Way) -> tuple[Binding, ...]:
    """Return the transactions of one way."""
    return tuple(item for item in bindings if way_of(item) == way)


def other_ways(bindings: tuple[Binding, ...], way: Way) -> tuple[OtherWay, ...]:
    """Return what servers that were asked by other ways saw there."""
    seen: dict[Way, dict[TransportAddress, None]] = {}
    for item in bindings:
        here, answer = way_of(item), valid_answer(item)
        if here != way:
            mapped = known(answer.reflexive) if answer is not None else None
            seen.setdefault(here, {}).update({mapped: None} if mapped is not None else {})
    return tuple(
        OtherWay(interface=item.interface, address=str(item.address) if item.address else None, mapped=tuple(mapped))
        for item, mapped in seen.items()
    )
