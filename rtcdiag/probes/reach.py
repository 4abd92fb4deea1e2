"""Binding transactions beside a TURN conversation, on the same socket: does STUN answer, and how far is the server."""

import asyncio
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from rtcdiag.address import Family
from rtcdiag.evidence import Failure
from rtcdiag.probes.bindings import binding_of
from rtcdiag.probes.connection import Path, stream_limit_ms
from rtcdiag.probes.job import Record
from rtcdiag.probes.opt_in import mapped_address
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import UDP, Schedule
from rtcdiag.wires import Call, Wire, finish

SAMPLE_GAP_MS = 50.0
_PATIENCE_S = 0.15
"""Asked beside a challenge, a Binding is answered with it; where it is not, nothing is said of the way there."""
Answer: TypeAlias = "asyncio.Future[Call]"


class Reach:
    """One Binding at once; where it is answered over UDP, a few more for round-trip times."""

    def __init__(self, path: Path, wire: Wire, record: Record, samples: int) -> None:
        """Prepare; `run` sends, ``samples`` times where it is answered over UDP."""
        self.answer: Answer = asyncio.get_running_loop().create_future()
        """The first transaction, once it is finished."""
        self.over = asyncio.Event()
        """Set it when nobody waits for this server any more: until then, a late answer is still seen."""
        self._path, self._wire, self._record, self._samples = path, wire, record, samples

    async def run(self) -> None:
        """Send, and record each transaction when all are finished, so that duplicate and late answers are in it."""
        calls: list[_Sample] = []
        try:
            calls.append(await self._start())
            self.answer.set_result(await self._finish(calls[0]))
            if calls[0].call.message is None:
                await self.over.wait()
            elif self._path.transport.is_datagrams:
                async with asyncio.TaskGroup() as group:
                    for _ in range(1, self._samples):
                        calls.append(await self._start())
                        group.create_task(self._finish(calls[-1]))
                        await asyncio.sleep(SAMPLE_GAP_MS / 1000)
        finally:
            for sample in calls:
                self._keep(sample)

    async def _start(self) -> "_Sample":
        net = self._wire.net
        udp = self._path.transport.is_datagrams
        if udp:
            await net.pacer.turn(self._path.destination.ip)
        schedule = Schedule(UDP.offsets_ms, net.options.timeout_ms) if udp else Schedule((0,), stream_limit_ms(net))
        began_ms = net.now_ms()
        return _Sample(self._wire.start(binding_request(), self._path.destination, schedule=schedule), began_ms)

    async def _finish(self, sample: "_Sample") -> Call:
        try:
            return await finish(self._wire, sample.call)
        finally:
            sample.duration_ms = self._wire.net.now_ms() - sample.began_ms

    def _keep(self, sample: "_Sample") -> None:
        binding = binding_of(
            self._wire,
            sample.call,
            self._path.server,
            self._path.destination,
            began_ms=sample.began_ms,
            transport=self._path.transport,
            purpose="reach",
            socket="reach",
        )
        self._record(msgspec.structs.replace(binding, duration_ms=sample.duration_ms))


@dataclass
class _Sample:
    """A Binding transaction, when it began and how long it took."""

    call: Call
    began_ms: float
    duration_ms: float = 0.0


async def family_beyond(answer: Answer, path: Path) -> Family:
    """Return in which family the server sees this host: behind a NAT64 it is not that of the server's address here."""
    if path.destination.family is Family.IPV4:
        return Family.IPV4
    await asyncio.wait({answer}, timeout=_PATIENCE_S)
    mapped = mapped_address(answer.result()) if answer.done() else None
    return path.destination.family if mapped is None else mapped.family


async def first_heard(*calls: "asyncio.Future[Call]") -> Literal[True] | Failure:
    """Return as soon as one is answered; else, when all are finished, why one is not."""
    pending = set(calls)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if any(call.result().message is not None for call in done):
            return True
    return next((failure for call in calls if (failure := call.result().failure)), Failure.TIMEOUT)
