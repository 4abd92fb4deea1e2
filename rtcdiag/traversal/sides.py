"""One side as far as it is known, and what two of them achieve: yes or no where every possibility says so."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from typing import Literal

import msgspec

from rtcdiag.nat import BEHAVIORS, Behavior, Nat, Pooling, possible_filterings, possible_mappings
from rtcdiag.traversal.checks import Path, orders, paths
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
    tracks: tuple[bool, ...] = (False,)
    """Whether an unasked packet costs its NAT the port towards the sender."""
    tracks_untested: bool = False
    """Whether that it does not is only taken for granted, of a NAT that could."""
    udp: bool | None = True
    """Whether UDP gets through at all; None where that is not known."""
    relay: bool | None = False
    """Whether it has a relay that works; None where that is not known."""
    other_family: bool = False
    """Whether its own address is of the other family: it has only IPv6, and a NAT64 makes IPv4 of what it sends."""

    @property
    def sides(self) -> tuple[Side, ...]:
        """Every fully known side that it may be."""
        either = (_either(self.udp), _either(self.relay))
        known = (self.mappings, self.filterings, self.poolings)
        return tuple(Side(*values) for values in product(*known, *either, self.tracks, (self.other_family,)))

    @property
    def untracked(self) -> "Endpoint":
        """The same behind a NAT that takes no note of unasked packets."""
        return msgspec.structs.replace(self, tracks=(False,))

    @property
    def doubted(self) -> "Endpoint":
        """The same with nothing taken for granted."""
        return msgspec.structs.replace(self, tracks=(False, True)) if self.tracks_untested else self


def _either(known: bool | None) -> tuple[bool, ...]:
    return (True, False) if known is None else (known,)


def endpoint_of(nat: Nat, *, udp_blocked: bool = False) -> Endpoint:
    """Return what a NAT makes of this side."""
    mappings, filterings = possible_mappings(nat), possible_filterings(nat)
    could_track = nat.behind_nat is not False and EIM[0] in mappings and STRICT[0] in filterings
    return Endpoint(
        mappings=mappings,
        filterings=filterings,
        # A pool is small: by chance the address towards a peer may be the one that the peer was told.
        poolings=("paired",) if nat.pooling == "paired" else ("paired", "arbitrary"),
        # Where it is not known, none is taken to: few do, and only a test with an RFC 5780 server can tell.
        tracks=(nat.tracks_unsolicited is True,),
        tracks_untested=nat.tracks_unsolicited is None and could_track,
        udp=not udp_blocked,
        other_family=nat.nat64 is True and ":" in (nat.address or ""),
    )


def outcomes(here: Endpoint, peer: Endpoint, betweens: Iterable[Between] = (APART,)) -> frozenset[frozenset[Path]]:
    """Return the sets of paths that may turn out to work, one for every possibility."""
    return _outcomes(here, peer, tuple(betweens))


@lru_cache(maxsize=1024)
def _outcomes(here: Endpoint, peer: Endpoint, betweens: tuple[Between, ...]) -> frozenset[frozenset[Path]]:
    """Ask the model once: a report's rows, its verdict and each of its sentences want the same few answers."""
    possible = product(here.sides, peer.sides, betweens)
    return frozenset(paths(*each, first) for each in possible for first in orders(*each[:2]))


def predict(here: Endpoint, peer: Endpoint, betweens: Iterable[Between] = (APART,)) -> Reachable:
    """Return whether ICE connects the two without a relay: yes or no where every possibility says so, else unknown."""
    return certain(any(path.direct for path in found) for found in outcomes(here, peer, betweens))


def taken_for_granted(here: Endpoint, peer: Endpoint, betweens: Iterable[Between] = (APART,)) -> tuple[bool, bool]:
    """Return of which sides a yes needs that an unasked packet costs no port, though that was not tested."""
    ways = tuple(betweens)
    return predict(here.doubted, peer, ways) != "yes", predict(here, peer.doubted, ways) != "yes"


def certain(answers: Iterable[bool]) -> Reachable:
    """Return yes or no where all answers are that."""
    found = set(answers)
    if len(found) != 1:
        return "unknown"
    return "yes" if found == {True} else "no"
