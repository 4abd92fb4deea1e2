"""Data through a TURN relay: between the probe's two allocations, and to a plain socket of its own and back."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

from rtcdiag.address import Scope, TransportAddress
from rtcdiag.evidence import RelayedData
from rtcdiag.evidence.turn import Side
from rtcdiag.net import Net
from rtcdiag.probes.flow import COUNT, GIVE_UP, Flow, new_run_id
from rtcdiag.probes.job import Record
from rtcdiag.probes.leg import Leg
from rtcdiag.stun.header import MessageClass
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.wires import Call, UdpWire, transact, until

REFRESH_S = 600
"""The LIFETIME that is asked for: the default of RFC 8656 section 3.2."""
CHANNEL = 0x4000
"""The first of RFC 8656 section 12; each allocation has its own."""
_BRIEF = Schedule((0, 100, 300), 700)
"""For the plain socket's mapped address, without which its own first datagram tells it."""
_PUNCH_MS = 200.0
"""How long the relay waits for the plain socket's datagrams, which make a hole in a NAT and show the port to use."""
BRIEF_COUNT = 2
"""Datagrams of each flow where few have to suffice: one that gets lost is repeated anyway."""
_HEAD_START_MS = 700.0
"""After which time channels are tried beside Send indications that have not all arrived."""

Receiver = Side | Literal["peer"]
_Result = TypeVar("_Result")


class Relay:
    """Two allocations and a plain socket, and which datagram that arrives belongs to which flow."""

    def __init__(self, net: Net, record: Record, *, brief: bool = False) -> None:
        """Start without a flow; ``brief`` sends less, and leaves channels out."""
        self._net, self._record, self._brief = net, record, brief
        self._run_id = new_run_id()
        self._flows: list[tuple[Flow, Receiver]] = []

    async def between(self, a: Leg, b: Leg) -> None:
        """Send from each allocation to the other: by Send indication, then over channels; and refresh one of them."""
        assert a.relayed is not None
        assert b.relayed is not None
        self._listen(a)
        self._listen(b)
        granted = await side_by_side(a.permit(b.relayed), b.permit(a.relayed))
        if not all(map(succeeded, granted)):
            return
        async with asyncio.TaskGroup() as group:
            sending = [group.create_task(self._by_send(*pair)) for pair in ((a, b), (b, a))]
            await asyncio.wait(sending, timeout=_HEAD_START_MS / 1000)
            if not self._brief or not all(task.done() and task.result().received for task in sending):
                await self._over_channels(a, b, group)
            await asyncio.wait(sending)
            if all(task.result().received for task in sending):
                await a.refresh(REFRESH_S)

    async def _over_channels(self, a: Leg, b: Leg, group: asyncio.TaskGroup) -> None:
        assert a.relayed is not None
        assert b.relayed is not None
        bound = await side_by_side(a.bind(CHANNEL, b.relayed), b.bind(CHANNEL, a.relayed))
        if all(map(succeeded, bound)):
            for sender, receiver in ((a, b), (b, a)):
                group.create_task(self._by_channel(sender, receiver))

    async def to_plain_socket(self, a: Leg, plain: "PlainSocket") -> None:
        """Send from a plain socket to the relay and back; the relay sends to where the datagrams come from."""
        towards = plain.seen_as(a)
        if towards is None or a.relayed is None or not may_be_sent_to(a.relayed, a.path.destination):
            return
        self._listen(a)
        plain.wire.on_other = lambda frame, source: self._receive("peer", frame.data, source)
        if not succeeded(await a.permit(towards)):
            return
        inbound, outbound = self._flow("a"), self._flow("peer")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._from_plain(inbound, a, plain, towards))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PUNCH_MS / 1000):
                    await inbound.arrived.wait()
            if inbound.sources or plain.mapped is not None:
                await self._to_plain(outbound, inbound, a, towards)

    async def _by_send(self, sender: Leg, receiver: Leg) -> Flow:
        assert receiver.relayed is not None
        peer, flow = receiver.relayed, self._flow(receiver.side)
        await self._drive(flow, lambda data: sender.send(data, peer), lambda: _between(sender, receiver, "send"))
        return flow

    async def _by_channel(self, sender: Leg, receiver: Leg) -> None:
        flow = self._flow(receiver.side)
        await self._drive(
            flow, lambda data: sender.send_on(CHANNEL, data), lambda: _between(sender, receiver, "channel-data")
        )

    async def _from_plain(self, flow: Flow, a: Leg, plain: "PlainSocket", towards: TransportAddress) -> None:
        assert a.relayed is not None
        relayed = a.relayed
        fields = {"path": "mapped-to-relay", "method": "plain", "receiver": "a", "peer": towards}
        await self._drive(
            flow,
            lambda data: plain.wire.send(data, relayed),
            lambda: _fields(a) | fields | {"expected_source": plain.mapped},
        )

    async def _to_plain(self, flow: Flow, inbound: Flow, a: Leg, towards: TransportAddress) -> None:
        def peer() -> TransportAddress:
            return inbound.sources[0] if inbound.sources else towards

        fields = {"path": "relay-to-mapped", "method": "send", "receiver": "peer", "expected_source": a.relayed}
        await self._drive(flow, lambda data: a.send(data, peer()), lambda: _fields(a) | fields | {"peer": peer()})

    def _flow(self, receiver: Receiver) -> Flow:
        flow = Flow(len(self._flows), self._run_id, BRIEF_COUNT if self._brief else COUNT)
        self._flows.append((flow, receiver))
        return flow

    def _listen(self, leg: Leg) -> None:
        side: Side = leg.side
        leg.on_data = lambda data, peer: self._receive(side, data, peer)

    def _receive(self, receiver: Receiver, data: bytes, source: TransportAddress) -> None:
        for flow, whose in self._flows:
            if whose == receiver and flow.receive(data, source, self._net.now_ms()):
                return

    async def _drive(self, flow: Flow, send: Callable[[bytes], None], fields: Callable[[], dict[str, Any]]) -> None:
        """Send what is due until all arrived or time is up, and record it, also when cancelled."""
        began = self._net.now_ms()
        end_ms = began + GIVE_UP * self._net.options.timeout_ms
        try:
            while not flow.complete and self._net.now_ms() < end_ms:
                for payload in flow.due(self._net.now_ms()):
                    send(payload)
                flow.arrived.clear()
                await until(flow.arrived, (flow.wake_ms(end_ms) - self._net.now_ms()) / 1000)
        finally:
            self._record(
                RelayedData(
                    t_ms=began,
                    duration_ms=self._net.now_ms() - began,
                    sent=flow.sent,
                    received=flow.received,
                    sources=tuple(flow.sources),
                    rtt_ms=flow.rtt_ms,
                    **fields(),
                )
            )


