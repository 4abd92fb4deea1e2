"""Experiments that may run beside each other, and those that must have the line for themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Quiet:
    """Any number of those that share, or one alone."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._sharing = 0
        self._alone = asyncio.Lock()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Wait until nobody wants to be alone, and be one of several."""
        async with self._alone:
            self._sharing += 1
        try:
            yield
        finally:
            self._sharing -= 1
            await self._tell()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Wait until everybody else has ended, and keep out who comes."""
        async with self._alone:
            async with self._changed:
                await self._changed.wait_for(lambda: self._sharing == 0)
            yield

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
