"""A model NAT (the behaviors of RFC 4787), and model servers honest and lying: no socket."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Change
from rtcdiag.nat import Behavior

A = TransportAddress
INSIDE = "192.168.1.4"
OUTSIDE = "203.0.113.50"

Obedience = Literal["obeys", "ignores", "refuses", "drops", "answers-from-elsewhere"]
Place = Literal["everywhere", "its alternate address", "its primary address"]
ResponsePort = Literal["obeys", "refuses", "ignores"]
Asked = Change | Literal["refused"]
Lie = Callable[[TransportAddress, Random], TransportAddress]


@dataclass
class ModelNat:
    """A NAT, or with ``translates=False`` none: then the filter is a firewall's."""

    mapping: Behavior = "endpoint-independent"
    filtering: Behavior = "endpoint-independent"
    translates: bool = True
    blocks_udp: bool = False
    pool: tuple[str, ...] = (OUTSIDE,)
    pooling: Literal["paired", "arbitrary"] = "paired"
    ports: Literal["random", "kept", "step", "block"] = "random"
    step: int = 2
    first_port: int = 40000
    block_size: int = 512
    others: int = 0
    """Up to how many mappings other hosts make between two of this one."""
    taken: float = 0.0
    """The share of ports that other hosts have."""
    overloads: bool = False
    """Whether one external port serves several mappings of a socket, as Linux does towards different destinations."""
    tracks: bool = False
    """Whether a packet that it drops costs the port towards its sender, where nothing was sent there before."""
    parity: bool = False
    """Whether even ports stay even, and odd ones odd."""
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311  a model, no secret
    _made: int = 0
    _outside: dict[tuple[object, ...], TransportAddress] = field(default_factory=dict)
    _inside: dict[TransportAddress, TransportAddress] = field(default_factory=dict)
    _contacted: dict[TransportAddress, set[TransportAddress]] = field(default_factory=dict)
    _tracked: dict[TransportAddress | None, set[TransportAddress]] = field(default_factory=dict)

    @property
    def local_ip(self) -> str:
        """The address of the computer."""
        return INSIDE if self.translates else OUTSIDE

    def outward(self, local: TransportAddress, destination: TransportAddress) -> TransportAddress:
        """Map a packet's source, and let its destination answer."""
        key = (local, *self._key(destination))
        if destination in self._tracked.get(self._outside.get(key), ()):
            key = (local, "moved", destination)
        if key not in self._outside:
            self._outside[key] = self._choose(local)
            self._inside[self._outside[key]] = local
        outside = self._outside[key]
        self._contacted.setdefault(outside, set()).add(destination)
        return outside

    def inward(self, outside: TransportAddress, source: TransportAddress) -> TransportAddress | None:
        """Return who gets a packet from ``source``, None where it is dropped."""
        contacted = self._contacted.get(outside, set())
        passes = {
            "endpoint-independent": True,
            "address-dependent": any(item.ip == source.ip for item in contacted),
            "address-and-port-dependent": source in contacted,
        }
        if passes[self.filtering] and not self.blocks_udp:
            return self._inside.get(outside)
        if self.tracks and source not in contacted:
            self._tracked.setdefault(outside, set()).add(source)
        return None

    def _key(self, destination: TransportAddress) -> tuple[object, ...]:
        keys: dict[Behavior, tuple[object, ...]] = {
            "endpoint-independent": (),
            "address-dependent": (destination.ip,),
            "address-and-port-dependent": (destination,),
        }
        return keys[self.mapping] if self.translates else ()

    def _choose(self, local: TransportAddress) -> TransportAddress:
        if not self.translates:
            return local
        ip = self.pool[0] if self.pooling == "paired" else self.random.choice(self.pool)
        free = self.overloads or A(ip, local.port) not in self._inside
        if self.ports == "kept" and free and self.random.random() >= self.taken:
            return A(ip, local.port)
        if self.ports == "step":
            self._made += self.random.randint(0, self.others)
        while True:
            outside = A(ip, self._port())
            if outside not in self._inside and not (self.parity and (outside.port ^ local.port) & 1):
                return outside

    def _port(self) -> int:
        if self.ports == "step":
            self._made += 1
            return 1024 + (self.first_port - 1024 + self.step * self._made) % 64512
        if self.ports == "block":
            return self.first_port + self.random.randrange(self.block_size)
        return self.random.randrange(1024, 65536)


