"""ICE's connectivity checks between two fully known sides (RFC 8445 section 7): which pairs of candidates succeed.

Each side has one socket with a host and a server-reflexive candidate, and a relay where it has one. Port prediction
and ICE over TCP stay out: no browser does the one, and few the other.
"""

from functools import cache
from typing import Literal, NamedTuple

from rtcdiag.traversal.world import APART, Address, Agent, Base, Between, CandidateKind, Side, World

ROUNDS = 5
"""After three rounds no pair of behaviors brings anything new but ever more ports of two port-dependent mappings."""


Order = Literal["together", "here", "peer"]
"""Whose checks come first: both leave before any arrives, or those of one side arrive before the other has sent any."""


class Path(NamedTuple):
    """A pair of candidates that works: how each side is reached."""

    here: CandidateKind
    peer: CandidateKind

    @property
    def direct(self) -> bool:
        """Whether no relay is on it."""
        return "relay" not in self

    @property
    def reversed(self) -> "Path":
        """The same path as the other side sees it."""
        return Path(self.peer, self.here)


@cache
def paths(here: Side, peer: Side, between: Between = APART, first: Order = "together") -> frozenset[Path]:
    """Return every kind of path on which checks succeed.

    Who sends first matters only where a NAT takes note of unasked packets (``Side.tracks``).
    """
    world = World(here, peer, between)
    one, two = world.agents
    told = (one.candidates, two.candidates)
    one.learn(told[1])
    two.learn(told[0])
    if first != "together":
        _send_all(world, one if first == "here" else two)
    found: set[Path] = set()
    for _ in range(ROUNDS):
        _open_ways(world)
        found |= {path for path in _round(world, one, told) if path}
        found |= {path.reversed for path in _round(world, two, told[::-1]) if path}
    return frozenset(found)


def connects(here: Side, peer: Side, between: Between = APART) -> bool:
    """Return whether ICE connects two fully known sides without a relay, whoever sends first."""
    tries = (paths(here, peer, between, first) for first in orders(here, peer))
    return all(any(path.direct for path in found) for found in tries)


def _open_ways(world: World) -> None:
    """Let every first packet out before any arrives: both sides check at once."""
    for agent in world.agents:
        for base in agent.bases:
            for remote in base.remotes:
                world.open(base, remote)


def _send_all(world: World, agent: Agent) -> None:
    """Let one side's checks arrive while the other has sent none."""
    for base in agent.bases:
        for remote in base.remotes:
            world.send(base, remote)


def orders(here: Side, peer: Side) -> tuple[Order, ...]:
    """Return in which orders the first packets have to be tried."""
    return ("together", "here", "peer") if here.tracks or peer.tracks else ("together",)


def _round(world: World, agent: Agent, told: tuple[dict[Address, CandidateKind], ...]) -> list[Path | None]:
    pairs = [(base, remote) for base in agent.bases for remote in base.remotes]
    return [_check(world, base, remote, told) for base, remote in pairs]


def _check(world: World, base: Base, remote: Address, told: tuple[dict[Address, CandidateKind], ...]) -> Path | None:
    """Run one connectivity check.

    The receiver learns where the request came from as a peer-reflexive candidate (RFC 8445 section 7.3.1.3) and answers
    there. The check succeeds only when the answer comes from where the request went (section 7.2.5.2.1).
    """
    arrived = world.send(base, remote)
    if arrived is None:
        return None
    receiver, source = arrived
    if source not in receiver.remotes:
        receiver.remotes.append(source)
    if world.send(receiver, source) != (base, remote):
        return None
    own, others = told
    return Path(own.get(source, "prflx"), others.get(remote, "prflx"))
