"""One of the probe's two allocations: its wire, its TURN client, and an observation for every step that it takes."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Literal

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Allocation, AllocationTrial, Challenge, PeerConnection, Permission, Refresh, TurnStep
from rtcdiag.evidence.tcp_relay import ConnectionStep
from rtcdiag.evidence.turn import Side, Wish
from rtcdiag.probes.connection import Path, stream_limit_ms
from rtcdiag.probes.job import Record
from rtcdiag.stun.codec import decode
from rtcdiag.stun.framing import Frame, channel_data
from rtcdiag.stun.header import MessageClass, StunError
from rtcdiag.stun.request import Request
from rtcdiag.stun.transaction import UDP, Schedule
from rtcdiag.stun.turn import TurnClient, Wishes, relayed_datagram
from rtcdiag.wires import Call, StreamWire, UdpWire, Wire, finish

_SECOND_LOOK_S = 0.2
HURRY_MS = 1000.0
"""How long an allocation's release may take where the server was silent before, or the run is being ended."""


class Leg:
    """The conversation about one allocation, one request at a time; `release` it whatever happens."""

    def __init__(self, path: Path, side: Side, wire: Wire, record: Record, *, patience_ms: float | None = None) -> None:
        """Take over a wire; nothing is sent yet. ``patience_ms`` bounds each transaction, where the options do not."""
        credential = path.server.credential
        self.path, self.side, self.wire, self.net = path, side, wire, wire.net
        self.local = wire.local_towards(path.destination)
        self.relayed: TransportAddress | None = None
        """The relayed address, once allocated."""
        self.mapped: TransportAddress | None = None
        """What the server says this leg comes from, once allocated."""
        self.on_data: Callable[[bytes, TransportAddress], None] = lambda _data, _peer: None
        """Takes what the relay delivers, and the peer that it came from as the server says."""
        self._client = TurnClient(*((credential.username, credential.password) if credential else (None, None)))
        self._secrets = credential.secrets if credential else frozenset()
        self._record = record
        self._patience_ms = patience_ms
        self._attempts = 0
        self._held: Literal["nothing", "maybe", "allocation"] = "nothing"
        self._answering = True
        self._channels: dict[int, TransportAddress] = {}
        self._turn = asyncio.Lock()
        wire.on_other = self._on_other

    @property
    def authenticates(self) -> bool:
        """Whether a challenge came that the credentials can answer."""
        return self._client.key is not None

    @property
    def attempts(self) -> int:
        """How often the last request was sent: 2 where its nonce had expired (438)."""
        return self._attempts

    async def challenge(self, record: Record | None = None) -> Call:
        """Ask for an allocation without credentials (RFC 8656 section 7.2); a server may grant even that."""
        return await self._allocate(self._client.allocate_request, partial(Challenge), record)

    async def allocate(self, family: Family) -> Call:
        """Ask for an allocation; without REQUESTED-ADDRESS-FAMILY it is IPv4 (RFC 8656 section 7.1)."""
        asked = None if family is Family.IPV4 else family
        return await self._allocate(
            lambda: self._client.allocate_request(Wishes(family=asked)),
            lambda **step: Allocation(
                family=family, attempts=self._attempts, sha256=self._client.signs_with_sha256, **step
            ),
        )

    async def try_for(self, asked: tuple[Wish, ...], record: Record, *, token: bytes | None = None) -> Call:
        """Ask for an allocation that no call needs, to learn whether there are such; what it grants has to be released.

        ``token`` is of the port that ``reserved-port`` asks for.
        """
        wishes = wishes_of(asked, token)
        return await self._allocate(
            lambda: self._client.allocate_request(wishes), partial(AllocationTrial, wishes=asked), record
        )

    async def permit(self, peer: TransportAddress) -> Call:
        """Install a permission for a peer's IP address."""
        return await self._ask(lambda: self._client.permission_request(peer), partial(Permission, peer=peer))

    async def connect(self, step: ConnectionStep, peer: TransportAddress, record: Record) -> Call:
        """Let a peer connect to the relayed address of TCP, or ask for a connection to it (RFC 6062)."""
        build = self._client.connect_request if step == "connect" else self._client.permission_request
        return await self._ask(lambda: build(peer), partial(PeerConnection, step=step, peer=peer), record)

    async def take_over(
        self, wire: Wire, step: ConnectionStep, number: int, peer: TransportAddress, record: Record
    ) -> Call:
        """Make another connection to the server carry a relayed one, with this leg's nonce, as coturn wants it."""
        began_ms = self.net.now_ms()
        for _ in range(2):
            call = wire.start(self._client.connection_bind_request(number), self.path.destination)
            await finish(wire, call)
            if call.message is None or self._client.digest(call.transaction.request, call.message) != "fresh-nonce":
                break
        record(PeerConnection(step=step, peer=peer, **self._fields(call, began_ms)))
        return call

    async def bind(self, channel: int, peer: TransportAddress) -> Call:
        """Bind a channel to a peer."""
        self._channels[channel] = peer
        return await self._ask(
            lambda: self._client.channel_request(channel, peer), partial(Permission, peer=peer, channel=channel)
        )

    async def refresh(self, lifetime_s: int) -> Call:
        """Ask for more time."""
        return await self._ask(
            lambda: self._client.refresh_request(lifetime_s), partial(Refresh, lifetime_s=lifetime_s)
        )

    async def release(self, *, hurry: bool = False) -> None:
        """Give the allocation back, or what may be one because its answer was never seen; bounded."""
        if self._held == "nothing":
            return
        if self._held == "maybe" and not self.authenticates:
            # This server was never heard, and would hardly confirm.
            self.wire.send(self._client.refresh_request(0).data, self.path.destination)
        else:
            limit_ms = HURRY_MS if hurry or not self._answering else None
            if await self._give_back(limit_ms) == "refused" and self._held == "maybe":
                # A server of several threads may have looked at this Refresh before it granted the Allocate.
                await asyncio.sleep(_SECOND_LOOK_S)
                await self._give_back(limit_ms)
        self._held = "nothing"

    async def _give_back(self, limit_ms: float | None) -> Literal["released", "refused", "silent"]:
        record = self._record if self._held == "allocation" else forget
        kind = partial(Refresh, lifetime_s=0)
        call = await self._ask(lambda: self._client.refresh_request(0), kind, record, limit_ms=limit_ms)
        if call.message is None:
            return "silent"
        return "released" if call.message.message_class is MessageClass.SUCCESS else "refused"

    def send(self, data: bytes, peer: TransportAddress) -> None:
        """Send data to a peer by Send indication."""
        self.wire.send(self._client.send_indication(peer, data), self.path.destination)

    def send_on(self, channel: int, data: bytes) -> None:
        """Send data to the channel's peer."""
        framed = channel_data(channel, data, stream=isinstance(self.wire, StreamWire))
        self.wire.send(framed, self.path.destination)

    async def _allocate(
        self, build: Callable[[], Request], kind: Callable[..., TurnStep], record: Record | None = None
    ) -> Call:
        self._held = "maybe"
        call = await self._ask(build, kind, record)
        if call.message is not None:
            granted = call.message.message_class is MessageClass.SUCCESS
            self._held = "allocation" if granted else "nothing"
            self.relayed = call.message.relayed if granted else None
            self.mapped = (call.message.xor_mapped or call.message.mapped) if granted else None
        elif not call.transaction.request.signed:
            self._held = "nothing"
        return call

    async def _ask(
        self,
        build: Callable[[], Request],
        kind: Callable[..., TurnStep],
        record: Record | None = None,
        *,
        limit_ms: float | None = None,
    ) -> Call:
        """Ask, once more where the nonce was stale, and record the last transaction, also when cancelled."""
        async with self._turn:
            began = self.net.now_ms()
            for self._attempts in (1, 2):
                call = self.wire.start(build(), self.path.destination, schedule=self._schedule(limit_ms))
                step = None
                try:
                    await finish(self.wire, call)
                    step = self._client.digest(call.transaction.request, call.message) if call.message else "refused"
                finally:
                    if step != "fresh-nonce":
                        (record or self._record)(kind(**self._fields(call, began)))
                if step != "fresh-nonce":
                    break
            self._answering = call.message is not None
            return call

    def _fields(self, call: Call, began_ms: float) -> dict[str, Any]:
        """Return what every step has in common; an answer to an unsigned request has no integrity to check."""
        key = self._client.key if call.transaction.request.signed else None
        return {
            "t_ms": began_ms,
            "duration_ms": self.net.now_ms() - began_ms,
            "server": self.path.server.uri,
            "transport": self.path.transport,
            "destination": self.path.destination,
            "local": self.local,
            "allocation": self.side,
            "exchange": call.exchange(key=key, secrets=self._secrets),
        }

    def _schedule(self, limit_ms: float | None) -> Schedule:
        limit_ms = min((ms for ms in (limit_ms, self._patience_ms) if ms is not None), default=None)
        if isinstance(self.wire, StreamWire):
            return Schedule((0,), limit_ms or stream_limit_ms(self.net))
        return Schedule(UDP.offsets_ms, limit_ms or self.net.options.timeout_ms)

    def _on_other(self, frame: Frame, source: TransportAddress) -> None:
        """Take relayed data; what comes over UDP from elsewhere than the server is nobody's."""
        if isinstance(self.wire, UdpWire) and source != self.path.destination:
            return
        if frame.channel is not None:
            if frame.channel in self._channels:
                self.on_data(frame.data, self._channels[frame.channel])
            return
        try:
            found = relayed_datagram(decode(frame.data))
        except StunError:
            return
        if found is not None and found.data is not None:
            self.on_data(found.data, found.peer)


def wishes_of(asked: tuple[Wish, ...], token: bytes | None) -> Wishes:
    """Return the attributes that ask for it."""
    return Wishes(
        family=Family.IPV6 if "ipv6" in asked else None,
        also=Family.IPV6 if "both-families" in asked else None,
        dont_fragment="dont-fragment" in asked,
        even_port="even-port" in asked,
        next_port="next-port" in asked,
        token=token,
        tcp="tcp" in asked,
    )


def forget(_step: object) -> None:
    """Record nothing."""


async def to_the_end(work: Coroutine[None, None, None]) -> None:
    """Finish bounded work even when cancelled, and let the cancellation go on after it."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
