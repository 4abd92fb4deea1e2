"""Does a relay last: a trickle of data for minutes, while everything that expires is renewed as a client has to.

One leg sends on a channel, the other by permission only: a channel renews its permission, which would hide a server
that forgets permissions. When data stops, what helps tells why: a permission or a channel that the server forgot too
early, or an allocation that it does not know any more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import DataStop, Failure, RelaySoak, Upkeep
from rtcdiag.evidence.soak import Kept
from rtcdiag.net import Net
from rtcdiag.probes.connection import Path
from rtcdiag.probes.flow import new_run_id
from rtcdiag.probes.job import Record
from rtcdiag.probes.lasting_legs import LastingLegs
from rtcdiag.probes.leg import Leg
from rtcdiag.probes.packets import Packets
from rtcdiag.probes.quality import Course, connected, listen, until
from rtcdiag.probes.relay import REFRESH_S, side_by_side, succeeded
from rtcdiag.stun.request import binding_request
from rtcdiag.wires import Call, transact

PERMISSION_S, CHANNEL_S = 240.0, 540.0
"""A minute before they expire (RFC 8656 sections 9 and 12)."""
_EARLY_S = 60.0
"""How long before its end an allocation is refreshed, or half of its lifetime where that is less."""
INTERVAL_MS = 500.0
PAYLOAD_BYTES = 172
_STOPPED_MS = 3000.0
_RESUMES_S = 2.0


async def observe(path: Path, net: Net, record: Record, seconds: float) -> None:
    """Keep the relay in use for so long, and record how it went, also when cancelled."""
    async with connected(path, net, record, "soak test", one_channel=True) as legs:
        if legs is not None:
            await _Soak(path, net, legs, seconds).run(record)


@dataclass
class _Count:
    """What became of one kind of upkeep."""

    what: Kept
    done: int = 0
    fresh_nonces: int = 0
    failed: int = 0
    error_code: int | None = None
    failure: Failure | None = None
    failed_after_s: float | None = None


class _Soak:
    """Two legs that talk to each other."""

    def __init__(self, path: Path, net: Net, legs: LastingLegs, seconds: float) -> None:
        self._path, self._net, self._legs, self._seconds = path, net, legs, seconds
        a, b, *_ = legs.legs
        run_id = new_run_id()
        self._courses = [
            Course(
                Packets(number, run_id, way="round-trip", payload_bytes=PAYLOAD_BYTES, interval_ms=INTERVAL_MS), *ends
            )
            for number, ends in enumerate(((a, b), (b, a)))
        ]
        self._counts = {what: _Count(what) for what in ("allocation", "permission", "channel")}
        self._mapped: list[TransportAddress | None] = []
        self._lifetime_s: int | None = None
        self._longest_gap_ms = 0.0
        self._stop: DataStop | None = None
        self._began_ms = net.now_ms()

    async def run(self, record: Record) -> None:
        """Send and renew until the end, or until data stops for good."""
        listen(self._courses)
        try:
            self._mapped = await side_by_side(*map(self._seen_as, self._legs.legs))
            self._lifetime_s = await self._granted_s()
            await self._in_use()
        finally:
            record(self._measured())

    async def _in_use(self) -> None:
        refresh_s = (self._lifetime_s or REFRESH_S) - _EARLY_S
        refresh_s = max(1.0, refresh_s, (self._lifetime_s or REFRESH_S) / 2)
        async with asyncio.TaskGroup() as group:
            keeping = [
                group.create_task(self._keep("allocation", refresh_s, self._refreshed)),
                group.create_task(self._keep("permission", PERMISSION_S, self._permitted)),
                group.create_task(self._keep("channel", CHANNEL_S, self._bound)),
            ]
            self._stop = await self._trickle()
            for task in keeping:
                task.cancel()

    async def _trickle(self) -> DataStop | None:
        """Send both ways at even times; return how data stopped, if it did."""
        began_ms = self._net.now_ms()
        for turn in range(round(1000 * self._seconds / INTERVAL_MS)):
            await until(self._net, began_ms + turn * INTERVAL_MS)
            self._send()
            self._net.on_progress("soak", (self._net.now_ms() - began_ms) / 1000, self._seconds)
            silent = self._silent(began_ms)
            if silent is not None:
                return await self._why(silent)
        return None

    def _send(self) -> None:
        for course in self._courses:
            self._legs.send(course.sender, course.receiver, course.packets.next(self._net.now_ms()))

    def _silent(self, began_ms: float) -> Course | None:
        """Return the direction in which nothing has arrived for too long."""
        gaps_ms = [self._net.now_ms() - max(began_ms, course.packets.last_arrived_ms) for course in self._courses]
        self._longest_gap_ms = max(self._longest_gap_ms, *gaps_ms)
        return next((course for course, gap in zip(self._courses, gaps_ms, strict=True) if gap > _STOPPED_MS), None)

    async def _why(self, silent: Course) -> DataStop:
        """Try what could bring data back, from the least to the most."""
        after_s = max(0.0, silent.packets.last_arrived_ms - self._began_ms) / 1000
        now_seen = await side_by_side(*map(self._seen_as, self._legs.legs))
        refreshed = await side_by_side(*(leg.refresh(REFRESH_S) for leg in self._legs.legs))
        bad = next((call for call in refreshed if not succeeded(call)), None)
        stop = DataStop(
            after_s=round(after_s, 3),
            receiver=silent.receiver.side,
            mapping_changed=_changed(self._mapped, now_seen),
            refresh_code=_code(bad) if bad else None,
            refresh_failure=_failure(bad) if bad else None,
        )
        if bad is not None:
            return stop
        for what, renew in (("permission", self._permitted), ("channel", self._bound)):
            await renew()
            if await self._resumes(silent):
                return DataStop(
                    after_s=stop.after_s,
                    receiver=stop.receiver,
                    mapping_changed=stop.mapping_changed,
                    resumed_after="permission" if what == "permission" else "channel",
                )
        return stop

    async def _resumes(self, silent: Course) -> bool:
        received = silent.packets.received
        for _ in range(round(1000 * _RESUMES_S / INTERVAL_MS)):
            self._send()
            await asyncio.sleep(INTERVAL_MS / 1000)
        return silent.packets.received > received

    async def _keep(self, what: Kept, every_s: float, renew: Callable[[], Awaitable[list[Call]]]) -> None:
        """Renew at even times and count how it went."""
        counted = self._counts[what]
        for turn in range(1, 100_000):
            await until(self._net, self._began_ms + 1000 * every_s * turn)
            for call in await renew():
                if succeeded(call):
                    counted.done += 1
                    continue
                counted.failed += 1
                if counted.failed == 1:
                    counted.error_code, counted.failure = _code(call), _failure(call)
                    counted.failed_after_s = round((self._net.now_ms() - self._began_ms) / 1000, 3)
            counted.fresh_nonces += sum(leg.attempts > 1 for leg in self._legs.legs)

    async def _refreshed(self) -> list[Call]:
        return await side_by_side(*(leg.refresh(REFRESH_S) for leg in self._legs.legs))

    async def _permitted(self) -> list[Call]:
        a, b, *_ = self._legs.legs
        assert a.relayed is not None
        assert b.relayed is not None
        return await side_by_side(a.permit(b.relayed), b.permit(a.relayed))

    async def _bound(self) -> list[Call]:
        a, b, *_ = self._legs.legs
        assert b.relayed is not None
        return [await a.bind(self._legs.channel(a, b), b.relayed)]

    async def _seen_as(self, leg: Leg) -> TransportAddress | None:
        await self._net.pacer.turn(self._path.destination.ip)
        call = await transact(leg.wire, binding_request(), self._path.destination)
        return (call.message.xor_mapped or call.message.mapped) if call.message else None

    async def _granted_s(self) -> int | None:
        """Ask for the usual lifetime, and return the shorter of what both are granted."""
        calls = await self._refreshed()
        granted = [call.message.lifetime_s for call in calls if call.message and call.message.lifetime_s]
        return min(granted, default=None)

    def _measured(self) -> RelaySoak:
        path = self._path
        # What was sent last is not waited for.
        found = [course.packets.measured(self._net.now_ms()) for course in self._courses]
        return RelaySoak(
            t_ms=self._began_ms,
            duration_ms=self._net.now_ms() - self._began_ms,
            server=path.server.uri,
            transport=path.transport,
            destination=path.destination,
            local=self._legs.legs[0].local,
            planned_s=self._seconds,
            lasted_s=round((self._net.now_ms() - self._began_ms) / 1000, 3),
            interval_ms=INTERVAL_MS,
            lifetime_s=self._lifetime_s,
            sent=sum(one.sent for one in found),
            received=sum(one.received for one in found),
            longest_gap_s=round(self._longest_gap_ms / 1000, 3),
            upkeep=tuple(Upkeep(**vars(counted)) for counted in self._counts.values()),
            stop=self._stop,
        )


def _changed(before: list[TransportAddress | None], now: list[TransportAddress | None]) -> bool | None:
    known = [(was, seen) for was, seen in zip(before, now, strict=True) if was is not None and seen is not None]
    return any(was != seen for was, seen in known) if known else None


def _code(call: Call) -> int | None:
    return call.message.error.code if call.message and call.message.error else None


def _failure(call: Call) -> Failure | None:
    return None if call.message else call.failure or Failure.TIMEOUT
