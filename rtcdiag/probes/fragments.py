"""Whether datagrams that are cut into IP fragments get through (RFC 5780 sections 3.5 and 4), and which need not be.

A request is made long by SOFTWARE attributes, which every server passes over; its answer is short. An answer is made
long by PADDING, which only some servers do (section 7.6).
"""

import asyncio
from dataclasses import dataclass

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import SizedBinding, SizeTest
from rtcdiag.net import Net
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.opt_in import Asker, Endpoint, in_each_family, mapped_address
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.request import Request, binding_request
from rtcdiag.stun.transaction import UDP, Schedule
from rtcdiag.targets import Server
from rtcdiag.wires import Call, UdpWire

SERVERS = 2
LONG = 1200
"""Fits every link (IPv6 asks for 1280 bytes at least)."""
FRAGMENTED = 1700
"""Fits no Ethernet: two fragments."""
UNFRAGMENTED = (1280, 1380, 1400, 1420, 1460, 1480, 1492, 1500)
"""Of usual links: Ethernet, PPPoE, tunnels, VPNs."""
PADDING_BYTES = 1600
PERSISTENT = Schedule(tuple(120.0 * number for number in range(9)), 1500.0)
"""Two fragments are lost more often than one packet."""
HEADERS = {Family.IPV4: 28, Family.IPV6: 48}
"""IP and UDP."""
_SOFTWARE_BYTES = 124
"""Fewer than 128 characters (RFC 8489 section 14.14)."""


def long_request(packet_bytes: int, family: Family) -> Request:
    """Return a Binding request that is one IP packet of this size, a multiple of four."""
    room = packet_bytes - HEADERS[family] - len(binding_request().data)
    whole, rest = divmod(room, _SOFTWARE_BYTES + 4)
    texts = [" " * _SOFTWARE_BYTES] * whole + ([" " * (rest - 4)] if rest else [])
    return binding_request(attributes=[(AttributeType.SOFTWARE, text) for text in texts])


@dataclass
class _Trial:
    """One server, and the socket that it is asked from."""

    asker: Asker
    server: Server
    destination: TransportAddress
    record: Record

    async def ask(self, wire: UdpWire, test: SizeTest, request: Request, schedule: Schedule = UDP) -> Call:
        """Run one transaction and record it."""
        net, local = self.asker.net, wire.local_towards(self.destination)
        began_ms = net.now_ms()
        call = await self.asker.ask(wire, self.destination, request, schedule)
        self.record(
            SizedBinding(
                t_ms=began_ms,
                duration_ms=net.now_ms() - began_ms,
                server=self.server.uri,
                destination=self.destination,
                local=local,
                interface=net.interface_of(local.ip) if local else None,
                test=test,
                packet_bytes=len(request.data) + HEADERS[self.destination.family],
                exchange=call.exchange(),
            )
        )
        return call

    async def first(self, wire: UdpWire) -> Call:
        """Ask what has to work before anything else can be told."""
        return await self.ask(wire, "long", long_request(LONG, self.destination.family))

    async def fragments(self, wire: UdpWire, first: Call) -> None:
        """Ask for everything that is cut, and for what tells who is to blame where it gets lost."""
        mapped = mapped_address(first)
        refused = [(AttributeType.PADDING, bytes(16)), (AttributeType.RESPONSE_PORT, mapped.port if mapped else 0)]
        await asyncio.gather(
            self.ask(wire, "long-fragmented", long_request(FRAGMENTED, self.destination.family), PERSISTENT),
            self.ask(wire, "padding-refused", binding_request(attributes=refused)),
            self.ask(wire, "padding", _padded(16), PERSISTENT),
            self.ask(wire, "padding-fragmented", _padded(PADDING_BYTES), PERSISTENT),
        )

    async def unfragmented(self) -> None:
        """Find the largest packet that needs no cutting. A socket each: an ICMP error ends all that is open on one."""
        wires = [await self.asker.open() for _ in UNFRAGMENTED]
        if not all(wire.forbid_fragments() for wire in wires):
            return
        requests = [long_request(packet_bytes, self.destination.family) for packet_bytes in UNFRAGMENTED]
        pairs = zip(wires, requests, strict=True)
        await asyncio.gather(*(self.ask(wire, "unfragmented", request) for wire, request in pairs))


def _padded(padding_bytes: int) -> Request:
    return binding_request(attributes=[(AttributeType.PADDING, bytes(padding_bytes))])


async def observe(job: Job, net: Net, record: Record) -> None:
    """Ask two servers in each family, those first that may do PADDING."""
    await in_each_family(job, net, record, "fragments", _family)


async def _family(asker: Asker, endpoints: list[Endpoint], record: Record) -> None:
    trials = [(_Trial(asker, *endpoint, record), await asker.open()) for endpoint in endpoints]
    firsts = await asyncio.gather(*(trial.first(wire) for trial, wire in trials))
    answered = [(trial, wire, call) for (trial, wire), call in zip(trials, firsts, strict=True) if call.message]
    # A server with OTHER-ADDRESS does RFC 5780, and so it may do PADDING.
    able = sorted(answered, key=lambda item: not (item[2].message and item[2].message.other_address))[:SERVERS]
    largest = [able[0][0].unfragmented()] if able else []
    await asyncio.gather(*(trial.fragments(wire, call) for trial, wire, call in able), *largest)
