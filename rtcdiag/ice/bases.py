"""The sockets of a session: opened, asked of by servers, told as candidates, and kept alive until the session ends."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from socket import SOCK_DGRAM
from typing import Any

import aioice
from aioice import ice, stun
from aioice.candidate import candidate_foundation, candidate_priority

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, family_of, scope_of
from rtcdiag.ice import reading as reading  # noqa: PLC0414 - aioice reads messages through it from now on
from rtcdiag.ice.agent import Gathered, Missed, candidate_of
from rtcdiag.ice.relay import EXPECTED, Relay, allocate_within, why
from rtcdiag.ice.session_socket import Address, Owner, RelaySocket, SessionSocket
from rtcdiag.net.arrival import StampedSocket
from rtcdiag.net.resolver import FAMILIES
from rtcdiag.net.routes import local_addresses
from rtcdiag.targets import Transport

KEEP_ALIVE_MS = 10_000.0
"""Every socket sends to its server so often: mappings of some networks live 30 s, and a datagram may get lost."""
LOOK_S = 0.5
LOOK_AT_ADDRESSES_MS = 3000.0
RETRY_MS = (0.0, 250.0, 500.0, 1000.0)
"""When a server is asked again, after the first time."""
_HIGHEST_PREFERENCE = 65535
OnCandidate = Callable[[Gathered], None]


async def _at_once() -> None:
    """Wait for nothing."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the agent of a session may use and tell."""

    local: frozenset[IPAddress]
    """The local addresses of its sockets; of these, loopback and IPv6 link-local ones are not used."""
    stun: tuple[TransportAddress, ...] = ()
    relays: tuple[Relay, ...] = ()
    relay_only: bool = False
    """Use nothing but relays, and hide their related addresses."""
    hide_local: bool = False
    """Tell no host candidates and no related addresses."""
    pace: Callable[[IPAddress], Awaitable[None]] = lambda _ip: _at_once()
    """What to wait for before each new request to a STUN server."""
    timeout_ms: float = 2000.0
    """How long a server may take; a relay over TCP or TLS twice as long."""
    on_server: Callable[["Answers"], None] = lambda _answers: None
    """Told when a server has given all that it will."""


@dataclass(kw_only=True)
class Answers:
    """What one server gave. Times are milliseconds of the run's clock."""

    server: TransportAddress
    transport: Transport
    began_ms: float
    candidates: int = 0
    redundant: int = 0
    """Server-reflexive candidates that equal a host candidate (RFC 8445 section 5.1.3)."""
    relays: bool = False
    """Whether it was asked for a relay."""
    told: list[TransportAddress] = field(default_factory=list)
    """Its candidates that the other end was told."""
    missed: list[Missed] = field(default_factory=list)


