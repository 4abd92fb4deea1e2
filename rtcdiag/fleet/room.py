"""A check that is made again where the refusal may be our own fault: too many of ours, or a port of a check before."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from rtcdiag.evidence import Allocation, Challenge, TurnStep
from rtcdiag.fleet.lanes import Lane, Lanes
from rtcdiag.fleet.lateness import Lateness
from rtcdiag.health import Try

TRIES = 12
_Tried = TypeVar("_Tried", bound=Try | None)
_NO_ROOM = (486, 508)
"""Allocation Quota Reached and Insufficient Capacity (RFC 8656 section 19)."""
_MISMATCH = 437
"""Allocation Mismatch (RFC 8656 section 7.2): coturn remembers a port for a while after it was given back."""


class Room:
    """The room that servers have for our checks."""

    def __init__(
        self, lanes: Lanes, lateness: Lateness, *, places: contextlib.AbstractAsyncContextManager[Any] | None = None
    ) -> None:
        """Take the ways to the hosts, what tells whether this program is on time, and the places for all checks."""
        self._lanes, self._lateness = lanes, lateness
        self._places = places or contextlib.nullcontext()

    async def check(
        self, host: str, attempt: Callable[[], Awaitable[_Tried]], is_over: Callable[[], bool] = lambda: False
    ) -> _Tried:
        """Check a server of a host; again with fewer beside it where it had no room, or took a port for an old one.

        Return the last attempt, which is None where there was no time for it; none is made once `is_over`.
        """
        for _ in range(TRIES):
            async with self._lanes.at(host) as lane, self._places:
                await self._lateness.on_time()
                width = lane.width
                tried = await attempt()
                if tried is None or not _is_ours(tried, lane, width) or is_over():
                    break
        return tried


def _is_ours(tried: Try, lane: Lane, width: int) -> bool:
    """Whether the refusal may come from other checks of ours; the lane is narrowed where they were too many."""
    no_room = lacked_room(tried, lane)
    if no_room:
        lane.narrow(width)
    return no_room or met_itself(tried)


def met_itself(tried: Try) -> bool:
    """Whether the server took one of our ports for one that it still knows from a check before (437)."""
    steps = tried.evidence.of(TurnStep, lambda item: isinstance(item, (Challenge, Allocation)))
    refused = {step.allocation for step in steps if _error_code(step) == _MISMATCH}
    granted = {step.allocation for step in tried.evidence.of(Allocation) if step.exchange.succeeded}
    return bool(refused - granted)


def _error_code(step: TurnStep) -> int | None:
    exchange = step.exchange if isinstance(step, (Challenge, Allocation)) else None
    return exchange.answer.error_code if exchange is not None and exchange.answer is not None else None


def lacked_room(tried: Try, lane: Lane) -> bool:
    """Whether the server refused for want of room what it may grant when less of ours is there."""
    refused = tried.evidence.of(Allocation, lambda item: _error_code(item) in _NO_ROOM)
    return bool(refused) and (lane.busy > 1 or lane.rest_s == 0.0)
