"""The sockets of a session: opened, told as candidates, kept alive, and renewed where the network changes."""

import asyncio
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from socket import SOCK_DGRAM
from typing import Any

import aioice
from aioice import ice, stun
from aioice.candidate import candidate_foundation, candidate_priority

from rtcdiag.address import IPAddress, Scope, TransportAddress, family_of, scope_of
from rtcdiag.ice.agent import Missed, candidate_of
from rtcdiag.ice.reflexive import Reflexive
from rtcdiag.ice.relay import EXPECTED, Relay, allocate_within, why
from rtcdiag.ice.session_socket import Address, Owner, RelaySocket, SessionSocket
from rtcdiag.ice.settings import Answers, Find, OnCandidate, Settings
from rtcdiag.ice.traffic import recording
from rtcdiag.net.arrival import StampedSocket
from rtcdiag.net.resolver import FAMILIES
from rtcdiag.net.routes import local_addresses

KEEP_ALIVE_MS = 10_000.0
"""Every socket sends to its server so often: mappings of some networks live 30 s, and a datagram may get lost."""
LOOK_S = 0.5
LOOK_AT_ADDRESSES_MS = 1000.0
MOST_CHANGES = 8
"""So often candidates are gathered again: a network that changes more often than that has none that last."""
_HIGHEST_PREFERENCE = 65535


