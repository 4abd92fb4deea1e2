"""Hairpinning (RFC 5780 section 3.4): two sockets here send to each other's mapped address.

Both send at the same time and several times: behind a NAT that filters, the first datagram of each only opens the way
for those of the other, as with two ICE agents.
"""

import asyncio
from dataclasses import dataclass, field

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Exchange, Hairpin, HairpinEnd
from rtcdiag.net import Net
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.opt_in import Asker, Endpoint, in_each_family, mapped_address
from rtcdiag.stun.framing import Frame
from rtcdiag.stun.request import Request, binding_request
from rtcdiag.wires import Call, UdpWire

SENDS = 6
GAP_S = 0.05
MOST_SOURCES = 4
MOST_RECEIVED = 2 * SENDS


@dataclass
class _End:
    """A socket, its datagram, and what came of the other end's."""

    wire: UdpWire
    before: Call
    token: Request = field(default_factory=binding_request)
    after: Call | None = None
    sent_ms: list[float] = field(default_factory=list)
    received: int = 0
    sources: list[TransportAddress] = field(default_factory=list)

    def listen_for(self, token: Request) -> None:
        """Count the datagrams of the other end."""

        def arrived(frame: Frame, source: TransportAddress) -> None:
            if frame.data == token.data and self.received < MOST_RECEIVED:
                self.received += 1
                if source not in self.sources and len(self.sources) < MOST_SOURCES:
                    self.sources.append(source)

        self.wire.on_other = arrived

    def send_to(self, other: "_End") -> None:
        to = mapped_address(other.before)
        if to is not None:
            self.sent_ms.append(self.wire.net.now_ms())
            self.wire.send(self.token.data, to)

    def evidence(self, destination: TransportAddress) -> HairpinEnd:
        return HairpinEnd(
            local=self.wire.local_towards(destination),
            before=self.before.exchange(),
            after=_kept(self.after),
            sent_ms=tuple(self.sent_ms),
            received=self.received,
            sources=tuple(self.sources),
        )


def _kept(call: Call | None) -> Exchange | None:
    return call.exchange() if call is not None else None


async def observe(job: Job, net: Net, record: Record) -> None:
    """Try it with the mapped addresses of the first server that tells them, in each family."""
    await in_each_family(job, net, record, "hairpinning", _family)


async def _family(asker: Asker, endpoints: list[Endpoint], record: Record) -> None:
    for endpoint in endpoints:
        if await _with_server(asker, endpoint, record):
            return


async def _with_server(asker: Asker, endpoint: Endpoint, record: Record) -> bool:
    """Return whether the server told both mapped addresses."""
    server, destination = endpoint
    began_ms = asker.net.now_ms()
    wires = [await asker.open(), await asker.open()]
    calls = await asyncio.gather(*(asker.ask(wire, destination) for wire in wires))
    one, other = (_End(wire, call) for wire, call in zip(wires, calls, strict=True))
    mapped = [mapped_address(one.before), mapped_address(other.before)]
    told = None not in mapped
    if all(address is not None and address.family is destination.family for address in mapped):  # not through a NAT64
        await _meet(one, other)
        one.after, other.after = await asyncio.gather(*(asker.ask(wire, destination) for wire in wires))
    local = wires[0].local_towards(destination)
    record(
        Hairpin(
            t_ms=began_ms,
            duration_ms=asker.net.now_ms() - began_ms,
            server=server.uri,
            destination=destination,
            interface=asker.net.interface_of(local.ip) if local else None,
            ends=(one.evidence(destination), other.evidence(destination)),
        )
    )
    return told


async def _meet(one: _End, other: _End) -> None:
    """Send in both directions until both have arrived, or for a third of a second and two round trips more."""
    one.listen_for(other.token)
    other.listen_for(one.token)
    rtts_ms = [end.before.transaction.rtt_ms or 200.0 for end in (one, other)]
    for _ in range(SENDS):
        one.send_to(other)
        other.send_to(one)
        # What the server answers meanwhile was in no burst of loss.
        one.wire.repeat(one.before)
        await asyncio.sleep(GAP_S)
        if one.received and other.received:
            return
    await asyncio.sleep(max(0.2, 2 * max(rtts_ms) / 1000))
