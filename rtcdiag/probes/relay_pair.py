"""Two allocations of one TURN server, at one IP address where it gives such: two relays that test a filter."""

import asyncio
from collections.abc import Sequence

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Connect, Failure, Observation, TlsHandshake, VantagePoint
from rtcdiag.evidence.turn import Side
from rtcdiag.evidence.vantage import VantageOutcome
from rtcdiag.net import Net
from rtcdiag.probes.connection import Path, open_wire
from rtcdiag.probes.job import Record
from rtcdiag.probes.leg import Leg
from rtcdiag.probes.relay import may_be_sent_to, side_by_side, succeeded
from rtcdiag.wires import Call, Wire

HEAD_START = 0.3
"""After which part of the time-out the next URI of the same host is tried beside one that is silent."""


class RelayPair:
    """The allocations of one host, whichever of its URIs grants them first; `release` them whatever happens."""

    def __init__(self, paths: Sequence[Path], net: Net, record: Record) -> None:
        """Take the ways to the host, the preferred first."""
        self._paths, self._net, self._record = paths, net, record
        self._legs: list[Leg] = []
        self._wires: list[Wire] = []

    async def allocate(self) -> list[Leg]:
        """Return two allocations whose relays share an IP address; one where there are no such; else none."""
        trying: list[asyncio.Task[list[Leg]]] = []
        try:
            for path in self._paths:
                trying.append(asyncio.create_task(self._pair(path)))
                head_start_s = HEAD_START * self._net.options.timeout_ms / 1000
                last = path is self._paths[-1]
                legs = await _first_granted(trying, None if last else head_start_s)
                if legs:
                    return legs
            return []
        finally:
            for task in trying:
                task.cancel()
            if trying:
                await asyncio.wait(trying)

    async def beside(self, path: Path) -> Leg | None:
        """Return one more allocation, perhaps over another path."""
        return await self._granted(path, "b")

    async def release(self, *, hurry: bool) -> None:
        """Give every allocation back."""
        await side_by_side(*(leg.release(hurry=hurry) for leg in self._legs))

    def close(self) -> None:
        """Close what carried them."""
        for wire in self._wires:
            wire.close()

    async def _pair(self, path: Path) -> list[Leg]:
        found = [leg for leg in await side_by_side(self._granted(path, "a"), self._granted(path, "b")) if leg]
        if len(found) == 2 and _ip(found[0]) != _ip(found[1]):
            # A server with several addresses for relays takes them in turn.
            third = await self._granted(path, "b")
            found = next(([leg, third] for leg in found if third and _ip(leg) == _ip(third)), found[:1])
        return found

    async def _granted(self, path: Path, side: Side) -> Leg | None:
        """Return an allocation that may be used, or record why there is none."""
        began_ms = self._net.now_ms()
        seen: list[Observation] = []
        wire = await open_wire(path, self._net, seen.append)
        if wire is None:
            self._failed(path, began_ms, "unreachable", failure=_failure(seen))
            return None
        self._wires.append(wire)
        leg = Leg(path, side, wire, seen.append)
        self._legs.append(leg)
        call = await leg.challenge()
        if leg.authenticates:
            call = await leg.allocate(path.destination.family)
        why = _why_not(leg, call)
        if why is None:
            return leg
        code = call.message.error.code if call.message and call.message.error else None
        failure = None if call.message else call.failure or Failure.TIMEOUT
        self._failed(path, began_ms, why, relayed=leg.relayed, error_code=code, failure=failure)
        return None

    def _failed(
        self,
        path: Path,
        began_ms: float,
        outcome: VantageOutcome,
        *,
        relayed: TransportAddress | None = None,
        error_code: int | None = None,
        failure: Failure | None = None,
    ) -> None:
        self._record(point(path, began_ms, self._net, outcome, relayed=relayed, error_code=error_code, failure=failure))


def point(
    path: Path,
    began_ms: float,
    net: Net,
    outcome: VantageOutcome,
    *,
    relayed: TransportAddress | None = None,
    error_code: int | None = None,
    failure: Failure | None = None,
) -> VantagePoint:
    """Return what a report keeps of an allocation."""
    return VantagePoint(
        t_ms=began_ms,
        duration_ms=net.now_ms() - began_ms,
        server=path.server.uri,
        transport=path.transport,
        destination=path.destination,
        relayed=relayed,
        outcome=outcome,
        error_code=error_code,
        failure=failure,
    )


async def _first_granted(trying: Sequence["asyncio.Task[list[Leg]]"], timeout_s: float | None) -> list[Leg]:
    """Return the first allocations that any of them gets, none where all fail or time is up."""
    end_s = None if timeout_s is None else asyncio.get_running_loop().time() + timeout_s
    pending = {task for task in trying if not task.done()}
    while pending:
        left_s = None if end_s is None else max(0.0, end_s - asyncio.get_running_loop().time())
        done, pending = await asyncio.wait(pending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return []
        granted = next((task.result() for task in done if task.result()), None)
        if granted:
            return granted
    return []


def _why_not(leg: Leg, call: Call) -> VantageOutcome | None:
    if call.message is None:
        return "unreachable"
    if not succeeded(call):
        return "refused"
    if leg.relayed is None:
        return "no-relayed-address"
    return None if may_be_sent_to(leg.relayed, leg.path.destination) else "implausible-relayed-address"


def _ip(leg: Leg) -> object:
    return leg.relayed.ip if leg.relayed else None


def _failure(seen: Sequence[Observation]) -> Failure | None:
    """Return why no connection came about."""
    failures = (item.failure for item in seen if isinstance(item, (Connect, TlsHandshake)))
    return next((failure for failure in failures if failure), None)
