"""Mapping and filtering behavior by RFC 5780, on sockets that never mix the two.

Per family: ``m1`` asks every server, and the alternate addresses of those that have them (section 4.3). RFC 5780
servers get a filtering socket ``fa``, ``fb`` each, which sends to nothing but the server's primary address (section
4.4), and a control socket ``ca``, ``cb``, which first opens the NAT towards the alternates and then asks for the same
changed answers: what the control gets, the server can send. Beside them ``p1`` and so on ask the first server that
answers from one new port after another.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from ipaddress import ip_network

import msgspec

from rtcdiag.address import Family, IPAddress, TransportAddress, family_of
from rtcdiag.contacts import second_port
from rtcdiag.evidence import Failure, Role, Skipped
from rtcdiag.net import Net
from rtcdiag.net.failures import failure_of
from rtcdiag.net.routes import INTERNET
from rtcdiag.probes.alternates import alternate_of
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.nat_claims import check, differ
from rtcdiag.probes.nat_filtering import PLACES, Rfc5780, filtering
from rtcdiag.probes.nat_ports import PORTS, ports
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.stun.transaction import Schedule
from rtcdiag.synthesis import CONTINUITY
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call

_CONTINUITY = ip_network(CONTINUITY)
MOST_SERVERS = 8
"""How many servers the mapping socket asks; more add nothing but traffic."""
FILTER_SERVERS = 2
"""How many RFC 5780 servers are asked for filtering: two operators that agree."""
FIRST_MS = (0.0, 100.0, 200.0, 300.0, 400.0, 600.0, 800.0, 1000.0, 1300.0, 1600.0)
"""When a server is asked whose distance is not known; more often than ``UDP``, for all else waits for the answer."""

PATIENCE = 0.25
"""After which part of the time-out of one transaction silence is to be explained: TCP that loses its first packet sends
it again after a second, and the answer has to be here in time."""
GRACE_MS = 200.0
"""How much longer than one transaction all of them may take."""


async def observe(job: Job, net: Net, record: Record) -> None:
    """Ask the job's UDP servers in each family by itself."""
    servers = [server for server in job.servers if server.transport is Transport.UDP]
    # Not waited for: what the experiments need of it they wait for themselves.
    looking = asyncio.create_task(net.nat64_prefixes()) if net.is_ipv6_only or _stands_in(net) else None
    try:
        await asyncio.gather(*(_family(family, servers, net, record) for family in net.options.families))
    finally:
        if looking is not None:
            looking.cancel()


def _stands_in(net: Net) -> bool:
    """Tell whether the way out over IPv4 is one that is made of IPv6 inside this computer (RFC 7335)."""
    source = net.source_towards(INTERNET[Family.IPV4])
    return not isinstance(source, Failure) and source in _CONTINUITY


async def _family(family: Family, servers: list[Server], net: Net, record: Record) -> None:
    endpoints = await endpoints_of(family, servers, net)
    why = _why_not(family, endpoints, net)
    if why is not None:
        record(Skipped(t_ms=net.now_ms(), what=f"NAT behavior over {_NAMES[family]}", why=why))
        return
    sockets = Sockets(net, family, end_ms=net.now_ms() + net.options.timeout_ms + GRACE_MS)
    endpoints = endpoints[:MOST_SERVERS]
    try:
        await _beside_silence(sockets, endpoints, record)
    except OSError as error:
        why = f"a local UDP socket could not be opened: {failure_of(error)}"
        record(Skipped(t_ms=net.now_ms(), what=f"NAT behavior over {_NAMES[family]}", why=why))
    finally:
        for binding in sockets.evidence():
            record(binding)


_NAMES = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}


async def endpoints_of(family: Family, servers: list[Server], net: Net) -> list[tuple[Server, TransportAddress]]:
    """Return one address a server, each address once: names of one operator often share a host."""
    found: dict[TransportAddress, Server] = {}
    for server, addresses in zip(servers, await asyncio.gather(*(net.resolve(s.host) for s in servers)), strict=True):
        first = next((ip for ip in addresses if family_of(ip) is family), None)
        if first is not None:
            found.setdefault(TransportAddress(first, server.port), server)
    return [(server, address) for address, server in found.items()]


def _why_not(family: Family, endpoints: list[tuple[Server, TransportAddress]], net: Net) -> str | None:
    if not endpoints:
        return f"no server with an {_NAMES[family]} address was asked"
    sources = [net.source_towards(address.ip) for _, address in endpoints]
    if all(isinstance(source, Failure) for source in sources):
        where = net.options.interface or net.options.bind or "this computer"
        return f"{where} has no {_NAMES[family]} route to any of the servers"
    return None


async def _beside_silence(sockets: Sockets, endpoints: list[tuple[Server, TransportAddress]], record: Record) -> None:
    """Run the experiments, and beside them, where nothing answers for long, what may explain it."""
    over = asyncio.Event()
    explaining = asyncio.create_task(_explain_silence(sockets, endpoints, record, over))
    try:
        await _experiments(sockets, endpoints)
        over.set()
        if not sockets.answered:
            await explaining
    finally:
        explaining.cancel()
        await asyncio.wait({explaining})


