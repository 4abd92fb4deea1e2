"""One side as far as it is known, and what two of them achieve: yes or no where every possibility says so."""

from collections.abc import Iterable
from itertools import product
from typing import Literal

import msgspec

from rtcdiag.nat import BEHAVIORS, Behavior, Nat, Pooling, possible_filterings, possible_mappings
from rtcdiag.traversal.checks import Path, paths
from rtcdiag.traversal.world import APART, Between, Side

Reachable = Literal["yes", "no", "unknown"]

EIM: tuple[Behavior, ...] = ("endpoint-independent",)
DEPENDENT: tuple[Behavior, ...] = ("address-dependent", "address-and-port-dependent")
STRICT: tuple[Behavior, ...] = ("address-and-port-dependent",)


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One side as far as it is known: everything that it may be."""

    mappings: tuple[Behavior, ...] = BEHAVIORS
    filterings: tuple[Behavior, ...] = BEHAVIORS
    poolings: tuple[Pooling, ...] = ("paired",)
    """RFC 4787 section 4.1 recommends paired, and so a kind of peer has it; it matters to dependent mappings only."""
    udp: bool | None = True
    """Whether UDP gets through at all; None where that is not known."""
    relay: bool | None = False
    """Whether it has a relay that works; None where that is not known."""

    @property
    def sides(self) -> tuple[Side, ...]:
        """Every fully known side that it may be."""
        either = (_either(self.udp), _either(self.relay))
        return tuple(Side(*values) for values in product(self.mappings, self.filterings, self.poolings, *either))


def _either(known: bool | None) -> tuple[bool, ...]:
    return (True, False) if known is None else (known,)


def endpoint_of(nat: Nat, *, udp_blocked: bool = False) -> Endpoint:
    """Return what a NAT makes of this side."""
    return Endpoint(
        mappings=possible_mappings(nat),
        filterings=possible_filterings(nat),
        # A pool is small: by chance the address towards a peer may be the one that the peer was told.
        poolings=("paired",) if nat.pooling == "paired" else ("paired", "arbitrary"),
        udp=not udp_blocked,
    )


def outcomes(here: Endpoint, peer: Endpoint, betweens: Iterable[Between] = (APART,)) -> frozenset[frozenset[Path]]:
    """Return the sets of paths that may turn out to work, one for every possibility."""
    possible = product(here.sides, peer.sides, betweens)
    return frozenset(paths(one, two, between) for one, two, between in possible)


def predict(here: Endpoint, peer: Endpoint, betweens: Iterable[Between] = (APART,)) -> Reachable:
    """Return whether ICE connects the two without a relay: yes or no where every possibility says so, else unknown."""
    return certain(any(path.direct for path in found) for found in outcomes(here, peer, betweens))


def certain(answers: Iterable[bool]) -> Reachable:
    """Return yes or no where all answers are that."""
    found = set(answers)
    if len(found) != 1:
        return "unknown"
    return "yes" if found == {True} else "no"