class PlainSocket:
    """A UDP socket that is no ICE agent's: what a peer without a relay would be."""

    def __init__(self, wire: UdpWire) -> None:
        """Take over a wire."""
        self.wire = wire
        self.mapped: TransportAddress | None = None
        """What the server saw it come from; None where it did not say."""

    async def learn(self, server: TransportAddress) -> None:
        """Ask the TURN server over UDP what this socket looks like; not recorded, for it is asked briefly."""
        await self.wire.net.pacer.turn(server.ip)
        call = await transact(self.wire, binding_request(), server, schedule=_BRIEF)
        self.mapped = (call.message.xor_mapped or call.message.mapped) if call.message else None

    def seen_as(self, a: Leg) -> TransportAddress | None:
        """Return where the relay can expect it: its mapped address, else the address that the server knows us by."""
        if self.mapped is None and a.mapped is not None:
            # A permission is for an IP address (RFC 8656 section 9): the port of a first datagram tells the rest.
            return TransportAddress(a.mapped.ip, self.wire.bound.port)
        return self.mapped


async def side_by_side(*work: Coroutine[None, None, _Result]) -> list[_Result]:
    """Run them at once and return their results; none goes on after another one has failed."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(item) for item in work]
    return [task.result() for task in tasks]


def succeeded(call: Call) -> bool:
    """Whether a transaction ended with a success response."""
    return call.message is not None and call.message.message_class is MessageClass.SUCCESS


def may_be_sent_to(relayed: TransportAddress, server: TransportAddress) -> bool:
    """Whether a relayed address is plausible: a server does not get to name hosts of this network as its relay."""
    beyond = relayed.scope is Scope.GLOBAL and server.scope is not Scope.LOOPBACK
    return relayed.family is server.family and (beyond or relayed.scope is server.scope)


def _fields(leg: Leg) -> dict[str, Any]:
    return {
        "server": leg.path.server.uri,
        "transport": leg.path.transport,
        "destination": leg.path.destination,
        "local": leg.local,
        "allocation": leg.side,
    }


def _between(sender: Leg, receiver: Leg, method: str) -> dict[str, Any]:
    return _fields(sender) | {
        "path": "relay-to-relay",
        "method": method,
        "receiver": receiver.side,
        "peer": receiver.relayed,
        "expected_source": sender.relayed,
    }
