"""What else answers at a server's address, asked where the way that its URI names fails: controls, no verdict."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rtcdiag.evidence import Failure, Observation
from rtcdiag.net import Net
from rtcdiag.net.stream import Stream
from rtcdiag.probes.bindings import control_binding
from rtcdiag.probes.connection import Path, open_stream, open_wire
from rtcdiag.probes.job import Record
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Transport

_Outcome = TypeVar("_Outcome")

HEAD_START = 0.5
"""After which part of the time-out a control starts beside what is still silent: silence costs its time once."""


async def plain_binding(path: Path, net: Net, record: Record) -> None:
    """Ask for a Binding over plain TCP on a new connection: is there STUN where UDP or TLS failed."""
    control = Path(path.server, path.destination, Transport.TCP)
    limit_ms = net.options.timeout_ms
    end_ms = net.now_ms() + limit_ms
    wire = await open_wire(control, net, record, purpose="control", limit_ms=limit_ms)
    if wire is None:
        return
    rest = Schedule((0,), max(0.0, end_ms - net.now_ms()))
    await control_binding(wire, path, Transport.TCP, record, schedule=rest)


async def tls_handshake(path: Path, net: Net, record: Record) -> None:
    """Shake hands on a new connection: is there TLS where plain STUN over TCP failed."""
    control = Path(path.server, path.destination, Transport.TLS)
    stream = await open_stream(control, net, record, purpose="control", limit_ms=net.options.timeout_ms)
    if isinstance(stream, Stream):
        stream.close()


async def checked_beside(
    main: Awaitable[_Outcome | Failure],
    check: Callable[[Record], Awaitable[None]],
    telling: frozenset[Failure],
    net: Net,
    record: Record,
) -> _Outcome | Failure:
    """Await ``main``; where it fails in one of the ways that ``check`` can explain, record what that saw.

    The check starts when ``main`` has failed, or is silent for long; it is forgotten where ``main`` succeeds after all.
    """
    seen: list[Observation] = []
    failed = asyncio.Event()
    checking = asyncio.create_task(_check_later(check, seen.append, failed, HEAD_START * net.options.timeout_ms))
    kept = True
    try:
        outcome = await main
        kept = isinstance(outcome, Failure) and outcome in telling
        if kept:
            failed.set()
            await checking
    finally:
        checking.cancel()
        await asyncio.wait({checking})
        for observation in seen if kept else ():
            record(observation)
    return outcome


async def _check_later(
    check: Callable[[Record], Awaitable[None]], record: Record, failed: asyncio.Event, head_start_ms: float
) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(head_start_ms / 1000):
            await failed.wait()
    await check(record)
