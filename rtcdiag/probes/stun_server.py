"""Does a STUN server answer: each resolved address by itself, over the URI's transport, with several samples."""

import asyncio
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure, Observation
from rtcdiag.net import Net
from rtcdiag.probes.bindings import binding_of
from rtcdiag.probes.connection import Path, open_wire
from rtcdiag.probes.cross_check import checked_beside, plain_binding
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.tls_trials import tell_silence, tried_beside, try_old_versions
from rtcdiag.stun.request import binding_request
from rtcdiag.targets import Transport
from rtcdiag.wires import Call, Wire, finish

SAMPLE_GAP_MS = 100.0
_TLS_RIDDLES = frozenset(
    {
        Failure.TLS_NOT_SPOKEN,
        Failure.CONNECTION_CLOSED,
        Failure.CONNECTION_RESET,
        Failure.TIMEOUT,
        Failure.NOT_STUN,
    }
)
"""Ways in which TLS fails on a port that speaks plain STUN."""


async def observe(job: Job, net: Net, record: Record) -> None:
    """Ask one STUN server; one over UDP is asked over TCP too, which tells a blocked UDP from a dead server."""
    (server,) = job.servers
    addresses = [TransportAddress(ip, server.port) for ip in await net.resolve(server.host)]
    samples = max(1, job.samples or net.options.samples)
    paths = [Path(server, address, server.transport) for address in addresses]
    await asyncio.gather(*(_address(path, samples, net, record) for path in paths))


async def _address(path: Path, samples: int, net: Net, record: Record) -> None:
    reaching = _reach(path, samples, net, record)
    if path.transport is Transport.UDP:
        await asyncio.gather(reaching, plain_binding(path, net, record))
    else:
        await checked_beside(reaching, partial(tell_silence, path, net), _TLS_RIDDLES, net, record)


async def _reach(path: Path, count: int, net: Net, record: Record) -> Failure | None:
    """Open a wire and take the samples; return why there is no answer, None where there is one."""
    way: list[Observation] = []

    def note(step: Observation) -> None:
        way.append(step)
        record(step)

    wire = await open_wire(path, net, note, port=net.options.port)
    if wire is None:
        failure = getattr(way[-1], "failure", None) or Failure.ADDRESS_UNAVAILABLE
        if failure is Failure.TLS_PROTOCOL_VERSION:
            await try_old_versions(path, net, record)
        return failure
    samples = [_Sample(number) for number in range(count)]
    try:
        async with tried_beside(path, net, record):
            await asyncio.gather(*(sample.take(path, wire) for sample in samples))
    finally:
        # Not before the last one is over, so that late and repeated answers are in.
        for sample in samples:
            sample.keep(path, wire, record)
        wire.close()
    calls = [sample.call for sample in samples if sample.call is not None]
    return None if any(call.message for call in calls) else calls[0].failure or Failure.TIMEOUT


@dataclass
class _Sample:
    """One Binding transaction out of several."""

    number: int
    call: Call | None = None
    began_ms: float = 0.0
    duration_ms: float = 0.0

    async def take(self, path: Path, wire: Wire) -> None:
        """Ask when its turn has come."""
        await asyncio.sleep(self.number * SAMPLE_GAP_MS / 1000)
        if path.transport is Transport.UDP:
            await wire.net.pacer.turn(path.destination.ip)
        self.began_ms = wire.net.now_ms()
        self.call = wire.start(binding_request(), path.destination)
        try:
            await finish(wire, self.call)
        finally:
            self.duration_ms = wire.net.now_ms() - self.began_ms

    def keep(self, path: Path, wire: Wire, record: Record) -> None:
        """Record it, if it was begun."""
        if self.call is None:
            return
        binding = binding_of(
            wire,
            self.call,
            path.server,
            path.destination,
            began_ms=self.began_ms,
            transport=path.transport,
            purpose="reach",
            socket="reach",
        )
        record(replace(binding, duration_ms=self.duration_ms))
