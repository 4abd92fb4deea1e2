"""Does a TURN server relay TCP (RFC 6062): a connection between two allocations of the probe, and bytes both ways.

Nothing but the server is connected to: the peer of each allocation is the other one, and a relayed address is used only
where a server may name it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import RelayedStream, Skipped
from rtcdiag.evidence.tcp_relay import ConnectionStep
from rtcdiag.evidence.turn import Wish
from rtcdiag.net import Net
from rtcdiag.probes.connection import Path, open_wire
from rtcdiag.probes.job import Record
from rtcdiag.probes.leg import Leg, forget, to_the_end
from rtcdiag.probes.relay import may_be_sent_to, side_by_side, succeeded
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.codec import decode
from rtcdiag.stun.framing import Frame, channel_data
from rtcdiag.stun.header import Method, StunError
from rtcdiag.targets import Transport
from rtcdiag.wires import Wire

CHANNEL = 0x4000
PAYLOAD_BYTES = 1000
# What goes through the connection looks like ChannelData, so that the reader of every other stream can read it.
_FRAMED = channel_data(CHANNEL, bytes(PAYLOAD_BYTES), stream=True)


async def observe_tcp_relay(path: Path, net: Net, record: Record) -> None:
    """Try it, and leave nothing on the server; over UDP there is nothing to try (RFC 6062 section 4.1)."""
    if path.transport in (Transport.UDP, Transport.DTLS):
        why = "only a client over TCP or TLS can ask for it: add ?transport=tcp"
        record(Skipped(t_ms=net.now_ms(), what=f"relay of TCP by {path.server.uri}", why=why))
        return
    trial = _TcpRelay(path, net, record)
    try:
        await trial.run()
    finally:
        await to_the_end(trial.release())


class _TcpRelay:
    """Two allocations, and the connection between them."""

    def __init__(self, path: Path, net: Net, record: Record) -> None:
        self._path, self._net, self._record = path, net, record
        self._legs: list[Leg] = []
        self._wires: list[Wire] = []
        self._attempt: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The CONNECTION-ID that the second allocation is told."""

    async def run(self) -> None:
        """Allocate twice, permit, connect, and send."""
        first, second = await self._allocated(), await self._allocated()
        if first is None or second is None or first.relayed is None or second.relayed is None:
            return
        relayed = first.relayed, second.relayed
        if not all(may_be_sent_to(address, self._path.destination) for address in relayed):
            return
        second.wire.on_other = lambda frame, _source: self._told(frame, relayed[0])
        if not succeeded(await second.connect("permission", relayed[0], self._record)):
            return
        call = await first.connect("connect", relayed[1], self._record)
        number = call.message.first(AttributeType.CONNECTION_ID) if succeeded(call) and call.message else None
        if number is not None:
            await self._through(number, (first, second), relayed)

    async def release(self) -> None:
        """Give everything back."""
        await side_by_side(*(leg.release(hurry=True) for leg in self._legs))
        for wire in self._wires:
            wire.close()

    async def _allocated(self) -> Leg | None:
        if len(self._legs) == 1 and self._legs[0].relayed is None:
            # The first one was refused: the second would be, too.
            return None
        wire = await self._wire()
        if wire is None:
            return None
        leg = Leg(self._path, "c", wire, forget)
        self._legs.append(leg)
        await leg.challenge()
        wishes: tuple[Wish, ...] = ("tcp", "ipv6") if self._path.destination.family is Family.IPV6 else ("tcp",)
        return leg if leg.authenticates and succeeded(await leg.try_for(wishes, self._record)) else None

    async def _wire(self) -> Wire | None:
        wire = await open_wire(self._path, self._net, forget)
        if wire is not None:
            self._wires.append(wire)
        return wire

    def _told(self, frame: Frame, peer: TransportAddress) -> None:
        """Take a ConnectionAttempt (RFC 6062 section 4.4), of the peer that was let in."""
        try:
            message = decode(frame.data) if frame.channel is None else None
        except StunError:
            return
        number = message.first(AttributeType.CONNECTION_ID) if message is not None else None
        is_it = message is not None and message.method == Method.CONNECTION_ATTEMPT and peer in message.peers
        if is_it and number is not None and not self._attempt.done():
            self._attempt.set_result(number)

    async def _through(
        self, number: int, legs: tuple[Leg, Leg], relayed: tuple[TransportAddress, TransportAddress]
    ) -> None:
        """Take both ends of the connection over, and send bytes from each to the other."""
        out, into = await side_by_side(
            self._bound(legs[0], "bind-out", number, relayed[1]), self._accepted(legs[1], relayed[0])
        )
        began_ms = self._net.now_ms()
        got = {"out": 0, "back": 0}
        complete = asyncio.Event()

        def count(way: str) -> Callable[[Frame, TransportAddress], None]:
            def take(frame: Frame, _source: TransportAddress) -> None:
                got[way] += len(frame.data) if frame.channel == CHANNEL else 0
                if min(got.values()) >= PAYLOAD_BYTES:
                    complete.set()

            return take

        if out is not None and into is not None:
            out.on_other, into.on_other = count("back"), count("out")
            for wire in (out, into):
                wire.send(_FRAMED, self._path.destination)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._net.options.timeout_ms / 1000):
                    await complete.wait()
        self._keep(began_ms, relayed[1], got)

    async def _accepted(self, leg: Leg, peer: TransportAddress) -> Wire | None:
        """Wait to be told of the connection, and take it over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._net.options.timeout_ms / 1000):
                return await self._bound(leg, "bind-in", await self._attempt, peer)
        return None

    async def _bound(self, leg: Leg, step: ConnectionStep, number: int, peer: TransportAddress) -> Wire | None:
        """Make a new connection to the server the one that carries the data (RFC 6062 section 4.3)."""
        wire = await self._wire()
        if wire is None:
            return None
        call = await leg.take_over(wire, step, number, peer, self._record)
        return wire if succeeded(call) else None

    def _keep(self, began_ms: float, peer: TransportAddress, got: dict[str, int]) -> None:
        self._record(
            RelayedStream(
                **self._fields(began_ms),
                peer=peer,
                attempt=self._attempt.done(),
                sent_bytes=PAYLOAD_BYTES,
                out_bytes=got["out"],
                back_bytes=got["back"],
            )
        )

    def _fields(self, began_ms: float) -> dict[str, Any]:
        return {
            "t_ms": began_ms,
            "duration_ms": self._net.now_ms() - began_ms,
            "server": self._path.server.uri,
            "transport": self._path.transport,
            "destination": self._path.destination,
            "allocation": "c",
        }
