"""A small world in which two ICE agents check each other: their NATs, their relays, and what lies between.

Packets only, as far as they decide who reaches whom: translation and filtering by RFC 4787, hairpinning, a network
that both share, and relays that let in whom they have a permission for (RFC 8656 section 9).
"""

from typing import Literal, NamedTuple

from rtcdiag.nat import Behavior, Pooling

Address = tuple[str, int]
CandidateKind = Literal["host", "srflx", "prflx", "relay"]
_STUN_SERVER: Address = ("stun", 0)


class Side(NamedTuple):
    """One fully known side."""

    mapping: Behavior
    filtering: Behavior
    pooling: Pooling = "paired"
    udp: bool = True
    """Whether UDP gets out, and its answers in."""
    relay: bool = False
    """Whether it has a relay of its own, over whatever transport."""
    tracks: bool = False
    """Whether an unasked packet costs it the port towards its sender, where it has sent nothing there yet."""
    other_family: bool = False
    """Whether its socket is of the other address family, with a NAT64 between: what it is told it cannot check, as a
    candidate is paired within its family only (RFC 8445 section 6.1.2.2), but it answers where a check came from."""


class Between(NamedTuple):
    """How the two sides stand to each other."""

    same_network: bool = False
    """Host addresses reach each other, without any NAT."""
    same_address: bool = False
    """Both have the same public address, so what one sends to the other's has to come back in where it went out."""
    hairpinning: bool = False
    """Whether it does."""


APART = Between()


class Socket:
    """An agent's UDP socket and the NAT in front of it: the base of its host and server-reflexive candidates."""

    kind: CandidateKind = "host"

    def __init__(self, name: str, side: Side) -> None:
        """Ask a STUN server for the mapped address, where UDP gets out."""
        self.host: Address = (f"{name}-host", 0)
        self.pairs = not side.other_family
        self.remotes: list[Address] = []
        self._name, self._side = name, side
        self._outside: dict[object, Address] = {}
        self._contacted: dict[Address, set[Address]] = {}
        self._tracked: set[Address] = set()
        """Who sent something that was dropped before anything was sent there."""
        self.mapped = self.leave_for(_STUN_SERVER)

    def leave_for(self, destination: Address) -> Address | None:
        """Let a packet out, open the way for what comes back, and return its source outside; None where it is lost."""
        if not self._side.udp:
            return None
        key = self._key(destination)
        number = len(self._outside)
        ip = self._name if self._side.pooling == "paired" else f"{self._name}.{number}"
        outside = self._outside.setdefault(key, (ip, number))
        self._contacted.setdefault(outside, set()).add(destination)
        return outside

    def _key(self, destination: Address) -> object:
        if destination in self._tracked:
            return destination
        return {"endpoint-independent": None, "address-dependent": destination[0]}.get(self._side.mapping, destination)

    def lets_in(self, outside: Address, source: Address) -> bool:
        """Tell whether a packet to an address outside gets through the filter."""
        contacted = self._contacted.get(outside)
        if contacted is None:
            return False
        passes = self._passes(contacted, source)
        if self._side.tracks and not passes and outside == self.mapped and not self._has_sent_to(source):
            self._tracked.add(source)
        return passes

    def _has_sent_to(self, remote: Address) -> bool:
        return any(remote in contacted for contacted in self._contacted.values())

    def _passes(self, contacted: set[Address], source: Address) -> bool:
        match self._side.filtering:
            case "endpoint-independent":
                return True
            case "address-dependent":
                return any(ip == source[0] for ip, _ in contacted)
            case _:
                return source in contacted

    def permit(self, remote: Address) -> None:
        """Need no permission."""


class Relay:
    """A relayed address: a public host that lets in the IP addresses it has permissions for, from any port."""

    kind: CandidateKind = "relay"

    def __init__(self, name: str) -> None:
        """Stand somewhere on the internet."""
        self.address: Address = (f"{name}-relay", 0)
        self.pairs = True
        self.remotes: list[Address] = []
        self._permitted: set[str] = set()

    def leave_for(self, destination: Address) -> Address | None:
        """Relay a packet to a permitted address."""
        return self.address if destination[0] in self._permitted else None

    def lets_in(self, outside: Address, source: Address) -> bool:
        """Tell whether a packet to the relayed address is passed on."""
        return outside == self.address and source[0] in self._permitted

    def permit(self, remote: Address) -> None:
        """Install a permission: an agent does for every candidate that it is told."""
        self._permitted.add(remote[0])


Base = Socket | Relay


class Agent:
    """An ICE agent: one socket, and a relay where the side has one."""

    def __init__(self, name: str, side: Side) -> None:
        """Gather."""
        self.socket = Socket(name, side)
        self.relay = Relay(name) if side.relay else None
        self.bases: tuple[Base, ...] = (self.socket, self.relay) if self.relay else (self.socket,)

    @property
    def candidates(self) -> dict[Address, CandidateKind]:
        """What it tells the other."""
        found: dict[Address, CandidateKind] = {self.socket.host: "host"}
        if self.socket.mapped is not None:
            found[self.socket.mapped] = "srflx"
        if self.relay is not None:
            found[self.relay.address] = "relay"
        return found

    def learn(self, candidates: dict[Address, CandidateKind]) -> None:
        """Take the other's candidates: each base checks each of them."""
        for base in self.bases:
            if not base.pairs:
                continue
            for remote in candidates:
                base.remotes.append(remote)
                base.permit(remote)


class World:
    """Two agents, and the way between them."""

    def __init__(self, one: Side, two: Side, between: Between) -> None:
        """Put the two where they are."""
        self.agents = (Agent("1", one), Agent("2", two))
        self._between = between

    def open(self, base: Base, destination: Address) -> None:
        """Let a packet out that has not arrived yet."""
        if self._on_the_same_network(base, destination) is None:
            base.leave_for(destination)

    def send(self, base: Base, destination: Address) -> tuple[Base, Address] | None:
        """Send one packet; return which base it arrives at and the source seen there, None where it is lost."""
        near = self._on_the_same_network(base, destination)
        if near is not None:
            return near
        source = base.leave_for(destination)
        if source is None:
            return None
        for other in (found for agent in self.agents for found in agent.bases if found is not base):
            if other.lets_in(destination, source) and self._comes_back_in(base, other):
                return other, source
        return None

    def _on_the_same_network(self, base: Base, destination: Address) -> tuple[Base, Address] | None:
        if not self._between.same_network or not isinstance(base, Socket):
            return None
        sockets = [agent.socket for agent in self.agents if agent.socket is not base]
        return next(((socket, base.host) for socket in sockets if socket.host == destination), None)

    def _comes_back_in(self, base: Base, other: Base) -> bool:
        crosses = self._between.same_address and isinstance(base, Socket) and isinstance(other, Socket)
        return self._between.hairpinning or not crosses
