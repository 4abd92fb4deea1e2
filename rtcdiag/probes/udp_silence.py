"""Where nothing is answered over UDP: TCP to the same hosts tells whether they are up, and when the silence is proof.

Without an answer nobody knows how long to wait for one, nor how much is lost on the way. Bindings over TCP tell both,
and beside each of them everything that the host did not answer over UDP is sent once more. Where TCP got through, UDP
would have got through too, but for loss of its own, which TCP measures. What is silent then on two addresses is no
server that is down.

The round trip is that of Bindings, not of connecting: on lines by satellite something near accepts connections, but
only the server answers a Binding.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from statistics import median

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Binding, Observation, Role
from rtcdiag.nat.loss import Tally, in_time_ms, p_all_lost
from rtcdiag.nat.silence import LEAST_WAIT_MS, LIMIT
from rtcdiag.probes.alternates import valid_alternate
from rtcdiag.probes.bindings import binding_of
from rtcdiag.probes.connection import Path, open_wire
from rtcdiag.probes.job import Record
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call, Wire, finish

Endpoint = tuple[Server, TransportAddress]
_LEAST_GAP_MS, _MOST_GAP_MS = 50.0, 150.0
"""Between two Bindings over TCP, half a round trip."""


async def explain(sockets: Sockets, endpoints: list[Endpoint], record: Record, limit_ms: float) -> None:
    """Ask two hosts over TCP until UDP is answered after all, is silent for certain, or the limit is reached."""
    now_ms = sockets.net.now_ms()
    hosts = [_Beside(sockets, *endpoint, record, now_ms + limit_ms) for endpoint in _two_hosts(endpoints)]
    await asyncio.gather(*(host.run() for host in hosts))


def _two_hosts(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Return two endpoints, on different addresses where there are some."""
    first = endpoints[0]
    other = next((pair for pair in endpoints[1:] if pair[1].ip != first[1].ip), None)
    return [first, *([other] if other else endpoints[1:2])]


class _Round:
    """One Binding over TCP, and how many requests were sent over UDP beside it."""

    def __init__(self, call: Call, began_ms: float, beside: int) -> None:
        self.call, self.began_ms, self.beside = call, began_ms, beside

    @property
    def took_ms(self) -> float | None:
        """How long the answer took; None where there is none yet."""
        return self.call.transaction.rtt_ms


class _Beside:
    """One host, asked over TCP beside UDP."""

    def __init__(
        self, sockets: Sockets, server: Server, primary: TransportAddress, record: Record, end_ms: float
    ) -> None:
        self._sockets, self._server, self._primary, self._end_ms = sockets, server, primary, end_ms
        self._record, self._net = record, sockets.net
        self._seen: list[Observation] = []
        self._rounds: list[_Round] = []

    @property
    def _left_ms(self) -> float:
        return max(0.0, self._end_ms - self._net.now_ms())

    async def run(self) -> None:
        """Connect, and ask until nothing more can be learned; it is forgotten where UDP is answered after all."""
        path = Path(self._server, self._primary, Transport.TCP)
        try:
            wire = await open_wire(path, self._net, self._seen.append, purpose="control", limit_ms=self._left_ms)
            if wire is not None:
                await self._ask(wire)
        finally:
            for item in () if self._sockets.answered else self._seen:
                self._record(item)

    async def _ask(self, wire: Wire) -> None:
        try:
            first = await finish(wire, await self._round(wire))
            other = valid_alternate(first.message.other_address, self._primary) if first.message else None
            asking = [] if other is None else [self._alternate(await self._socket(), other)]
            if first.message is not None:
                await asyncio.gather(self._in_time(self._prove(wire)), *asking)
        finally:
            # Of those after the first, what is not answered was not waited for.
            answered = [item for item in self._rounds[1:] if item.took_ms is not None]
            self._seen += [self._binding(wire, item) for item in self._rounds[:1] + answered]
            wire.close()

    async def _socket(self) -> str:
        label = f"u{self._server.uri}"
        await self._sockets.wire(label)
        return label

    async def _alternate(self, label: str, other: TransportAddress) -> None:
        schedule = Schedule((0, 100, 300, 700), self._sockets.end_ms)
        role: Role = "alternate-address-and-port"
        await self._sockets.ask(label, self._server, "control", other, role=role, schedule=schedule)

    async def _in_time(self, proving: Coroutine[None, None, None]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._left_ms / 1000):
                await proving

    async def _prove(self, wire: Wire) -> None:
        """Send again over both, until silence is proof, and end the wait for UDP when it has been long enough."""
        while self._is_open and not self._is_proof:
            await self._round(wire)
            await asyncio.sleep(min(max(self._usual_ms / 2, _LEAST_GAP_MS), _MOST_GAP_MS) / 1000)
        if self._is_proof:
            until_ms = self._rounds[-1].began_ms + max(3 * self._usual_ms, 2 * LEAST_WAIT_MS)
            await asyncio.sleep((until_ms - self._net.now_ms()) / 1000)
            if not self._sockets.answered:
                self._sockets.give_up()

    @property
    def _is_open(self) -> bool:
        """Whether there is a question still: nothing answered, and something unanswered."""
        return not self._sockets.answered and self._sockets.is_waiting(self._server)

    async def _round(self, wire: Wire) -> Call:
        await self._net.pacer.turn(self._primary.ip, kept=True)
        call = wire.start(binding_request(), self._primary, schedule=Schedule((0,), self._left_ms))
        now_ms = self._net.now_ms()
        for data in call.transaction.datagrams_to_send(now_ms):
            wire.transmit(call, data)
        self._rounds.append(_Round(call, now_ms, self._sockets.again(self._server)))
        return call

    @property
    def _usual_ms(self) -> float:
        return median([item.took_ms for item in self._rounds if item.took_ms is not None] or [0.0])

    @property
    def _is_proof(self) -> bool:
        """Whether loss, as TCP shows it, cannot have swallowed all that was sent beside what got through."""
        lost, beside = self._measured()
        return p_all_lost(lost, beside) < LIMIT

    def _measured(self) -> tuple[Tally, int]:
        """Return how many Bindings over TCP were lost and how many got through, and what was sent beside the latter.

        TCP sends again what was lost, so that it comes late.
        """
        soon_ms, now_ms = in_time_ms(self._usual_ms), self._net.now_ms()
        through = [item for item in self._rounds if item.took_ms is not None and item.took_ms <= soon_ms]
        lost = sum(item not in through and item.began_ms + soon_ms < now_ms for item in self._rounds)
        return (lost, len(through)), sum(item.beside for item in through)

    def _binding(self, wire: Wire, item: _Round) -> Binding:
        found = binding_of(
            wire,
            item.call,
            self._server,
            self._primary,
            began_ms=item.began_ms,
            transport=Transport.TCP,
            purpose="control",
            socket="control",
        )
        return found if item.took_ms is None else msgspec.structs.replace(found, duration_ms=item.took_ms)