@dataclass
class ModelServer:
    """A STUN server; with ``other_ip`` an RFC 5780 one. Every way to be wrong is a field."""

    uri: str
    ip: str
    other_ip: str | None = None
    port: int = 3478
    other_port: int = 3479
    obedience: Obedience = "obeys"
    claims: TransportAddress | None = None
    """What it names as OTHER-ADDRESS instead of its real one."""
    lie: Lie | None = None
    lies_from: Place = "everywhere"
    mapped: Literal["absent", "equal", "alone", "garbled"] = "absent"
    up: bool = True
    tcp: bool = True
    """Whether it answers over TCP, too."""
    alternates_up: bool = True
    elsewhere: bool = False
    """Whether plain answers come from another port."""
    response_port: ResponsePort = "obeys"
    """What it does with RESPONSE-PORT: it may refuse the attribute with 420, or answer as if it were not there."""

    @property
    def primary(self) -> TransportAddress:
        return A(self.ip, self.port)

    @property
    def other(self) -> TransportAddress | None:
        return A(self.other_ip, self.other_port) if self.other_ip else None

    def is_at(self, destination: TransportAddress) -> bool:
        """Tell whether it listens there."""
        if destination == self.primary:
            return self.up
        addresses = {self.ip, self.other_ip}
        return (
            self.other_ip is not None
            and self.alternates_up
            and destination.host in addresses
            and destination.port in (self.port, self.other_port)
        )

    def answers(
        self, destination: TransportAddress, change: Asked, seen: TransportAddress, random: Random
    ) -> Iterator[tuple[TransportAddress, dict[str, Any]]]:
        """Yield the source and the contents of each answer."""
        place = "its alternate address" if destination.host == self.other_ip else "its primary address"
        lies = self.lies_from in ("everywhere", place)
        told = self._told(destination, self.lie(seen, random) if self.lie and lies else seen)
        if change == "none":
            yield (A(self.ip, 9999) if self.elsewhere else destination), told
        elif (
            change == "refused" or self.obedience == "refuses" or (self.other_ip is None and self.obedience == "obeys")
        ):
            yield destination, {"success": False, "error_code": 420}
        elif self.obedience == "ignores":
            yield destination, told
        elif self.obedience == "answers-from-elsewhere":
            yield A("198.51.100.99", 9999), told
        elif self.obedience == "obeys" and self.other is not None:
            yield (self.other if change == "address-and-port" else A(self.ip, self.other_port)), told

    def _told(self, destination: TransportAddress, seen: TransportAddress) -> dict[str, Any]:
        contents: dict[str, Any] = {"success": True}
        if self.mapped != "alone":
            contents["xor_mapped"] = seen
        if self.mapped != "absent":
            contents["mapped"] = A("10.99.99.99", seen.port) if self.mapped == "garbled" else seen
        other = self.claims or self._diagonal(destination)
        return contents if other is None else contents | {"other_address": other}

    def _diagonal(self, destination: TransportAddress) -> TransportAddress | None:
        if self.other_ip is None:
            return None
        ip = self.other_ip if destination.host == self.ip else self.ip
        return A(ip, self.other_port if destination.port == self.port else self.port)


def two_operators() -> tuple[ModelServer, ModelServer]:
    """Return two honest RFC 5780 servers of two operators."""
    return (
        ModelServer("stun:stun.one.example", "198.51.100.1", "198.51.100.2"),
        ModelServer("stun:stun.two.test", "192.0.2.1", "192.0.2.2"),
    )


def plain(count: int) -> tuple[ModelServer, ...]:
    """Return honest servers without RFC 5780, each of another operator."""
    return tuple(ModelServer(f"stun:stun.plain{number}.example{number}", f"8.8.{number}.1") for number in range(count))
