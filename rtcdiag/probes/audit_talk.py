"""One allocation of an audit, or the question for one: a connection, its credentials, one request a second."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rtcdiag.address import Family, IPAddress, TransportAddress
from rtcdiag.audit.peers import PORT
from rtcdiag.evidence import (
    Allocation,
    AuditAllocation,
    AuditPermission,
    Binding,
    Challenge,
    Observation,
    Refresh,
)
from rtcdiag.evidence.audit import AllocationQuestion
from rtcdiag.net import Net
from rtcdiag.probes.audit_pace import REPEAT_MS, Pace
from rtcdiag.probes.connection import Path, open_wire, stream_limit_ms
from rtcdiag.probes.job import Record
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.request import Request, new_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.stun.turn import UDP_PROTOCOL, TurnClient, Wishes
from rtcdiag.targets import Credential, Transport
from rtcdiag.wires import Call, StreamWire, Wire, finish

RELEASE_MS = 900.0
"""How long the answer to a release is awaited: with the second before it, it has to end before a run is killed."""


class Talk:
    """One client port of an audit. `release` it whatever happens."""

    def __init__(self, path: Path, wire: Wire, pace: Pace, record: Record, credential: Credential | None) -> None:
        """Take over a wire; nothing is sent yet."""
        self.path, self.wire, self.net = path, wire, wire.net
        self.local = wire.local_towards(path.destination)
        self._client = TurnClient(*((credential.username, credential.password) if credential else (None, None)))
        self._secrets = credential.secrets if credential else frozenset()
        self.record = record
        self._pace = pace
        self._holds = False

    @property
    def authenticates(self) -> bool:
        """Whether a challenge came that the credentials can answer."""
        return self._client.key is not None

    async def binding(self) -> Call:
        """Ask with the shortest request there is: 20 bytes."""
        request = new_request(Method.BINDING, fingerprint=False)
        return await self._ask(lambda: request, partial(Binding, purpose="reach", socket="reach"), self.record)

    async def challenge(self, record: Record | None = None) -> Call:
        """Ask for an allocation without credentials in 28 bytes; a server that grants it relays for anybody."""
        attributes = [(AttributeType.REQUESTED_TRANSPORT, UDP_PROTOCOL)]
        request = new_request(Method.ALLOCATE, attributes, fingerprint=False)
        return await self._allocate(lambda: request, Challenge, record or self.record)

    async def allocate(self) -> Call:
        """Ask for a relayed IPv4 address with the credentials."""
        kind = partial(Allocation, family=Family.IPV4)
        return await self._allocate(self._client.allocate_request, kind, self.record)

    async def try_to_allocate(self, question: AllocationQuestion) -> Call:
        """Ask for what may be refused."""
        wishes = Wishes(family=Family.IPV6 if question == "ipv6-relay" else None, tcp=question == "tcp-relay")
        build = partial(self._client.allocate_request, wishes)
        return await self._allocate(build, partial(AuditAllocation, question=question), self.record)

    async def permit(self, relay: Family, ip: IPAddress, channel: int | None = None) -> Call:
        """Ask for a permission, or for a channel: the answer is what the audit is about, and no packet follows."""
        peer = TransportAddress(ip, PORT)
        client = self._client
        return await self._ask(
            lambda: client.permission_request(peer) if channel is None else client.channel_request(channel, peer),
            partial(AuditPermission, relay=relay, peer=peer, channel=channel),
            self.record,
        )

    async def release(self) -> None:
        """Give back what was granted; bounded."""
        if self._holds:
            self._holds = False
            kind = partial(Refresh, lifetime_s=0)
            await self._ask(lambda: self._client.refresh_request(0), kind, self.record, limit_ms=RELEASE_MS)

    def close(self) -> None:
        """Close the connection."""
        self.wire.close()

    async def _allocate(self, build: Callable[[], Request], kind: Callable[..., Observation], record: Record) -> Call:
        # An answer that is lost, or that a cancellation leaves unheard, may have granted it all the same.
        self._holds = True
        call = await self._ask(build, kind, record)
        silent = call.message is None and call.transaction.request.signed
        self._holds = silent or (call.message is not None and call.message.message_class is MessageClass.SUCCESS)
        return call

    async def _ask(
        self,
        build: Callable[[], Request],
        kind: Callable[..., Observation],
        record: Record,
        *,
        limit_ms: float | None = None,
    ) -> Call:
        """Ask, once more where the nonce was stale, and record the last transaction, also when cancelled."""
        began = self.net.now_ms()
        step = None
        for _ in range(2):
            await self._pace.turn()
            call = self.wire.start(build(), self.path.destination, schedule=self._schedule(limit_ms))
            call.on_sent = self._pace.note
            try:
                await finish(self.wire, call)
                step = self._client.digest(call.transaction.request, call.message) if call.message else "refused"
            finally:
                if step != "fresh-nonce":
                    record(kind(**self._fields(call, began)))
            if step != "fresh-nonce":
                break
        return call

    def _fields(self, call: Call, began_ms: float) -> dict[str, Any]:
        key = self._client.key if call.transaction.request.signed else None
        return {
            "t_ms": began_ms,
            "duration_ms": self.net.now_ms() - began_ms,
            "server": self.path.server.uri,
            "transport": self.path.transport,
            "destination": self.path.destination,
            "local": self.local,
            "exchange": call.exchange(key=key, secrets=self._secrets),
        }

    def _schedule(self, limit_ms: float | None) -> Schedule:
        if limit_ms is not None or isinstance(self.wire, StreamWire):
            return Schedule((0,), limit_ms or stream_limit_ms(self.net))
        return Schedule((0, REPEAT_MS), REPEAT_MS + self.net.options.timeout_ms)


async def open_talk(path: Path, net: Net, pace: Pace, record: Record, credential: Credential | None) -> Talk | None:
    """Return a conversation over the path's transport, after recording each step to it; None where none came about."""
    if path.transport is not Transport.UDP:
        await pace.turn()
    wire = await open_wire(path, net, record)
    if path.transport is not Transport.UDP:
        pace.note()
    return None if wire is None else Talk(path, wire, pace, record, credential)
