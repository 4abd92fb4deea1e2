"""The asyncio side of the embedded server: sockets, one clock, and nothing that decides anything."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from secrets import token_bytes
from typing import Any, cast

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.server.config import ServerConfig, check_config
from rtcdiag.server.core import Core
from rtcdiag.server.effects import Client, CloseRelay, Effect, OpenRelay, Send, SendToPeer
from rtcdiag.server.sockets import Bound, Place, RelaySockets, bind_all
from rtcdiag.stun.framing import StreamFrames

_SWEEP_S = 1.0
_MAX_UNSENT_BYTES = 1 << 20
"""A client that does not read loses its connection, not our memory."""


class ServingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens, once it does."""

    addresses: tuple[TransportAddress, ...]
    """UDP and TCP each; the primary address and port first."""
    rfc5780: bool
    """Whether CHANGE-REQUEST is served, in some family at least."""
    turn: bool
    realm: str
    notes: tuple[str, ...] = ()
    """What was left out, and why."""

    @property
    def stun_uri(self) -> str:
        """The URI of the primary address, which also answers over TCP."""
        return f"stun:{self.addresses[0]}"

    @property
    def turn_uris(self) -> tuple[str, ...]:
        """The TURN URIs of the primary address; empty where TURN is off."""
        ways = ("udp", "tcp") if self.turn else ()
        return tuple(f"turn:{self.addresses[0]}?transport={way}" for way in ways)


class _ClientSocket(asyncio.DatagramProtocol):
    """A listening UDP socket."""

    def __init__(self, server: "_Server", local: TransportAddress) -> None:
        self._server = server
        self._local = local

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server.sockets[self._local] = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        client = Client("udp", self._local, TransportAddress(addr[0].partition("%")[0], addr[1]))
        self._server.run(self._server.core.datagram(self._server.now_ms(), client, data))


class _RelayProtocol(asyncio.DatagramProtocol):
    """The relayed transport address of one client."""

    def __init__(self, server: "_Server", client: Client) -> None:
        self._server = server
        self._client = client

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        peer = TransportAddress(addr[0].partition("%")[0], addr[1])
        self._server.run(self._server.core.relay.from_peer(self._server.now_ms(), self._client, peer, data))


class _Connection(asyncio.Protocol):
    """A TCP connection of a client."""

    def __init__(self, server: "_Server") -> None:
        self._server = server
        self._frames = StreamFrames()
        self.client: Client | None = None
        self.heard_ms = server.now_ms()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        names = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if None in names or not self._server.may_connect(names[1][0]):
            self.transport.abort()
            return
        local, remote = (TransportAddress(name[0].partition("%")[0], name[1]) for name in names)
        self.client = Client("tcp", local, remote)
        self._server.connections[self.client] = self

    def data_received(self, data: bytes) -> None:
        if self.client is None:
            return
        for frame in self._frames.feed(data):
            self.heard_ms = self._server.now_ms()
            self._server.run(self._server.core.frame(self.heard_ms, self.client, frame))
        if self._frames.failure is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature of asyncio
        if self.client is not None:
            self._server.connections.pop(self.client, None)
            self._server.run(self._server.core.relay.client_gone(self.client))


