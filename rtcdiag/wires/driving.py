"""Drive transactions to their end: send what is due, and wait for the answer or for the next timer."""

import asyncio
from typing import TypeAlias

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.stun.request import Request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.wires.call import Call
from rtcdiag.wires.datagrams import UdpWire
from rtcdiag.wires.stream import StreamWire

LOOK_AGAIN_MS = 50.0
"""How often to see whether what was enough still is: what is learned meanwhile may ask for one more transmission."""

Wire: TypeAlias = UdpWire | StreamWire


async def finish(wire: Wire, call: Call) -> Call:
    """Drive a transaction until it has its answer, is refused, or is given up; then return it.

    Where it is cancelled, the transaction has failed by the run's deadline, or by the user who ended the run.
    """
    try:
        while call.failure is None and not call.transaction.is_finished(wire.net.now_ms()):
            await _step(wire, call)
    except asyncio.CancelledError:
        call.fail(wire.net.cut_off_by)
        raise
    return call


async def _step(wire: Wire, call: Call) -> None:
    """Send what is due, and wait for an answer or for the next timer."""
    transaction, now_ms = call.transaction, wire.net.now_ms
    timer = call.enough_ms()
    if timer is None:
        for data in transaction.datagrams_to_send(now_ms()):
            wire.transmit(call, data)
            call.on_sent()
        timer = transaction.next_timer()
    elif now_ms() >= timer:
        call.fail(Failure.TIMEOUT)
    else:
        timer = min(timer, now_ms() + LOOK_AGAIN_MS)
    if timer is None or call.failure is not None:
        return
    call.woken.clear()
    await until(call.woken, max(0.0, timer - now_ms()) / 1000)


async def until(event: asyncio.Event, limit_s: float) -> None:
    """Wait until somebody sets an event, or so long, after which it is set as well.

    A timer that wakes the waiter costs a fraction of a time-out that cancels it, and every transaction waits twice.
    """
    timer = asyncio.get_running_loop().call_later(limit_s, event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()


async def transact(
    wire: Wire,
    request: Request,
    destination: TransportAddress,
    *,
    expected: frozenset[TransportAddress] | None = None,
    schedule: Schedule | None = None,
) -> Call:
    """Start a transaction and drive it to its end."""
    return await finish(wire, wire.start(request, destination, expected=expected, schedule=schedule))
