"""What a TURN server can do beyond what calls need, asked beside them: DONT-FRAGMENT, ports in pairs, both families.

It takes allocations of its own: at most two at a time, only once the calls' own have been granted, each for one round
trip, and from one path to a server's address only. So a quota or a range of ports that has room for the calls' refuses
at most these, which tells nothing and breaks nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable

from rtcdiag.address import Family
from rtcdiag.capabilities import ATTRIBUTES, UNKNOWN_ATTRIBUTE
from rtcdiag.evidence.turn import Wish
from rtcdiag.net.crowd import Place
from rtcdiag.probes.connection import Path
from rtcdiag.probes.job import Record
from rtcdiag.probes.leg import Leg, to_the_end
from rtcdiag.probes.relay import side_by_side, succeeded
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.wires import Call

PATIENCE_MS = 500.0
"""How long one answer is waited for: the server has just answered others."""
_LEGS = 3
"""coturn wants another port of the client for each allocation: one that was released gets 437 for a while."""
_PORTS: tuple[Wish, ...] = ("dont-fragment", "even-port", "next-port")
Opener = Callable[[], Awaitable[Leg | None]]


class Trials:
    """The questions of one path, which it asks if it is the one to do so."""

    def __init__(self, path: Path, record: Record, place: Place, another: Opener) -> None:
        """Take what opens a leg; `run` releases and closes it."""
        self._path, self._record, self._place, self._another = path, record, place, another
        self._legs: list[Leg] = []
        self.granted = asyncio.Event()
        """Set it when the calls have their allocations."""
        self.over = asyncio.Event()
        """Set it when the path has been tried to its end."""

    async def run(self) -> None:
        """Wait for the turn of this path, if it comes; ask, and give back everything, also when cancelled."""
        try:
            # Where no other path is tried, the turn will come: what takes a round trip or more can be done before.
            if self._place.is_alone:
                await self._open()
            await self._granted_or_over()
            if self.granted.is_set() and await self._place.turn(self.over):
                if not self._legs:
                    await self._open()
                await self._ask()
        finally:
            await to_the_end(self._release())

    async def _open(self) -> None:
        await side_by_side(*(self._challenged() for _ in range(_LEGS)))

    async def _challenged(self) -> None:
        leg = await self._another()
        if leg is not None:
            self._legs.append(leg)
            await leg.challenge()

    async def _granted_or_over(self) -> None:
        waiting = [asyncio.ensure_future(event.wait()) for event in (self.granted, self.over)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def _ask(self) -> None:
        ready = [leg for leg in self._legs if leg.authenticates]
        if len(ready) < _LEGS:
            return
        first, second, third = ready
        call = await self._ports(first)
        if call.message is None:
            return
        token = call.message.first(AttributeType.RESERVATION_TOKEN) if succeeded(call) else None
        async with asyncio.TaskGroup() as group:
            group.create_task(first.release())
            if token is not None:
                await second.try_for(("reserved-port",), self._record, token=token)
        async with asyncio.TaskGroup() as group:
            group.create_task(second.release())
            await third.try_for(("both-families",), self._record)

    async def _ports(self, leg: Leg) -> Call:
        """Ask for all about ports at once, and for IPv6 where calls did not; then without what the server refuses."""
        wishes: tuple[Wish, ...] = (*_PORTS, "ipv6") if self._path.destination.family is Family.IPV4 else _PORTS
        call = await leg.try_for(wishes, self._record)
        while (left := _without_refused(wishes, call)) not in (wishes, ()):
            wishes = left
            call = await leg.try_for(wishes, self._record)
        return call

    async def _release(self) -> None:
        await side_by_side(*(leg.release(hurry=True) for leg in self._legs))
        for leg in self._legs:
            leg.wire.close()


def _without_refused(wishes: tuple[Wish, ...], call: Call) -> tuple[Wish, ...]:
    """Return what to ask for again: not what a 420 names, nor IPv6 where there is another refusal."""
    if call.message is None or call.message.error is None:
        return wishes
    unknown = call.message.unknown_attributes if call.message.error.code == UNKNOWN_ATTRIBUTE else ()
    left = tuple(wish for wish in wishes if ATTRIBUTES[wish] not in unknown)
    return left if unknown else tuple(wish for wish in wishes if wish != "ipv6")
