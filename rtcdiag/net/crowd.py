"""Who is still getting what it needs from a server: what others only want waits, and could take it from nobody.

A TURN server has a quota and a range of ports. An allocation that only asks what the server can do must not be the one
for which there is no room left for another. And one that was refused for want of room, while another part of this run
held some, is asked for again when nobody else holds any: several URIs are often one server and one user.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from rtcdiag.address import IPAddress


class Crowd:
    """All experiments of a run, by the address of the server that they are at."""

    def __init__(self) -> None:
        """Start with nobody."""
        self.busy: Counter[IPAddress] = Counter()
        self.changed = asyncio.Event()
        self._taken: set[IPAddress] = set()
        self._holders: set[Place] = set()
        self._alone = asyncio.Lock()
        self._fewer = asyncio.Event()

    def enter(self, ip: IPAddress) -> "Place":
        """Come to a server."""
        return Place(self, ip)

    async def turn(self, ip: IPAddress, over: asyncio.Event) -> bool:
        """Wait until nobody is there any more, but not longer than until ``over``; True for one of all who ask."""
        waiting = [asyncio.ensure_future(self._quiet(ip)), asyncio.ensure_future(over.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if self.busy[ip] or ip in self._taken:
            return False
        self._taken.add(ip)
        return True

    async def hold(self, place: "Place") -> None:
        """Note that one may hold allocations from now on, at whichever server: several addresses may be one."""
        async with self._alone:
            self._add(place)

    def let_go(self, place: "Place") -> None:
        """Note that one has given everything back."""
        self._holders.discard(place)
        self._fewer.set()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Wait until nobody holds an allocation, and let nobody take one until the block has ended."""
        async with self._alone:
            while self._holders:
                self._fewer.clear()
                await self._fewer.wait()
            yield

    def _add(self, place: "Place") -> None:
        for other in self._holders:
            other.met_others = True
        place.met_others = place.met_others or bool(self._holders)
        self._holders.add(place)

    async def _quiet(self, ip: IPAddress) -> None:
        while self.busy[ip]:
            self.changed.clear()
            await self.changed.wait()


class Place:
    """One who is at a server until it has what it needs, or has given up."""

    def __init__(self, crowd: Crowd, ip: IPAddress) -> None:
        """Take it."""
        self._crowd, self._ip, self._is_here = crowd, ip, True
        crowd.busy[ip] += 1
        self.met_others = False
        """Whether another one held allocations while this one did."""

    @property
    def is_alone(self) -> bool:
        """Whether nobody else is at this server."""
        return self._crowd.busy[self._ip] == self._is_here

    def leave(self) -> None:
        """Give it up, if that was not done before."""
        if self._is_here:
            self._is_here = False
            self._crowd.busy[self._ip] -= 1
            self._crowd.changed.set()

    async def turn(self, over: asyncio.Event) -> bool:
        """See `Crowd.turn`."""
        return await self._crowd.turn(self._ip, over)

    @contextlib.asynccontextmanager
    async def beside_others(self) -> AsyncIterator[None]:
        """Hold allocations in the block, at whose end they are given back; others may hold some, too."""
        await self._crowd.hold(self)
        try:
            yield
        finally:
            self._crowd.let_go(self)

    def alone(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Hold allocations in the block while nobody else holds any."""
        return self._crowd.alone()
