"""Two NATs and ICE: what they will achieve between them (RFC 8445).

A model, not a table: two agents behind NATs of RFC 4787's behaviors, each with one socket and one server-reflexive
candidate, run checks at each other until nothing new comes of it. Host candidates, relays, hairpinning and port
prediction stay out. What is not known of a side is tried in every way that it can be.
"""

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Literal, NamedTuple

import msgspec

from rtcdiag.nat import BEHAVIORS, Behavior, Nat, Pooling, possible_filterings, possible_mappings

PeerKind = Literal[
    "open", "full-cone", "address-restricted", "port-restricted", "symmetric", "firewalled", "udp-blocked"
]
Reachable = Literal["yes", "no", "unknown"]
DirectHere = Literal["likely", "depends-on-peer", "none-direct", "inconclusive", "not-tested"]
"""What one side can tell of direct paths; what ``none-direct`` means for calls is decided by its relays."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this host reaches one kind of peer directly."""

    peer: PeerKind
    direct: Reachable
    why: str


class Side(NamedTuple):
    """One fully known side."""

    mapping: Behavior
    filtering: Behavior
    pooling: Pooling


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One side as far as it is known: everything that it may be."""

    mappings: tuple[Behavior, ...] = BEHAVIORS
    filterings: tuple[Behavior, ...] = BEHAVIORS
    poolings: tuple[Pooling, ...] = ("paired",)
    """RFC 4787 section 4.1 recommends paired, and so a kind of peer has it; it matters to dependent mappings only."""
    udp: bool = True
    """Whether UDP gets through at all."""

    @property
    def sides(self) -> tuple[Side, ...]:
        """Every fully known side that it may be."""
        return tuple(Side(*values) for values in product(self.mappings, self.filterings, self.poolings))


_EIM: tuple[Behavior, ...] = ("endpoint-independent",)
_DEPENDENT: tuple[Behavior, ...] = ("address-dependent", "address-and-port-dependent")
_STRICT: tuple[Behavior, ...] = ("address-and-port-dependent",)

PEERS: dict[PeerKind, Endpoint] = {
    "open": Endpoint(mappings=_EIM, filterings=_EIM),
    "full-cone": Endpoint(mappings=_EIM, filterings=_EIM),
    "address-restricted": Endpoint(mappings=_EIM, filterings=("address-dependent",)),
    "port-restricted": Endpoint(mappings=_EIM, filterings=_STRICT),
    "symmetric": Endpoint(mappings=_DEPENDENT, filterings=_STRICT),
    "firewalled": Endpoint(mappings=_EIM, filterings=_STRICT),
    "udp-blocked": Endpoint(udp=False),
}


def endpoint_of(nat: Nat, *, udp_blocked: bool = False) -> Endpoint:
    """Return what a NAT makes of this side."""
    return Endpoint(
        mappings=possible_mappings(nat),
        filterings=possible_filterings(nat),
        poolings=(nat.pooling,) if nat.pooling else ("paired", "arbitrary"),
        udp=not udp_blocked,
    )


def predict(here: Endpoint, peer: Endpoint) -> Reachable:
    """Return whether ICE connects the two without a relay: yes or no where every possibility says so, else unknown."""
    if not (here.udp and peer.udp):
        return "no"
    outcomes = {connects(one, two) for one in here.sides for two in peer.sides}
    if len(outcomes) > 1:
        return "unknown"
    return "yes" if outcomes == {True} else "no"


@cache
def connects(here: Side, peer: Side) -> bool:
    """Return whether ICE connects two fully known sides."""
    one, two = _Agent("1", here), _Agent("2", peer)
    one.learn(two.candidate)
    two.learn(one.candidate)
    return any(_check_each_other(one, two) for _ in range(_ROUNDS))


_ROUNDS = 5
"""After three rounds no pair of behaviors brings anything new but ever more ports of two port-dependent mappings."""
_Address = tuple[str, int]
_STUN_SERVER: _Address = ("stun", 0)


class _Agent:
    """An ICE agent with one socket, and the NAT in front of it."""

    def __init__(self, name: str, side: Side) -> None:
        self.name = name
        self.side = side
        self.remotes: list[_Address] = []
        self._outside: dict[object, _Address] = {}
        self._contacted: dict[_Address, set[_Address]] = {}
        self.candidate = self.send(_STUN_SERVER)

    def learn(self, remote: _Address) -> None:
        """Take a remote candidate, signaled or peer-reflexive."""
        if remote not in self.remotes:
            self.remotes.append(remote)

    def send(self, destination: _Address) -> _Address:
        """Let a packet out, open the way for what comes back, and return its source outside."""
        key = {"endpoint-independent": None, "address-dependent": destination[0]}.get(self.side.mapping, destination)
        number = len(self._outside)
        ip = self.name if self.side.pooling == "paired" else f"{self.name}.{number}"
        outside = self._outside.setdefault(key, (ip, number))
        self._contacted.setdefault(outside, set()).add(destination)
        return outside

    def lets_in(self, outside: _Address, source: _Address) -> bool:
        """Tell whether a packet to an address outside gets through the filter."""
        contacted = self._contacted[outside]
        match self.side.filtering:
            case "endpoint-independent":
                return True
            case "address-dependent":
                return any(ip == source[0] for ip, _ in contacted)
            case _:
                return source in contacted


def _check_each_other(one: _Agent, two: _Agent) -> bool:
    """Run one round of simultaneous checks; True when one succeeds."""
    for agent in (one, two):
        for remote in agent.remotes:
            agent.send(remote)
    succeeded = [_check(sender, receiver, remote) for sender, receiver, remote in _checks(one, two)]
    return any(succeeded)


def _checks(one: _Agent, two: _Agent) -> tuple[tuple[_Agent, _Agent, _Address], ...]:
    return (*((one, two, remote) for remote in one.remotes), *((two, one, remote) for remote in two.remotes))


def _check(sender: _Agent, receiver: _Agent, remote: _Address) -> bool:
    """Run one connectivity check.

    The receiver learns where the request came from as a peer-reflexive candidate (RFC 8445 section 7.3.1.3) and answers
    there. The check succeeds only when the answer comes from where the request went (section 7.2.5.2.1), and then no
    filter stops it: the request has just opened the way.
    """
    source = sender.send(remote)
    if not receiver.lets_in(remote, source):
        return False
    receiver.learn(source)
    return receiver.send(source) == remote


def reach_rows(ipv4: Nat | None, ipv6: Nat | None, *, udp_blocked: bool = False) -> tuple[Reach, ...]:
    """Return a row for each kind of peer, empty where no family was tested.

    Peers are taken to have IPv4 only, so the rows are of IPv4 unless only IPv6 was tested or had an answer.
    """
    nat = ipv6 if ipv6 is not None and (ipv4 is None or (_unknown(ipv4) and not _unknown(ipv6))) else ipv4
    if nat is None:
        return ()
    words = "over IPv6: " if nat is ipv6 else ""
    return tuple(_row(nat, kind, peer, words, udp_blocked=udp_blocked) for kind, peer in PEERS.items())


def _row(nat: Nat, kind: PeerKind, peer: Endpoint, words: str, *, udp_blocked: bool) -> Reach:
    here = endpoint_of(nat, udp_blocked=udp_blocked)
    unknown = _unknown(nat)
    if unknown and here.udp and peer.udp:
        return Reach(peer=kind, direct="unknown", why=words + unknown)
    return Reach(peer=kind, direct=predict(here, peer), why=words + explain(here, peer))


def _unknown(nat: Nat) -> str:
    """Say why nothing can be told of this side; empty where something can."""
    if nat.local_only:
        return "no server outside this network was asked"
    if not nat.mapped and possible_mappings(nat) == BEHAVIORS:
        return nat.undetermined.get("mapping") or "nothing is known of the NAT here"
    return ""


def explain(here: Endpoint, peer: Endpoint) -> str:
    """Say in one sentence what decides between two sides."""
    if not here.udp:
        return "no UDP gets out of this network: only a relay over TCP or TLS is left"
    if not peer.udp:
        return "a peer without UDP needs a relay over TCP or TLS"
    match predict(here, peer):
        case "yes":
            return _why_yes(here, peer)
        case "no":
            return _why_no(here, peer)
        case "unknown":
            return f"direct if {_condition(here, peer)}"


def _why_yes(here: Endpoint, peer: Endpoint) -> str:
    if here.mappings == _EIM and peer.mappings == _EIM:
        return "both sides keep one public address for all destinations, so each can be told where to send"
    if peer.filterings == _EIM:
        return "the peer lets packets in from anywhere, so it learns which port this side really uses"
    if here.filterings == _EIM:
        return "this side lets packets in from anywhere, so it learns which port the peer really uses"
    side = "this side" if here.mappings == _EIM else "the peer"
    return f"{side} lets in every port of an address that it contacted, so it learns which port the other really uses"


def _why_no(here: Endpoint, peer: Endpoint) -> str:
    if here.mappings == _EIM:
        return "the peer's checks come from a port that it used towards no one else, and the filter here drops them"
    if peer.mappings == _EIM:
        return "checks from here come from a port that is used towards no one else, and the peer's filter drops them"
    return "both sides use another port towards each other than the one that they told"


def _condition(here: Endpoint, peer: Endpoint) -> str:
    """Say which of the possibilities here make it direct, by one property where one decides."""
    good = {side for side in here.sides if all(connects(side, other) for other in peer.sides)}
    if not good:
        return "the peer's NAT is a permissive one"
    for name in Side._fields:
        values = dict.fromkeys(getattr(side, name) for side in here.sides if side in good)
        if good == {side for side in here.sides if getattr(side, name) in values}:
            return f"{name} here is {' or '.join(values)}"
    return ", or ".join(_alternatives(good, here))


def _alternatives(good: set[Side], here: Endpoint) -> Iterator[str]:
    """Name the good possibilities: the mappings, and what has to come with them."""
    by_limits: dict[str, list[Behavior]] = {}
    for mapping in here.mappings:
        sides = [side for side in here.sides if side in good and side.mapping == mapping]
        if sides:
            by_limits.setdefault(_limits(sides, here), []).append(mapping)
    for limits, mappings in by_limits.items():
        yield f"mapping here is {' or '.join(mappings)}" + (f" and {limits}" if limits else "")


def _limits(sides: list[Side], here: Endpoint) -> str:
    """Name the properties that have to be narrower than what is known of them."""
    options: dict[str, tuple[str, ...]] = {"filtering": here.filterings, "pooling": here.poolings}
    told = {name: tuple(dict.fromkeys(getattr(side, name) for side in sides)) for name in options}
    return " and ".join(f"{name} is {' or '.join(told[name])}" for name in options if told[name] != options[name])


def direct_verdict(nat: Nat | None, *, udp_blocked: bool = False) -> DirectHere:
    """Return what one family's NAT means for direct paths.

    ``likely``: with every kind of peer that has UDP; ``depends-on-peer``: with some for certain; ``none-direct``: with
    none; ``inconclusive``: none is certain, or no server outside was asked; ``not-tested``: no NAT to judge.
    """
    if nat is None:
        return "not-tested"
    rows = reach_rows(nat, None, udp_blocked=udp_blocked)
    answers = {row.direct for row in rows if PEERS[row.peer].udp}
    if "yes" in answers:
        return "likely" if answers == {"yes"} else "depends-on-peer"
    return "none-direct" if answers == {"no"} else "inconclusive"


def direct_over_families(ipv4: DirectHere, ipv6: DirectHere) -> DirectHere:
    """Return the verdict over both families: that of IPv4, which every peer is taken to have.

    A family that was not tested does not count. Where IPv4 promises nothing, peers that have IPv6 too are still some.
    """
    if ipv4 == "not-tested":
        return ipv6
    promises = ("likely", "depends-on-peer")
    if ipv4 in promises or ipv6 not in promises:
        return "inconclusive" if ipv4 == "none-direct" and ipv6 == "inconclusive" else ipv4
    return "depends-on-peer"
