"""What the opt-in experiments share: sockets of their own, and servers on the way that peers are reached by."""

import asyncio
from collections.abc import Awaitable, Callable

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Failure, Skipped
from rtcdiag.net import Net
from rtcdiag.net.failures import failure_of
from rtcdiag.net.routes import INTERNET
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.nat_behavior import endpoints_of
from rtcdiag.stun.request import Request, binding_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Server
from rtcdiag.wires import Call, UdpWire, transact

START_S = 0.3
"""The NAT experiment begins first; of what a server may be asked in a second it gets its part."""
MOST_SERVERS = 4

Endpoint = tuple[Server, TransportAddress]


class Asker:
    """One family's transactions of one experiment, on sockets of their own."""

    def __init__(self, net: Net, family: Family) -> None:
        """Send nothing yet."""
        self.net = net
        self._family = family

    async def open(self) -> UdpWire:
        """Open a socket that no other experiment has; raise OSError."""
        return UdpWire(self.net, await self.net.udp(self._family))

    async def ask(
        self,
        wire: UdpWire,
        destination: TransportAddress,
        request: Request | None = None,
        schedule: Schedule | None = None,
    ) -> Call:
        """Run one transaction: a plain Binding unless another request is given."""
        await self.net.pacer.turn(destination.ip)
        return await transact(wire, request or binding_request(), destination, schedule=schedule)


Experiment = Callable[[Asker, list[Endpoint], Record], Awaitable[None]]


async def in_each_family(job: Job, net: Net, record: Record, what: str, experiment: Experiment) -> None:
    """Run an experiment with the servers of each family that there is a route to."""
    await asyncio.sleep(START_S)
    try:
        await asyncio.gather(*(_in(family, job, net, record, experiment) for family in net.options.families))
    except OSError as error:
        why = f"a local UDP socket could not be opened: {failure_of(error)}"
        record(Skipped(t_ms=net.now_ms(), what=what, why=why))


async def _in(family: Family, job: Job, net: Net, record: Record, experiment: Experiment) -> None:
    found = await endpoints_of(family, list(job.servers), net)
    reachable = [pair for pair in found if not isinstance(net.source_towards(pair[1].ip), Failure)]
    outside = net.interface_towards(INTERNET[family])
    # The NAT that is described is the one on the way to peers, anywhere on the internet.
    asked = [pair for pair in reachable if net.interface_towards(pair[1].ip) == outside] or reachable
    if asked:  # where nobody is, the NAT experiment says so
        await experiment(Asker(net, family), asked[:MOST_SERVERS], record)


def mapped_address(call: Call) -> TransportAddress | None:
    """Return the mapped address that a transaction told."""
    return (call.message.xor_mapped or call.message.mapped) if call.message else None
