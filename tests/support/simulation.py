"""The NAT probe itself in a simulated network: its own code and timing, on a clock that jumps, and without a socket.

Packets go through the lab's model of a line and the model NAT to model servers, and come back the same way. What the
probe records is what it would record behind such a network, so it is judged as a report is.
"""

import asyncio
import contextlib
import selectors
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from random import Random
from typing import Any, Literal, cast
from unittest.mock import patch

from rtcdiag.address import Family, IPAddress, TransportAddress
from rtcdiag.evidence import Change, Evidence, Observation
from rtcdiag.lab.impairments import Line
from rtcdiag.lab.spec import Link
from rtcdiag.nat import BEHAVIORS, Nat, classify
from rtcdiag.net import Net
from rtcdiag.net.udp import UdpSocket
from rtcdiag.options import RunOptions
from rtcdiag.probes import nat_behavior, udp_silence
from rtcdiag.probes.connection import Path
from rtcdiag.probes.job import Job
from rtcdiag.stun.attributes import AttributeType, ErrorCode
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import Request
from rtcdiag.stun.transaction import Schedule, Transaction
from rtcdiag.targets import parse_server
from rtcdiag.wires import Call
from support.nat_model import Asked, ModelNat, ModelServer

Verdict = Literal["right", "undetermined", "wrong"]
_CHANGES: dict[tuple[bool, bool], Change] = {(True, True): "address-and-port", (False, True): "port"}
TCP_AGAIN_S = 0.3
"""After which time TCP sends again what was lost."""
_ATTRIBUTES = {
    "xor_mapped": AttributeType.XOR_MAPPED_ADDRESS,
    "mapped": AttributeType.MAPPED_ADDRESS,
    "other_address": AttributeType.OTHER_ADDRESS,
}


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: the time that one would wait has gone by at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for something that nobody does"
        # Something always goes by, or a time that rounds to now would never come.
        self.now_s += max(1e-6, timeout)
        return []


class _Loop(asyncio.SelectorEventLoop):
    """An event loop on the simulation's clock."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


@dataclass
class World:
    """One network: a computer behind a NAT and a line, and servers."""

    nat: ModelNat
    servers: tuple[ModelServer, ...]
    random: Random
    up: Link = field(default_factory=Link)
    down: Link = field(default_factory=Link)
    udp_after_s: float = 0.0
    """Before which no UDP gets out."""
    sockets: dict[TransportAddress, "_Socket"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._up, self._down = Line(self.up, self.random), Line(self.down, self.random)

    def send(self, local: TransportAddress, data: bytes, destination: TransportAddress) -> None:
        """Take a packet from the computer."""
        self._carry(self._up, lambda: self._arrive(local, data, destination))

    def _carry(self, line: Line, then: Any) -> None:
        loop = asyncio.get_running_loop()
        for delay_s in line.delays_s(loop.time()):
            loop.call_later(delay_s, then)

    def surely(self, *, down: bool, then: Any) -> None:
        """Carry what TCP sends again until it arrives."""
        loop, line = asyncio.get_running_loop(), self._down if down else self._up
        delays_s = line.delays_s(loop.time())
        if delays_s:
            loop.call_later(delays_s[0], then)
        else:
            loop.call_later(TCP_AGAIN_S, lambda: self.surely(down=down, then=then))

    def _arrive(self, local: TransportAddress, data: bytes, destination: TransportAddress) -> None:
        outside = self.nat.outward(local, destination)
        server = next((item for item in self.servers if item.is_at(destination)), None)
        if server is None or self.nat.blocks_udp or asyncio.get_running_loop().time() < self.udp_after_s:
            return
        to, answers = self._answers(server, decode(data), outside, destination)
        for source, answer in answers:
            self._carry(self._down, lambda source=source, answer=answer: self._return(to, source, answer))

    def _answers(
        self, server: ModelServer, request: Message, outside: TransportAddress, destination: TransportAddress
    ) -> tuple[TransportAddress, Iterator[tuple[TransportAddress, bytes]]]:
        change: Asked = _CHANGES.get(request.change_request, "none")
        port = request.first(AttributeType.RESPONSE_PORT)
        if port is not None and server.response_port != "obeys":
            port, change = None, "refused" if server.response_port == "refuses" else change
        told = server.answers(destination, change, outside, self.random)
        to = TransportAddress(outside.ip, port) if port else outside
        return to, ((source, _encoded(request, contents)) for source, contents in told)

    def _return(self, outside: TransportAddress, source: TransportAddress, data: bytes) -> None:
        local = self.nat.inward(outside, source)
        if local in self.sockets:
            self.sockets[local].on_datagram(data, source)


def _encoded(request: Message, contents: dict[str, Any]) -> bytes:
    if not contents["success"]:
        error = [(AttributeType.ERROR_CODE, ErrorCode(contents["error_code"]))]
        return encode(MessageClass.ERROR, Method.BINDING, request.transaction_id, error)
    values = [(kind, contents[name]) for name, kind in _ATTRIBUTES.items() if name in contents]
    return encode(MessageClass.SUCCESS, Method.BINDING, request.transaction_id, values)


class _Socket:
    """What a UDP socket is to a wire."""

    waited_ms = 0.0

    def __init__(self, world: World, local: TransportAddress) -> None:
        self._world, self.bound = world, local
        self.on_datagram: Any = None
        self.on_error: Any = None
        world.sockets[local] = self

    def send(self, data: bytes, destination: TransportAddress) -> None:
        self._world.send(self.bound, data, destination)

    def close(self) -> None:
        self._world.sockets.pop(self.bound, None)


class _Net(Net):
    """A run's network, simulated."""

    def __init__(self, world: World) -> None:
        super().__init__(RunOptions(families=(Family.IPV4,), control=False))
        self.world = world
        self._began_s = asyncio.get_running_loop().time()

    def now_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._began_s) * 1000

    async def udp(self, family: Family, port: int = 0) -> UdpSocket:
        del family, port
        world = self.world
        free = (TransportAddress(world.nat.local_ip, world.random.randrange(32768, 61000)) for _ in range(100))
        local = next(local for local in free if local not in world.sockets)
        sock = cast("UdpSocket", _Socket(world, local))
        self._sockets.append(sock)
        return sock

    def source_towards(self, destination: IPAddress) -> IPAddress:
        del destination
        return ip_address(self.world.nat.local_ip)

    def interface_towards(self, destination: IPAddress) -> str:
        del destination
        return "eth0"


