"""How good a relay is for calls: packets at the rate of a voice call, from one allocation through the relay to another.

Both ends are here, so a packet's trip is a round trip between this computer and the relay. To tell the two ways apart,
one leg more runs over TCP, which loses nothing: from UDP to TCP only the way up can lose, from TCP to UDP only the way
down. Its times are not used, because TCP makes all wait for one that was lost.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import NamedTuple

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import RelayQuality, Skipped
from rtcdiag.evidence.quality import Way
from rtcdiag.net import Net
from rtcdiag.probes.connection import Path
from rtcdiag.probes.flow import new_run_id
from rtcdiag.probes.job import Record
from rtcdiag.probes.lasting_legs import LastingLegs
from rtcdiag.probes.leg import Leg, to_the_end
from rtcdiag.probes.packets import Packets, spread
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Transport
from rtcdiag.wires import Call, finish

INTERVAL_MS = 20.0
SIZES = (172, 1200)
"""20 ms of G.711 with its RTP header (RFC 3551 section 4.5.14), and what video and DTLS fill a packet with."""
_BINDING_MS = 250.0
_TAIL_MS = 1000.0
"""How long what is missing is waited for at least; or twice the longest trip, where that is longer."""
_PROGRESS_MS = 250.0


class Course(NamedTuple):
    """A stream and its two ends."""

    packets: Packets
    sender: Leg
    receiver: Leg


async def observe(path: Path, net: Net, record: Record, seconds: float) -> None:
    """Send for so many seconds through one server at one address, and record what arrived, also when cancelled."""
    async with connected(path, net, record, "quality", reference=path.transport is Transport.UDP) as legs:
        if legs is not None:
            await _Measurement(path, net, legs, seconds).run(record)


@contextlib.asynccontextmanager
async def connected(
    path: Path, net: Net, record: Record, what: str, *, reference: bool = False, one_channel: bool = False
) -> AsyncIterator[LastingLegs | None]:
    """Give legs that reach each other, and release them at the end; None, and a word why, where there are none."""
    began_ms, legs = net.now_ms(), LastingLegs(path, net)
    try:
        why = await legs.open(reference=reference, one_channel=one_channel)
        if why is not None:
            record(Skipped(t_ms=began_ms, what=f"{what} of {path.server.uri} at {path.destination}", why=why))
        yield legs if why is None else None
        await to_the_end(legs.release(hurry=False))
    finally:
        await to_the_end(legs.release(hurry=True))
        legs.close()


class _Measurement:
    """All streams of one path, side by side."""

    def __init__(self, path: Path, net: Net, legs: LastingLegs, seconds: float) -> None:
        self._path, self._net, self._legs, self._seconds = path, net, legs, seconds
        self._courses = _courses(legs)
        self._bindings: list[Call] = []
        self._lateness_ms: list[float] = []

    async def run(self, record: Record) -> None:
        """Send, wait for the rest, and record."""
        began_ms, cut_ms = self._net.now_ms(), None
        listen(self._courses)
        try:
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(self._ask())
                await self._send(began_ms)
                await self._rest()
                asking.cancel()
        except asyncio.CancelledError:
            cut_ms = self._net.now_ms()
            raise
        finally:
            record(self._measured(began_ms, cut_ms))

    async def _send(self, began_ms: float) -> None:
        """Send each packet at its own time after the beginning, so that no delay adds up."""
        told_ms = began_ms
        apart_ms = INTERVAL_MS / len(self._courses)
        for turn in range(round(1000 * self._seconds / INTERVAL_MS)):
            for place, course in enumerate(self._courses):
                due_ms = began_ms + turn * INTERVAL_MS + place * apart_ms
                await until(self._net, due_ms)
                self._lateness_ms.append(self._net.now_ms() - due_ms)
                self._legs.send(course.sender, course.receiver, course.packets.next(self._net.now_ms()))
            if self._net.now_ms() >= told_ms + _PROGRESS_MS:
                told_ms = self._net.now_ms()
                self._net.on_progress("quality", (told_ms - began_ms) / 1000, self._seconds)

    async def _rest(self) -> None:
        """Wait for what is under way: over TCP, which repeats what gets lost, until the last one is there."""
        began_ms, limit_ms = self._net.now_ms(), self._net.options.timeout_ms
        while not all(course.packets.complete for course in self._courses):
            over_ms = self._net.now_ms() - began_ms
            longest_ms = max(course.packets.longest_trip_ms for course in self._courses)
            enough_ms = min(max(_TAIL_MS, 2 * longest_ms), limit_ms)
            ended = all(course.packets.ended for course in self._courses if course.packets.way != "round-trip")
            if over_ms >= enough_ms and (ended or over_ms >= 2 * limit_ms):
                break
            await asyncio.sleep(INTERVAL_MS / 1000)

    async def _ask(self) -> None:
        """Ask for Bindings all the while: the way to the server itself, without its relay."""
        wire, destination = self._legs.legs[0].wire, self._path.destination
        once = Schedule((0,), self._net.options.timeout_ms)
        async with asyncio.TaskGroup() as group:
            while True:
                await self._net.pacer.turn(destination.ip)
                self._bindings.append(wire.start(binding_request(), destination, schedule=once))
                group.create_task(finish(wire, self._bindings[-1]))
                await asyncio.sleep(_BINDING_MS / 1000)

    def _measured(self, began_ms: float, cut_ms: float | None) -> RelayQuality:
        path, legs = self._path, self._legs
        times = [call.exchange().rtt_ms for call in self._bindings]
        asked = [call for call in self._bindings if call.message is not None or call.failure is None]
        has_reference = len(legs.legs) > 2
        return RelayQuality(
            t_ms=began_ms,
            duration_ms=self._net.now_ms() - began_ms,
            server=path.server.uri,
            transport=path.transport,
            destination=path.destination,
            local=legs.legs[0].local,
            planned_s=self._seconds,
            streams=tuple(course.packets.measured(cut_ms) for course in self._courses),
            reference=Transport.TCP if has_reference else None,
            round_trip_only="" if has_reference else _why(path, legs),
            direct_ms=tuple(round(time, 3) for time in times if time is not None),
            direct_sent=len(asked),
            pacing_ms=spread(self._lateness_ms),
        )


def _why(path: Path, legs: LastingLegs) -> str:
    if path.transport is not Transport.UDP:
        return f"over {path.transport.upper()} nothing gets lost on the way"
    return legs.why_no_reference


def _courses(legs: LastingLegs) -> list[Course]:
    """Return both sizes there and back, and the smaller one each way where there is a leg over TCP."""
    a, b, *more = legs.legs
    ways: list[tuple[Way, int, Leg, Leg]] = [("round-trip", size, a, b) for size in SIZES]
    for c in more:
        ways += [("up", SIZES[0], b, c), ("down", SIZES[0], c, b)]
    run_id = new_run_id()
    return [
        Course(Packets(number, run_id, way=way, payload_bytes=size, interval_ms=INTERVAL_MS), sender, receiver)
        for number, (way, size, sender, receiver) in enumerate(ways)
    ]


def listen(courses: list[Course]) -> None:
    """Give what each leg receives to the streams that end there."""
    for leg in dict.fromkeys(course.receiver for course in courses):
        leg.on_data = partial(_receive, leg, [course.packets for course in courses if course.receiver is leg])


def _receive(leg: Leg, ending: list[Packets], data: bytes, _peer: TransportAddress) -> None:
    any(packets.receive(data, leg.wire.heard_ms()) for packets in ending)


async def until(net: Net, due_ms: float) -> None:
    """Wait for a moment of the run's clock."""
    left_ms = due_ms - net.now_ms()
    if left_ms > 0:
        await asyncio.sleep(left_ms / 1000)
