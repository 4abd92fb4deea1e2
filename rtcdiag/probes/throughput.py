"""How much a relay carries: rates from low to high, each for a moment, from one allocation to another."""

import asyncio
from itertools import count

from rtcdiag.evidence import RateStep, RelayThroughput
from rtcdiag.net import Net
from rtcdiag.probes.connection import Path
from rtcdiag.probes.flow import new_run_id
from rtcdiag.probes.job import Record
from rtcdiag.probes.lasting_legs import LastingLegs
from rtcdiag.probes.packets import Packets
from rtcdiag.probes.quality import Course, connected, listen, until

SHARES = (0.125, 0.25, 0.5, 0.75, 1.0)
"""Of the highest rate."""
STEP_S = 2.0
"""Servers that limit the rate count by the second: a shorter step would pass in one of them."""
PAYLOAD_BYTES = 1200
_ENOUGH = 0.5
"""Where less than this share arrives, no higher rate is tried."""
_DRAIN_MS = 500.0


async def observe(path: Path, net: Net, record: Record, up_to_kbps: int) -> None:
    """Try each rate, and record what arrived, also when cancelled."""
    async with connected(path, net, record, "throughput") as legs:
        if legs is not None:
            await _Ramp(path, net, legs, up_to_kbps).run(record)


class _Ramp:
    """One relay."""

    def __init__(self, path: Path, net: Net, legs: LastingLegs, up_to_kbps: int) -> None:
        self._path, self._net, self._legs, self._up_to_kbps = path, net, legs, up_to_kbps
        self._run_id = new_run_id()
        self._steps: list[RateStep] = []

    async def run(self, record: Record) -> None:
        began_ms = self._net.now_ms()
        try:
            for number, share in enumerate(SHARES):
                self._steps.append(await self._step(number, share * self._up_to_kbps))
                self._net.on_progress("throughput", STEP_S * (number + 1), STEP_S * len(SHARES))
                if self._steps[-1].carried_kbps < _ENOUGH * self._steps[-1].offered_kbps:
                    break
        finally:
            path = self._path
            record(
                RelayThroughput(
                    t_ms=began_ms,
                    duration_ms=self._net.now_ms() - began_ms,
                    server=path.server.uri,
                    transport=path.transport,
                    destination=path.destination,
                    local=self._legs.legs[0].local,
                    up_to_kbps=self._up_to_kbps,
                    payload_bytes=PAYLOAD_BYTES,
                    steps=tuple(self._steps),
                )
            )

    async def _step(self, number: int, kbps: float) -> RateStep:
        a, b, *_ = self._legs.legs
        interval_ms = 8 * PAYLOAD_BYTES / kbps
        packets = Packets(number, self._run_id, way="round-trip", payload_bytes=PAYLOAD_BYTES, interval_ms=interval_ms)
        listen([Course(packets, a, b)])
        began_ms = self._net.now_ms()
        for turn in count():
            due_ms = began_ms + turn * interval_ms
            if due_ms >= began_ms + 1000 * STEP_S:
                break
            await until(self._net, due_ms)
            self._legs.send(a, b, packets.next(self._net.now_ms()))
        sent_for_ms = max(self._net.now_ms(), began_ms + 1000 * STEP_S) - began_ms
        await self._drained(packets)
        return _step_of(packets, began_ms, sent_for_ms)

    async def _drained(self, packets: Packets) -> None:
        """Wait for what is under way, as long as more arrives."""
        end_ms = self._net.now_ms() + 2 * self._net.options.timeout_ms
        received = -1
        while not packets.complete and received < packets.received and self._net.now_ms() < end_ms:
            received = packets.received
            await asyncio.sleep(max(_DRAIN_MS, 2 * packets.longest_trip_ms) / 1000)


def _step_of(packets: Packets, began_ms: float, sent_for_ms: float) -> RateStep:
    found = packets.measured()
    # Over TCP more can be sent than is carried: then it arrives later, and the rate is that of its arrival.
    arriving_ms = max(sent_for_ms, packets.last_arrived_ms - began_ms - (found.trip_ms.min if found.trip_ms else 0.0))
    bits = 8 * PAYLOAD_BYTES
    return RateStep(
        offered_kbps=round(bits * found.sent / sent_for_ms, 1),
        carried_kbps=round(bits * found.received / arriving_ms, 1),
        sent=found.sent,
        received=found.received,
        trip_ms=found.trip_ms,
    )