class _Stream:
    """What a TCP connection to a model server is to a Binding: what the line loses comes late."""

    def __init__(self, net: "_Net", server: ModelServer) -> None:
        self.net, self._server = net, server

    def start(self, request: Request, destination: TransportAddress, *, schedule: Schedule) -> Call:
        del destination
        return Call(Transaction(request, schedule, start_ms=self.net.now_ms()))

    def transmit(self, call: Call, data: bytes) -> None:
        request, server = decode(data), self._server
        seen = TransportAddress("203.0.113.50", 50000)

        def answer() -> None:
            for source, contents in server.answers(server.primary, "none", seen, self.net.world.random):
                self.net.world.surely(down=True, then=partial(receive, source, contents))

        def receive(source: TransportAddress, contents: dict[str, Any]) -> None:
            if call.transaction.receive(self.net.now_ms(), _encoded(request, contents), source):
                call.woken.set()

        self.net.world.surely(down=False, then=answer)

    def local_towards(self, destination: TransportAddress) -> TransportAddress:
        del destination
        return TransportAddress(self.net.world.nat.local_ip, 50001)

    def close(self) -> None:
        """Do nothing: there is no socket."""


async def _open_wire(path: Path, net: "_Net", *_: object, limit_ms: float, **__: object) -> _Stream | None:
    """Connect after a round trip to a server that speaks TCP."""
    server = next(item for item in net.world.servers if item.primary == path.destination)
    if not server.tcp:
        return None
    connected = asyncio.Event()
    net.world.surely(down=False, then=lambda: net.world.surely(down=True, then=connected.set))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_ms / 1000):
            await connected.wait()
            return _Stream(net, server)
    return None


async def _observe(world: World) -> Evidence:
    seen: list[Observation] = []
    net = _Net(world)
    job = Job(probe="nat-behavior", servers=tuple(parse_server(server.uri) for server in world.servers))
    await nat_behavior.observe(job, net, seen.append)
    await net.close()
    return Evidence(observations=tuple(seen))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end on a clock of its own, which takes no time."""
    loop = _Loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def observed(world: World) -> Evidence:
    """Return what the probe sees in a network. The servers' URIs have literal addresses."""
    with patch.object(udp_silence, "open_wire", _open_wire):
        evidence: Evidence = run(_observe(world))
    return evidence


def verdict(nat: ModelNat, said: Nat | None) -> Verdict:
    """Compare a judgement with the truth; what a class leaves open is undetermined."""
    assert said is not None
    if nat.blocks_udp:
        return "right" if (said.mapping, said.filtering) == ("undetermined", "undetermined") else "wrong"
    truth = (nat.mapping if nat.translates else BEHAVIORS[0], nat.filtering)
    told = (said.mapping, said.filtering)
    if said.behind_nat not in (None, nat.translates):
        return "wrong"
    if any(one not in ("undetermined", other) for one, other in zip(told, truth, strict=True)):
        return "wrong"
    return "right" if told == truth and said.behind_nat is nat.translates else "undetermined"


def judged(world: World) -> Verdict:
    """Return whether what the probe sees is judged rightly."""
    return verdict(world.nat, classify(observed(world), Family.IPV4))