class Bases:
    """Every socket of one agent."""

    def __init__(
        self, settings: Settings, agent: ice.Connection, owner: Owner, on_base: Callable[[SessionSocket], None]
    ) -> None:
        """Open nothing yet; ``on_base`` takes each socket from which checks may be sent."""
        self.sockets: list[SessionSocket] = []
        """Those from which checks may be sent."""
        self.adopted: list[SessionSocket] = []
        """All that have to be closed."""
        self._on_base = on_base
        self.changed = False
        self._settings, self._agent, self._owner = settings, agent, owner
        self._on_candidate: OnCandidate = lambda _gathered: None
        self._looked_ms = 0.0

    async def gather(self, on_candidate: OnCandidate) -> None:
        """Open the sockets, ask all servers side by side, and tell each candidate at once."""
        self._on_candidate = on_candidate
        asked = self._settings
        hosts = [] if asked.relay_only else [ip for ip in sorted(asked.local, key=_rank) if _is_usable(ip)]
        for number, ip in enumerate(hosts):
            await self._open(ip, _HIGHEST_PREFERENCE - number)
        async with asyncio.TaskGroup() as group:
            for server in asked.stun:
                group.create_task(self._from_stun(server, list(self.sockets)))
            for relay in asked.relays:
                group.create_task(self._relayed(relay))

    def _servers(self, sock: SessionSocket) -> list[TransportAddress]:
        return [server for server in self._settings.stun if server.family is sock.base.family and not sock.relayed]

    async def _open(self, ip: IPAddress, preference: int) -> None:
        raw = StampedSocket(FAMILIES[family_of(ip)], SOCK_DGRAM)
        try:
            raw.setblocking(False)
            raw.bind((str(ip), 0))
            transport, sock = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: SessionSocket(self._agent, self._owner), sock=raw
            )
        except OSError:
            raw.close()
            return
        sock.stamped = raw
        host, port = transport.get_extra_info("sockname")[:2]
        sock.local_candidate = aioice.Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host", preference),
            host=host,
            port=port,
            type="host",
        )
        self.adopted.append(sock)
        self._use(sock)
        if not self._settings.hide_local:
            self._tell(sock, sock.local_candidate)

    def _use(self, sock: SessionSocket) -> None:
        self.sockets.append(sock)
        self._on_base(sock)

    def _tell(self, sock: SessionSocket, candidate: aioice.Candidate) -> None:
        gathered = candidate_of(candidate)
        sock.told.append(gathered.address)
        self._on_candidate(gathered)

    # --- server-reflexive candidates ---

    async def _from_stun(self, server: TransportAddress, socks: list[SessionSocket]) -> None:
        answers = Answers(server=server, transport=Transport.UDP, began_ms=self._owner.now_ms())
        asking = [sock for sock in socks if server in self._servers(sock)]
        await asyncio.gather(*(self._reflexive(sock, server, answers) for sock in asking))
        if asking:
            self._settings.on_server(answers)

    async def _reflexive(self, sock: SessionSocket, server: TransportAddress, answers: Answers) -> None:
        await self._settings.pace(server.ip)
        answered = asyncio.Event()
        began_ms = self._owner.now_ms()
        for after_ms in RETRY_MS:
            left_ms = self._settings.timeout_ms - (self._owner.now_ms() - began_ms)
            if left_ms <= 0 or await _is_set(answered, min(after_ms, left_ms) / 1000):
                break
            self._ask(sock, server, answered.set)
        left_ms = self._settings.timeout_ms - (self._owner.now_ms() - began_ms)
        if not await _is_set(answered, max(0.0, left_ms) / 1000):
            answers.missed.append(Missed("srflx", sock.base, *why(TimeoutError())))
            return
        self._tell_reflexive(sock, server, answers)
        nothing_translates = sock.mapped[server] == sock.base
        answers.redundant += nothing_translates
        answers.candidates += not nothing_translates

    def _ask(self, sock: SessionSocket, server: TransportAddress, done: Callable[[], None]) -> None:
        """Ask a server as what it sees a socket."""
        sock.kept_ms = self._owner.now_ms()

        def on_answer(message: stun.Message, source: Address, _rtt_ms: float) -> None:
            mapped = message.attributes.get("XOR-MAPPED-ADDRESS") or message.attributes.get("MAPPED-ADDRESS")
            if mapped is not None and source == (server.host, server.port):
                self._seen(sock, server, TransportAddress(*mapped))
                done()

        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        sock.ask(request, (server.host, server.port), on_answer)

    def _seen(self, sock: SessionSocket, server: TransportAddress, mapped: TransportAddress) -> None:
        before = sock.mapped.get(server)
        self.changed = self.changed or (before is not None and before != mapped)
        sock.mapped[server] = mapped

    def _tell_reflexive(self, sock: SessionSocket, server: TransportAddress, answers: Answers) -> None:
        mapped, base = sock.mapped[server], sock.base
        # Redundant where nothing translates, or another server saw the same (RFC 8445 section 5.1.3).
        if mapped in sock.told or (mapped == base and not self._settings.hide_local):
            return
        hidden = self._settings.hide_local
        candidate = aioice.Candidate(
            foundation=candidate_foundation("srflx", "udp", base.host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "srflx", sock.local_candidate.priority >> 8 & 0xFFFF),
            host=mapped.host,
            port=mapped.port,
            type="srflx",
            related_address=_nowhere(mapped.family) if hidden else base.host,
            related_port=9 if hidden else base.port,
        )
        answers.told.append(mapped)
        self._tell(sock, candidate)

    # --- relay candidates ---

    async def _relayed(self, relay: Relay) -> None:
        hide = self._settings.relay_only or self._settings.hide_local
        factory = partial(RelaySocket, self._agent, self._owner)
        answers = Answers(server=relay.address, transport=relay.transport, began_ms=self._owner.now_ms(), relays=True)
        got: list[SessionSocket] = []

        def adopt(sock: ice.StunProtocol) -> None:
            assert isinstance(sock, RelaySocket)
            self.adopted.append(sock)
            got.append(sock)

        try:
            candidate = await allocate_within(
                relay, factory, adopt, timeout_ms=self._settings.timeout_ms, hide_related=hide
            )
        except EXPECTED as error:
            answers.missed.append(Missed("relay", None, *why(error)))
        else:
            self._use(got[0])
            self._tell(got[0], candidate)
            answers.told.append(got[0].base)
            answers.candidates += 1
        self._settings.on_server(answers)

    # --- until the session ends ---

    async def keep_alive(self) -> None:
        """Send from every socket to its servers again and again, and notice what changes."""
        while True:
            await asyncio.sleep(LOOK_S)
            now_ms = self._owner.now_ms()
            for sock in self.sockets:
                if now_ms - sock.kept_ms >= KEEP_ALIVE_MS:
                    self._keep(sock, now_ms)
            if now_ms - self._looked_ms >= LOOK_AT_ADDRESSES_MS:
                self._looked_ms = now_ms
                here = {TransportAddress(ip, 0).host for _, ip in local_addresses()}
                gone = any(sock.base.host not in here for sock in self.sockets if not sock.relayed)
                self.changed = self.changed or gone

    def _keep(self, sock: SessionSocket, now_ms: float) -> None:
        sock.kept_ms = now_ms
        if isinstance(sock, RelaySocket):
            sock.ask_server(partial(self._relay_seen, sock))
        for server in self._servers(sock)[:1]:
            self._ask(sock, server, lambda: None)

    def _relay_seen(self, sock: RelaySocket, message: stun.Message, _source: Address, _rtt_ms: float) -> None:
        mapped: Any = message.attributes.get("XOR-MAPPED-ADDRESS")
        if mapped is not None and sock.client.mapped_address is not None:
            self.changed = self.changed or tuple(mapped) != tuple(sock.client.mapped_address)


async def _is_set(event: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


def _nowhere(family: Family) -> str:
    """Return how SDP says that an address is hidden (RFC 8839 section 5.1)."""
    return "0.0.0.0" if family is Family.IPV4 else "::"  # noqa: S104 - it is told, not bound


def _rank(ip: IPAddress) -> tuple[int, int]:
    return -ip.version, int(ip)


def _is_usable(ip: IPAddress) -> bool:
    unusable = scope_of(ip) in (Scope.LOOPBACK, Scope.UNSPECIFIED, Scope.MULTICAST)
    return not unusable and not (ip.version == 6 and ip.is_link_local)