class _Server:
    """All sockets, and what is done with the effects of the core."""

    def __init__(self, config: ServerConfig, bound: Bound) -> None:
        loop = asyncio.get_running_loop()
        own = frozenset(place.address for place in bound.places)
        unix_s = time.time() - loop.time()
        self.core = Core(config, bound.squares, own, nonce_secret=token_bytes(16), unix_s=unix_s)
        self.sockets: dict[TransportAddress, asyncio.DatagramTransport] = {}
        self.connections: dict[Client, _Connection] = {}
        self._limits = config.limits
        self._places = bound.places
        self._listeners: list[asyncio.Server] = []
        self._relay_sockets = RelaySockets(config.limits.allocations)
        self._relays: dict[Client, asyncio.DatagramTransport] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = loop

    def now_ms(self) -> float:
        return self._loop.time() * 1000

    def may_connect(self, host: str) -> bool:
        same = sum(str(client.remote.ip) == host for client in self.connections)
        return len(self.connections) < self._limits.connections and same < self._limits.connections_per_address

    async def start(self) -> None:
        for place in self._places:
            await self._listen(place)
        self._keep(self._sweep())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for listener in self._listeners:
            listener.close()
        for connection in list(self.connections.values()):
            connection.transport.abort()
        for transport in (*self.sockets.values(), *self._relays.values()):
            transport.abort()
        self._relay_sockets.expire(inf)
        # Transports close their sockets in the next turn of the loop.
        await asyncio.sleep(0)
        for place in self._places:
            place.close()

    def run(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(client, data):
                    self._send(client, data)
                case SendToPeer(client, peer, data):
                    self._send_to_peer(client, peer, data)
                case OpenRelay():
                    self._keep(self._open(effect))
                case CloseRelay(client):
                    self._close(client)

    def _send(self, client: Client, data: bytes) -> None:
        if client.transport == "udp":
            _send_datagram(self.sockets[client.local], client.remote, data)
            return
        connection = self.connections.get(client)
        if connection is None:
            return
        connection.transport.write(data)
        if connection.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            connection.transport.abort()

    def _send_to_peer(self, client: Client, peer: TransportAddress, data: bytes) -> None:
        relay = self._relays.get(client)
        if relay is not None:
            _send_datagram(relay, peer, data)

    def _close(self, client: Client) -> None:
        relay = self._relays.pop(client, None)
        if relay is not None:
            relay.abort()

    async def _listen(self, place: Place) -> None:
        await self._loop.create_datagram_endpoint(lambda: _ClientSocket(self, place.address), sock=place.udp)
        self._listeners.append(await self._loop.create_server(lambda: _Connection(self), sock=place.tcp))

    async def _open(self, wanted: OpenRelay) -> None:
        client = wanted.client
        # The relayed address is the one that the client asked, or the first that the server has in that family.
        ips = [address.ip for address in (client.local, *self.sockets) if address.family is wanted.family]
        bound = self._relay_sockets.open(self.now_ms(), wanted, next(iter(ips), None))
        if bound is None:
            self.run(self.core.relay.relay_failed(client))
            return
        relay, _ = await self._loop.create_datagram_endpoint(lambda: _RelayProtocol(self, client), sock=bound.udp)
        self._relays[client] = relay
        self.run(self.core.relay.relay_opened(self.now_ms(), client, bound.address, bound.token))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_ms = self.now_ms()
            self.run(self.core.relay.expire(now_ms))
            self._relay_sockets.expire(now_ms)
            for client, connection in list(self.connections.items()):
                idle = now_ms - connection.heard_ms > self._limits.idle_connection_s * 1000
                if idle and not self.core.relay.holds(client):
                    connection.transport.abort()

    def _keep(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _send_datagram(transport: asyncio.DatagramTransport, to: TransportAddress, data: bytes) -> None:
    # What the system does not take now waits in memory: it is better lost, as on any congested path.
    # The type stubs know the size of the buffer only for streams.
    if cast("asyncio.WriteTransport", transport).get_write_buffer_size() < _MAX_UNSENT_BYTES:
        transport.sendto(data, (to.host, to.port))


@asynccontextmanager
async def running(config: ServerConfig) -> AsyncIterator[ServingInfo]:
    """Serve while the block runs; raise ConfigError before anything is served."""
    check_config(config)
    bound = bind_all(config)
    server = _Server(config, bound)
    try:
        await server.start()
        yield ServingInfo(
            addresses=tuple(place.address for place in bound.places),
            rfc5780=bool(bound.squares),
            turn=config.serves_turn,
            realm=config.realm,
            notes=bound.notes,
        )
    finally:
        await server.stop()


async def serve(config: ServerConfig, ready: Callable[[ServingInfo], None]) -> None:
    """Serve until cancelled; `ready` is called once, when every socket is bound."""
    async with running(config) as info:
        ready(info)
        await asyncio.Event().wait()
