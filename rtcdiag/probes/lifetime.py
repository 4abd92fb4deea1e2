"""How long a mapping lives without traffic (RFC 5780 sections 3.3 and 4.6): every silence side by side.

Each silence has a socket of its own. Its mapping first carries packets both ways for two seconds, as a call does: many
NATs give a mapping a longer life once it has (Linux: 120 s instead of 30 s). After the silence a server is asked, from
another socket, to send an answer to the mapped port (RESPONSE-PORT), and at the same time to one that was just made.
In the end the same socket asks once more: another mapped address proves that the old mapping was gone.
"""

import asyncio
from dataclasses import dataclass, field

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import IdleMapping, Inward
from rtcdiag.net import Net
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.opt_in import Asker, Endpoint, in_each_family, mapped_address
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.framing import Frame
from rtcdiag.stun.header import HEADER_BYTES
from rtcdiag.stun.request import binding_request
from rtcdiag.targets import Server
from rtcdiag.wires import Call, UdpWire

USUAL_S = (16.0, 28.0, 43.0, 58.0, 88.0, 118.0, 178.0, 298.0)
"""Two seconds less than usual lifetimes (30, 60, 120, …); the first is just over ICE's 15 s (RFC 8445 section 11)."""
PARTS = (0.125, 0.25, 0.375, 0.5, 0.75, 1.0)
"""Of the longest silence, where that is too short for the usual ones."""
WARM_S = 2.1
"""Linux takes a mapping for a stream where packets go both ways two seconds after the first."""
SENDS = 7
GAP_S = 0.15
MOST_ARRIVALS = 2 * SENDS


def silences(up_to_s: float) -> tuple[float, ...]:
    """Return the silences to try, in seconds: usual ones, or parts of a short longest one."""
    usual = tuple(silence_s for silence_s in USUAL_S if silence_s <= up_to_s)
    if len(usual) < 4:
        return tuple(round(up_to_s * part, 2) for part in PARTS)
    return usual if up_to_s < 1.2 * usual[-1] else (*usual, up_to_s)


@dataclass
class _Probe:
    """A request for an answer to the port of a mapping, and when answers came there."""

    port: int
    call: Call
    arrived_ms: list[float] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be learned: it arrived, or the server refused, or ignores what was asked."""
        return bool(self.arrived_ms) or self.call.message is not None

    def evidence(self) -> Inward:
        return Inward(port=self.port, exchange=self.call.exchange(), arrived_ms=tuple(self.arrived_ms))


@dataclass
class _Trial:
    """A server, whether it sends answers to other ports, and the socket that asks it to."""

    asker: Asker
    server: Server
    destination: TransportAddress
    prober: UdpWire
    rtt_ms: float = 200.0
    does_response_port: bool = False
    answers: bool = False

    async def control(self, record: Record) -> None:
        """Learn whether an answer comes to a mapping that was just made."""
        began_ms = self.asker.net.now_ms()
        target = await self.asker.open()
        first = await self.asker.ask(target, self.destination)
        (aged,) = await self.inward((target, first))
        self.answers = mapped_address(first) is not None
        self.does_response_port = aged is not None and bool(aged.arrived_ms)
        record(self._evidence(target, 0.0, began_ms, (first,), aged=aged))

    async def idle(self, idle_s: float, record: Record) -> None:
        """Make a mapping, leave it alone for so long, and look whether it is still there."""
        began_ms = self.asker.net.now_ms()
        target = await self.asker.open()
        first = await self.asker.ask(target, self.destination)
        await asyncio.sleep(WARM_S)
        last = await self.asker.ask(target, self.destination)
        await asyncio.sleep(idle_s)
        aged, fresh, control = None, None, None
        if self.does_response_port:
            young = await self.asker.open()
            control = await self.asker.ask(young, self.destination)
            aged, fresh = await self.inward((target, last), (young, control))
        after = await self.asker.ask(target, self.destination)
        record(
            self._evidence(
                target, idle_s, began_ms, (first, last), aged=aged, fresh=fresh, control=control, after=after
            )
        )

    async def inward(self, *targets: tuple[UdpWire, Call]) -> tuple[Inward | None, ...]:
        """Ask for answers to the ports of mappings, side by side, until one came to the first; None where not known.

        As long as the first is silent the others go on: what gets through to them beside it excludes a burst of loss.
        """
        probes = [await self._probe(wire, made_by) for wire, made_by in targets]
        known = [probe for probe in probes if probe is not None]
        if len(known) == len(probes):
            await self._send(known)
        return tuple(probe.evidence() if probe is not None else None for probe in probes)

    async def _send(self, probes: list[_Probe]) -> None:
        for _ in range(SENDS):
            for probe in probes:
                self.prober.repeat(probe.call)
            await asyncio.sleep(GAP_S)
            if probes[0].is_over:
                return
        await asyncio.sleep(max(0.25, 3 * self.rtt_ms / 1000))

    async def _probe(self, target: UdpWire, made_by: Call) -> _Probe | None:
        mapped = mapped_address(made_by)
        if mapped is None:
            return None
        self.rtt_ms = made_by.transaction.rtt_ms or self.rtt_ms
        await self.asker.net.pacer.turn(self.destination.ip)
        request = binding_request(attributes=[(AttributeType.RESPONSE_PORT, mapped.port)])
        probe = _Probe(mapped.port, self.prober.start(request, self.destination))

        def arrived(frame: Frame, source: TransportAddress) -> None:
            mine = frame.data[8:HEADER_BYTES] == request.transaction_id and source == self.destination
            if mine and len(probe.arrived_ms) < MOST_ARRIVALS:
                probe.arrived_ms.append(self.asker.net.now_ms())

        target.on_other = arrived
        return probe

    def _evidence(
        self,
        target: UdpWire,
        idle_s: float,
        began_ms: float,
        before: tuple[Call, ...],
        *,
        aged: Inward | None,
        fresh: Inward | None = None,
        control: Call | None = None,
        after: Call | None = None,
    ) -> IdleMapping:
        net, local = self.asker.net, target.local_towards(self.destination)
        return IdleMapping(
            t_ms=began_ms,
            duration_ms=net.now_ms() - began_ms,
            server=self.server.uri,
            destination=self.destination,
            local=local,
            interface=net.interface_of(local.ip) if local else None,
            idle_s=idle_s,
            before=tuple(call.exchange() for call in before),
            aged=aged,
            fresh=fresh,
            fresh_before=control.exchange() if control else None,
            after=after.exchange() if after else None,
        )


async def observe(job: Job, net: Net, record: Record) -> None:
    """Try all silences side by side, with one server in each family."""
    await in_each_family(job, net, record, "mapping lifetime", _family)


async def _family(asker: Asker, endpoints: list[Endpoint], record: Record) -> None:
    trials = [_Trial(asker, *endpoint, await asker.open()) for endpoint in endpoints]
    await asyncio.gather(*(trial.control(record) for trial in trials))
    able = [trial for trial in trials if trial.does_response_port] or [trial for trial in trials if trial.answers]
    up_to_s = asker.net.options.lifetime_up_to_s
    if able and up_to_s is not None:
        await asyncio.gather(*(able[0].idle(idle_s, record) for idle_s in silences(up_to_s)))
