"""Mapping and filtering behavior by RFC 5780, on sockets that never mix the two.

Per family: ``m1`` asks every server, and the alternate addresses of those that have them (section 4.3). ``m2`` asks
two of them from a second local port. RFC 5780 servers get a filtering socket ``fa``, ``fb`` each, which sends to
nothing but the server's primary address (section 4.4), and a control socket ``ca``, ``cb``, which first opens the NAT
towards the alternates and then asks for the same changed answers: what the control gets, the server can send. Beside
them ``p1`` and so on ask the first server that answers from one new port after another.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from rtcdiag.address import Family, TransportAddress, family_of
from rtcdiag.evidence import Binding, Change, Failure, Observation, Purpose, Role, Skipped
from rtcdiag.net import Net
from rtcdiag.net.failures import failure_of
from rtcdiag.net.routes import INTERNET
from rtcdiag.probes.alternates import alternate_of, valid_alternate
from rtcdiag.probes.connection import Path
from rtcdiag.probes.cross_check import HEAD_START, plain_binding
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.nat_ports import ports
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
FILTER_SENDS = 9
"""The most transmissions of a test that stays silent: at 5 % loss each way nearly every run is decided with fewer."""


@dataclass(frozen=True)
class _Rfc5780:
    """A server with alternates, and how to space what it is asked."""

    server: Server
    primary: TransportAddress
    other: TransportAddress
    pace: Schedule

    @property
    def alternate_address(self) -> TransportAddress:
        """The alternate IP address with the primary port."""
        return TransportAddress(self.other.ip, self.primary.port)

    @property
    def alternate_port(self) -> TransportAddress:
        """The primary IP address with the alternate port."""
        return TransportAddress(self.primary.ip, self.other.port)


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
    endpoints = await _endpoints(family, servers, net)
    why = _why_not(family, endpoints, net)
    if why is not None:
        record(Skipped(t_ms=net.now_ms(), what=f"NAT behavior over {_NAMES[family]}", why=why))
        return
    sockets = Sockets(net, family)
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


async def _endpoints(family: Family, servers: list[Server], net: Net) -> list[tuple[Server, TransportAddress]]:
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
        where = net.options.interface or "this computer"
        return f"{where} has no {_NAMES[family]} route to any of the servers"
    return None


async def _beside_silence(sockets: Sockets, endpoints: list[tuple[Server, TransportAddress]], record: Record) -> None:
    """Run the experiments, and beside them, where nothing answers for long, what may explain it."""
    explaining = asyncio.create_task(_explain_silence(sockets, endpoints, record))
    try:
        await _experiments(sockets, endpoints)
        if not sockets.answered:
            await explaining
    finally:
        explaining.cancel()
        await asyncio.wait({explaining})


async def _explain_silence(sockets: Sockets, endpoints: list[tuple[Server, TransportAddress]], record: Record) -> None:
    """Where no server answers for long, look for the reason: TCP to two of them, and UDP to their alternates.

    What is silent over UDP on two addresses and answers over TCP is no server that is down.
    """
    net = sockets.net
    await asyncio.sleep(HEAD_START * net.options.timeout_ms / 1000)
    if sockets.answered:
        return
    await asyncio.gather(*(_beside_udp(sockets, *endpoint, record) for endpoint in _two_hosts(endpoints)))


async def _beside_udp(sockets: Sockets, server: Server, primary: TransportAddress, record: Record) -> None:
    seen: list[Observation] = []
    await plain_binding(Path(server, primary, Transport.TCP), sockets.net, seen.append)
    for item in seen:
        record(item)
    answers = [item.exchange.answer for item in seen if isinstance(item, Binding)]
    other = valid_alternate(answers[0].other_address if answers and answers[0] else None, primary)
    if other is not None:
        label = f"u{server.uri}"
        await sockets.wire(label)
        left_ms = (1 - HEAD_START) * sockets.net.options.timeout_ms
        schedule = Schedule((0, 100, 300, 700), left_ms)
        await sockets.ask(label, server, "control", other, role="alternate-address-and-port", schedule=schedule)


async def _experiments(sockets: Sockets, endpoints: list[tuple[Server, TransportAddress]]) -> None:
    await sockets.wire("m1")
    await sockets.wire("m2")
    names, outside = iter("abcdefgh"[:FILTER_SERVERS]), _by_default_route(sockets, endpoints)
    await asyncio.gather(
        *(_mapping(sockets, server, address, names if address in outside else None) for server, address in endpoints),
        *(sockets.ask("m2", server, "mapping", address) for server, address in _two_hosts(endpoints)),
    )


def _by_default_route(sockets: Sockets, endpoints: list[tuple[Server, TransportAddress]]) -> set[TransportAddress]:
    """Return the endpoints whose way out is the one that a NAT is described for; all where none is."""
    ways = {address: sockets.net.interface_towards(address.ip) for _, address in endpoints}
    default = sockets.net.interface_towards(INTERNET[sockets.family])
    return {address for address, way in ways.items() if way == default} or set(ways)


def _two_hosts(endpoints: list[tuple[Server, TransportAddress]]) -> list[tuple[Server, TransportAddress]]:
    """Return two endpoints, on different addresses where there are some."""
    first = endpoints[0]
    other = next((pair for pair in endpoints[1:] if pair[1].ip != first[1].ip), None)
    return [first, *([other] if other else endpoints[1:2])]


async def _mapping(sockets: Sockets, server: Server, primary: TransportAddress, names: Iterator[str] | None) -> None:
    """Ask one server; ``names`` of filtering tests are None where it is asked by another way than is described."""
    call = await sockets.ask("m1", server, "mapping", primary)
    other = await alternate_of(call.message, primary, sockets.net)
    asking = [_ports(sockets, server, primary, other, call)] if names is not None else []
    if other is None:
        await asyncio.gather(*asking)
        return
    both = _Rfc5780(server, primary, other, _pace(call))
    name = next(names or iter(()), None)
    await asyncio.gather(
        sockets.ask("m1", server, "mapping", both.alternate_address, role="alternate-address"),
        sockets.ask("m1", server, "mapping", other, role="alternate-address-and-port"),
        *asking,
        *([_filtering(sockets, "f" + name, both), _control(sockets, "c" + name, both)] if name else []),
    )


async def _ports(
    sockets: Sockets, server: Server, primary: TransportAddress, other: TransportAddress | None, call: Call
) -> None:
    """Ask the first server that answers how ports are chosen, at its alternate address where it has one."""
    if call.message is None or sockets.ports_asked:
        return
    sockets.ports_asked = True
    rtt_ms = call.transaction.rtt_ms
    if other is None:
        await ports(sockets, server, primary, "primary", rtt_ms)
    else:
        await ports(sockets, server, TransportAddress(other.ip, primary.port), "alternate-address", rtt_ms)


def _pace(call: Call) -> Schedule:
    """Space retransmissions by the round-trip time that was just seen, and wait for three of it in the end."""
    rtt_ms = call.transaction.rtt_ms or 200.0
    gap_ms = min(max(1.5 * rtt_ms, 100.0), 400.0)
    offsets = tuple(number * gap_ms for number in range(FILTER_SENDS))
    return Schedule(offsets, offsets[-1] + max(3 * rtt_ms, 250.0))


async def _filtering(sockets: Sockets, label: str, both: _Rfc5780) -> None:
    await sockets.wire(label)
    await asyncio.gather(
        sockets.ask(label, both.server, "filtering", both.primary), *_changes(sockets, label, "filtering", both)
    )


async def _control(sockets: Sockets, label: str, both: _Rfc5780) -> None:
    await sockets.wire(label)
    holes: dict[Change, tuple[Role, TransportAddress]] = {
        "none": ("primary", both.primary),
        "address-and-port": ("alternate-address-and-port", both.other),
        "port": ("alternate-port", both.alternate_port),
    }
    calls = await asyncio.gather(
        *(
            sockets.ask(label, both.server, "control", destination, role=role, schedule=both.pace)
            for role, destination in holes.values()
        )
    )
    opened = dict(zip(holes, map(_mapped_port, calls), strict=True))
    # A NAT whose mapping depends on the destination opened another public port for each alternate: the server is asked
    # to send its changed answer there (RESPONSE-PORT, RFC 5780 section 7.5), or no control could ever get through.
    elsewhere = {change: port for change, port in opened.items() if port not in (None, opened["none"])}
    await asyncio.gather(
        *_changes(sockets, label, "control", both), *_changes(sockets, label, "control", both, elsewhere)
    )


def _mapped_port(call: Call) -> int | None:
    reflexive = call.message and (call.message.xor_mapped or call.message.mapped)
    return reflexive.port if reflexive else None


def _changes(
    sockets: Sockets,
    label: str,
    purpose: Purpose,
    both: _Rfc5780,
    ports: Mapping[Change, int | None] | None = None,
) -> tuple[Coroutine[None, None, Call], ...]:
    """Ask for both changed answers, or with ``ports`` for those that have to go to another public port."""
    changes: tuple[tuple[Change, TransportAddress], ...] = (
        ("address-and-port", both.other),
        ("port", both.alternate_port),
    )
    return tuple(
        sockets.ask(
            label,
            both.server,
            purpose,
            both.primary,
            change=change,
            expected=expected,
            response_port=ports[change] if ports else None,
            schedule=both.pace,
        )
        for change, expected in changes
        if ports is None or change in ports
    )
