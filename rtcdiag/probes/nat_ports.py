"""How a NAT chooses ports: new local ports, one after another, each with one request to one server address.

The order of new mappings is what tells a NAT that counts from one that draws lots, so the requests are spaced by more
than what a network reorders. An alternate address is asked where there is one: the primary has more to answer.
"""

import asyncio

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Role
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Server

PORTS = 7
"""With the sockets of the other tests these are ten: as many as it takes to tell a rule from chance."""
GAP_MS = 15.0
_SENDS = 3


async def ports(
    sockets: Sockets,
    server: Server,
    destination: TransportAddress,
    role: Role,
    rtt_ms: float | None,
    *,
    numbers: range = range(PORTS),
) -> None:
    """Ask ``destination`` from ports that nothing was sent from before; ``numbers`` says which of them."""
    gap_ms = max(1.5 * (rtt_ms or 200.0), 100.0)
    schedule = Schedule(tuple(number * gap_ms for number in range(_SENDS)), _SENDS * gap_ms)

    async def one(number: int) -> None:
        label = f"p{number + 1}"
        await sockets.wire(label)
        await asyncio.sleep((number - numbers.start) * GAP_MS / 1000)
        await sockets.ask(label, server, "ports", destination, role=role, schedule=schedule)

    await asyncio.gather(*map(one, numbers))
