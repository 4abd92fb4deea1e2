"""The allocations of an experiment that takes long: two that reach each other over channels, perhaps a third over TCP.

Their own steps are not put on record: those of the chain before were. What fails here is one reason in words.
"""

import asyncio
import contextlib
from dataclasses import replace

from rtcdiag.evidence import Observation, VantagePoint
from rtcdiag.net import Net
from rtcdiag.probes.connection import Path
from rtcdiag.probes.leg import Leg
from rtcdiag.probes.relay import CHANNEL, side_by_side, succeeded
from rtcdiag.probes.relay_pair import RelayPair
from rtcdiag.targets import Transport
from rtcdiag.wires import UdpWire

_QUOTA_REACHED = 486
_FREED_S = 1.5
"""coturn counts what was released for up to a second more."""


class LastingLegs:
    """Legs that are connected to each other; `release` and `close` them whatever happens."""

    def __init__(self, path: Path, net: Net) -> None:
        """Prepare; nothing is sent yet."""
        self._path, self._net = path, net
        self._seen: list[Observation] = []
        self._pair = RelayPair([path], net, self._seen.append)
        self._channels: dict[tuple[int, int], int] = {}
        self.legs: list[Leg] = []
        """The two of the path, then the third where there is one."""

    async def open(self, *, reference: bool = False, one_channel: bool = False) -> str | None:
        """Allocate and connect two legs, with ``reference`` a third over TCP; return why that was not possible.

        With ``one_channel`` only the first has a channel, and the second nothing but a permission.
        """
        self.legs = list(await self._pair.allocate())
        if len(self.legs) < 2 and any(_is_full(item) for item in self._seen):
            await asyncio.sleep(_FREED_S)
            await self._pair.release(hurry=False)
            self.legs = list(await self._pair.allocate())
        if len(self.legs) < 2:
            return self._why() or "the server gave no two allocations at one address"
        if reference:
            self.legs += await self._third()
        for leg in self.legs:
            if isinstance(leg.wire, UdpWire):
                leg.wire.stamp_arrivals()
        a, b = self.legs[:2]
        if not all(await side_by_side(self._bound(a, b), self._permitted(b, a) if one_channel else self._bound(b, a))):
            return "the server refused to connect two relays"
        if len(self.legs) > 2 and not await self._connected(b, self.legs[2]):
            self.legs = self.legs[:2]
        return None

    @property
    def why_no_reference(self) -> str:
        """Why there is no third leg."""
        return "" if len(self.legs) > 2 else f"over TCP {self._why(Transport.TCP) or 'nothing answered in time'}"

    def send(self, sender: Leg, receiver: Leg, data: bytes) -> None:
        """Send data from one leg through the relay to another, on the channel where there is one."""
        channel = self._channels.get((id(sender), id(receiver)))
        if channel is not None:
            sender.send_on(channel, data)
        elif receiver.relayed is not None:
            sender.send(data, receiver.relayed)

    def channel(self, sender: Leg, receiver: Leg) -> int:
        """Return the channel of one leg to another; each leg has its own numbers."""
        return self._channels[id(sender), id(receiver)]

    async def release(self, *, hurry: bool) -> None:
        """Give every allocation back."""
        await self._pair.release(hurry=hurry)

    def close(self) -> None:
        """Close what carried them."""
        self._pair.close()

    async def _third(self) -> list[Leg]:
        """Allocate over TCP, after the two that are needed more where there is a quota."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._net.options.timeout_ms / 1000):
                found = await self._pair.beside(replace(self._path, transport=Transport.TCP))
                return [found] if found is not None else []
        return []

    async def _connected(self, one: Leg, other: Leg) -> bool:
        return all(await side_by_side(self._bound(one, other), self._bound(other, one)))

    async def _bound(self, leg: Leg, peer: Leg) -> bool:
        assert peer.relayed is not None
        channel = CHANNEL + sum(own == id(leg) for own, _ in self._channels)
        self._channels[id(leg), id(peer)] = channel
        return succeeded(await leg.bind(channel, peer.relayed))

    async def _permitted(self, leg: Leg, peer: Leg) -> bool:
        assert peer.relayed is not None
        return succeeded(await leg.permit(peer.relayed))

    def _why(self, transport: Transport | None = None) -> str | None:
        points = [item for item in self._seen if isinstance(item, VantagePoint)]
        for point in points:
            if transport in (None, point.transport):
                code = f", error {point.error_code}" if point.error_code else ""
                return f"no allocation was granted ({point.outcome.replace('-', ' ')}{code})"
        return None


def _is_full(item: Observation) -> bool:
    return isinstance(item, VantagePoint) and item.error_code == _QUOTA_REACHED