class Bases:
    """Every socket of one agent."""

    def __init__(
        self,
        settings: Settings,
        agent: ice.Connection,
        owner: Owner,
        on_base: Callable[[SessionSocket], None],
        on_gone: Callable[[SessionSocket], None],
    ) -> None:
        """Open nothing yet; ``on_base`` takes each socket from which checks may be sent, ``on_gone`` what is lost."""
        self.sockets: list[SessionSocket] = []
        """Those from which checks may be sent."""
        self.adopted: list[SessionSocket] = []
        """All that have to be closed."""
        self.changes = 0
        """How often an own address was lost, or changed as what a server sees it."""
        self.abandoned = False
        """Whether an allocation was lost with the address that had made it: nobody else can release it."""
        self._on_base, self._on_gone = on_base, on_gone
        self._settings, self._agent, self._owner = settings, agent, owner
        self._reflexive = Reflexive(settings, owner.now_ms, self._tell, self._mapping_changed)
        self._on_candidate: OnCandidate = lambda _gathered: None
        self._looked_ms = 0.0
        self._here: frozenset[IPAddress] | None = None
        """The local addresses that have been tried; None before gathering."""
        self._opened = 0
        self._stun: list[TransportAddress] = []
        self._relays: dict[Relay, RelaySocket | None] = {}
        """Each relay that was asked for, and its socket; None where it has none, or none any more."""
        self._asking: set[Relay] = set()
        self._relay_lost = False

    # --- at the beginning ---

    async def gather(self, on_candidate: OnCandidate) -> None:
        """Open the sockets, ask each server as soon as it is known, and tell each candidate at once."""
        self._on_candidate = on_candidate
        await self._open_fresh()
        async with asyncio.TaskGroup() as group:
            for find in self._settings.servers:
                group.create_task(self._join(find, group))

    async def _join(self, find: Find, group: asyncio.TaskGroup) -> None:
        async for server in find():
            if isinstance(server, TransportAddress):
                self._stun.append(server)
                group.create_task(self._reflexive.gather(server, list(self.sockets)))
            else:
                group.create_task(self._relayed(server))

    async def _open_fresh(self) -> tuple[bool, list[SessionSocket]]:
        """Open a socket at every address that is new; return whether one is, and the sockets."""
        here, before = self._settings.local(), self._here or frozenset()
        self._here = here
        usable = [] if self._settings.relay_only else [ip for ip in sorted(here - before, key=_rank) if _is_usable(ip)]
        opened = [(ip, await self._open(ip)) for ip in usable]
        # An IPv6 address cannot be bound before its network is known to have no other: it is tried again.
        self._here -= {ip for ip, sock in opened if sock is None}
        return bool(self._here - before), [sock for _, sock in opened if sock is not None]

    async def _open(self, ip: IPAddress) -> SessionSocket | None:
        raw = StampedSocket(FAMILIES[family_of(ip)], SOCK_DGRAM)
        try:
            raw.setblocking(False)
            raw.bind((str(ip), 0))
            transport, sock = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: SessionSocket(self._agent, self._owner), sock=raw
            )
        except OSError:
            raw.close()
            return None
        sock.stamped = raw
        sock.on_traffic = self._settings.on_traffic
        host, port = transport.get_extra_info("sockname")[:2]
        sock.local_candidate = aioice.Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host", _HIGHEST_PREFERENCE - self._opened),
            host=host,
            port=port,
            type="host",
        )
        self._opened += 1
        self.adopted.append(sock)
        self._use(sock)
        if not self._settings.hide_local:
            self._tell(sock, sock.local_candidate)
        return sock

    def _use(self, sock: SessionSocket) -> None:
        self.sockets.append(sock)
        self._on_base(sock)

    def _tell(self, sock: SessionSocket, candidate: aioice.Candidate) -> None:
        gathered = candidate_of(candidate)._replace(base=ip_address(sock.local_host))
        sock.told.append(gathered.address)
        self._on_candidate(gathered)

    async def _relayed(self, relay: Relay) -> None:
        self._relays[relay] = None
        self._asking.add(relay)
        answers = Answers(server=relay.address, transport=relay.transport, began_ms=self._owner.now_ms(), relays=True)
        try:
            await self._allocated(relay, answers)
        except EXPECTED as error:
            answers.missed.append(Missed("relay", None, *why(error)))
        finally:
            self._asking.discard(relay)
        self._settings.on_server(answers)

    async def _allocated(self, relay: Relay, answers: Answers) -> None:
        hide = self._settings.relay_only or self._settings.hide_local
        factory = partial(RelaySocket, self._agent, self._owner)
        got: list[RelaySocket] = []

        def adopt(sock: ice.StunProtocol) -> None:
            assert isinstance(sock, RelaySocket)
            self.adopted.append(sock)
            got.append(sock)

        recording.set(self._settings.on_traffic)
        candidate = await allocate_within(
            relay, factory, adopt, timeout_ms=self._settings.timeout_ms, hide_related=hide
        )
        self._relays[relay] = got[0]
        self._use(got[0])
        self._tell(got[0], candidate)
        answers.told.append(got[0].base)
        answers.candidates += 1

    # --- until the session ends ---

    async def keep_alive(self) -> None:
        """Send from every socket to its servers again and again; gather again where an address changes."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(LOOK_S)
                now_ms = self._owner.now_ms()
                for sock in self.sockets:
                    if now_ms - sock.kept_ms >= KEEP_ALIVE_MS:
                        self._keep(sock, now_ms)
                if now_ms - self._looked_ms >= LOOK_AT_ADDRESSES_MS and self._here is not None:
                    self._looked_ms = now_ms
                    await self._look(group)

    def _keep(self, sock: SessionSocket, now_ms: float) -> None:
        sock.kept_ms = now_ms
        if isinstance(sock, RelaySocket):
            sock.ask_server(partial(self._relay_seen, sock))
            return
        for server in [server for server in self._stun if server.family is sock.base.family][:1]:
            self._reflexive.ask(sock, server, lambda: None)

    async def _look(self, group: asyncio.TaskGroup) -> None:
        """Drop what has no address any more, and gather at addresses that are new."""
        everywhere = {TransportAddress(ip, 0).host for _, ip in local_addresses()}
        gone = [sock for sock in self.sockets if sock.local_host not in everywhere]
        for sock in gone:
            self._drop(sock)
        self.changes += bool(gone)
        if self.changes > MOST_CHANGES:
            return
        moved, fresh = await self._open_fresh()
        for server in self._stun if fresh else ():
            group.create_task(self._reflexive.gather(server, fresh))
        if moved or self._relay_lost:
            self._relay_lost = False
            for relay in [relay for relay, sock in self._relays.items() if sock is None and relay not in self._asking]:
                group.create_task(self._relayed(relay))

    def _drop(self, sock: SessionSocket) -> None:
        self.sockets.remove(sock)
        if isinstance(sock, RelaySocket):
            self.abandoned = True
            self._relays = {relay: None if has is sock else has for relay, has in self._relays.items()}
        sock.abandon()
        self._on_gone(sock)

    def _mapping_changed(self, sock: SessionSocket, server: TransportAddress) -> None:
        self.changes += 1
        if self.changes <= MOST_CHANGES:
            self._reflexive.again(sock, server)

    def _relay_seen(self, sock: RelaySocket, message: stun.Message, _source: Address, _rtt_ms: float) -> None:
        """Give up a relay whose server sees another address now: it knows the allocation by the old one."""
        mapped: Any = message.attributes.get("XOR-MAPPED-ADDRESS")
        told = sock.client.mapped_address
        if mapped is not None and told is not None and tuple(mapped) != tuple(told) and sock in self.sockets:
            self.changes += 1
            self._drop(sock)
            self._relay_lost = True


def _rank(ip: IPAddress) -> tuple[int, int]:
    return -ip.version, int(ip)


def _is_usable(ip: IPAddress) -> bool:
    unusable = scope_of(ip) in (Scope.LOOPBACK, Scope.UNSPECIFIED, Scope.MULTICAST)
    return not unusable and not (ip.version == 6 and ip.is_link_local)