async def _explain_silence(
    sockets: Sockets, endpoints: list[tuple[Server, TransportAddress]], record: Record, over: asyncio.Event
) -> None:
    """Look for the reason where no server answers for long, or where all refuse."""
    timeout_ms = sockets.net.options.timeout_ms
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE * timeout_ms / 1000):
            await over.wait()
    if not sockets.answered:
        # Of no use where UDP is answered; and where it is not, no answer waits for an import.
        from rtcdiag.probes.udp_silence import explain  # noqa: PLC0415 - see above

        await explain(sockets, endpoints, record, (1 - PATIENCE) * timeout_ms)


async def _experiments(sockets: Sockets, endpoints: list[tuple[Server, TransportAddress]]) -> None:
    await sockets.wire("m1")
    chosen = _Chosen(_by_default_route(sockets, endpoints), alternates={address for _, address in endpoints})
    for _, address in endpoints:
        sockets.net.pacer.keep(address.ip, PLACES)
    try:
        await asyncio.gather(*(_mapping(sockets, server, address, chosen) for server, address in endpoints))
    finally:
        for _, address in endpoints:
            sockets.net.pacer.release(address.ip)


def _by_default_route(sockets: Sockets, endpoints: list[tuple[Server, TransportAddress]]) -> set[TransportAddress]:
    """Return the endpoints whose way out is the one that a NAT is described for; all where none is."""
    ways = {address: sockets.net.interface_towards(address.ip) for _, address in endpoints}
    default = sockets.net.interface_towards(INTERNET[sockets.family])
    return {address for address, way in ways.items() if way == default} or set(ways)


class _Chosen(msgspec.Struct):
    """The servers that are asked for more than a mapped address, and what was asked."""

    outside: set[TransportAddress]
    """Those who may be asked for more."""
    hosts: set[IPAddress] = set()
    names: list[str] = msgspec.field(default_factory=lambda: list("abcdefgh"[:FILTER_SERVERS]))
    alternates: set[TransportAddress] = set()
    """What was asked, or will be."""

    def name(self, primary: TransportAddress, other: TransportAddress) -> str | None:
        """Return the name of one more filtering test; None where there are enough, or one of that server."""
        hosts = {primary.ip, other.ip}
        if not self.names or self.hosts & hosts or primary not in self.outside:
            return None
        self.hosts |= hosts
        return self.names.pop(0)

    def is_new(self, destination: TransportAddress) -> bool:
        """Tell whether a destination was not asked from the mapping socket yet."""
        new = destination not in self.alternates
        self.alternates.add(destination)
        return new


async def _mapping(sockets: Sockets, server: Server, primary: TransportAddress, chosen: _Chosen) -> None:
    """Ask one server for mapped addresses, and then for all else that it can tell."""
    first = Schedule(FIRST_MS, sockets.net.options.timeout_ms)
    call = await sockets.ask("m1", server, "mapping", primary, schedule=first)
    other = await alternate_of(call.message, primary, sockets.net)
    shows_ports = call.message is not None and not sockets.ports_asked and primary in chosen.outside
    sockets.ports_asked |= shows_ports
    if other is not None:
        both = Rfc5780(server, primary, other, call.transaction.rtt_ms)
        name = chosen.name(primary, other)
        asking = [_alternates(sockets, both, chosen, (call, name), shows_ports=shows_ports)]
        asking += [filtering(sockets, name, both)] if name else []
    else:
        asking = [ports(sockets, server, primary, "primary", call.transaction.rtt_ms)] if shows_ports else []
        asking += _second_port(sockets, server, primary, chosen) if call.message else []
    await asyncio.gather(*asking)
    sockets.net.pacer.release(primary.ip)


async def _alternates(
    sockets: Sockets, both: Rfc5780, chosen: _Chosen, first: tuple[Call, str | None], *, shows_ports: bool
) -> None:
    """Ask the alternates from the mapping socket and, of one server, from new ports.

    ``first`` is what the primary was asked, and the name of the server's filtering test. Where the mapped addresses
    differ, what such a server told is checked; its alternate has no place for more than the ten transactions that this
    is with one new port less.
    """
    call, name = first
    roles: dict[Role, TransportAddress] = {
        "alternate-address": both.alternate_address,
        "alternate-address-and-port": both.other,
    }
    new = {role: destination for role, destination in roles.items() if chosen.is_new(destination)}

    async def ask(role: Role, destination: TransportAddress) -> Call:
        return await sockets.ask("m1", both.server, "mapping", destination, role=role, schedule=both.asking)

    async def show(numbers: range) -> None:
        if shows_ports:
            await ports(sockets, both.server, both.alternate_address, "alternate-address", both.rtt_ms, numbers=numbers)

    async def compare() -> None:
        told = dict(zip(new, await asyncio.gather(*(ask(*each) for each in new.items())), strict=True))
        other = told.get("alternate-address-and-port")
        if other is None or other.message is None:
            return
        if name is not None and differ(call, other):
            await check(sockets, name, both, call, other)
        else:
            await show(range(PORTS)[-1:])

    await asyncio.gather(compare(), show(range(PORTS)[:-1]))


def _second_port(
    sockets: Sockets, server: Server, primary: TransportAddress, chosen: _Chosen
) -> list[Coroutine[None, None, None]]:
    """Ask the other port of a server that is known to have two: does the mapping depend on it."""
    port = second_port(server.host, primary.port)
    other = TransportAddress(primary.ip, port) if port is not None else None

    async def ask(destination: TransportAddress) -> None:
        await sockets.ask("m1", server, "mapping", destination, role="alternate-port")

    return [ask(other)] if other is not None and chosen.is_new(other) else []
