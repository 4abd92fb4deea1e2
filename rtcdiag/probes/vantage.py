"""The filter of this network, tested from a TURN server's relays: no server has to know RFC 5780 for it.

Sockets of one TURN host, whose labels begin with ``ta`` (``tb`` of a second host): ``ta1`` and ``ta2`` send to nothing
but one other server each, which tells their mapped addresses; ``ta3`` sends to the second relay; ``ta4`` to those
servers and to both relays. The first relay sends to the mapped addresses of all of them, the second to that of ``ta3``:
`rtcdiag.nat.vantage` says what follows from what gets in. Beside that a relay asks the other servers for its own mapped
address, which is known: so a server that lies shows.
"""

import asyncio
from collections.abc import Iterable

from rtcdiag.address import Family, IPAddress, TransportAddress, family_of
from rtcdiag.evidence.vantage import VantageOutcome
from rtcdiag.net import Net
from rtcdiag.probes.alternates import alternate_of
from rtcdiag.probes.connection import Path
from rtcdiag.probes.doors import Doors, Other
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.knocks import Knocks
from rtcdiag.probes.leg import Leg, to_the_end
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.probes.relay import side_by_side, succeeded
from rtcdiag.probes.relay_pair import RelayPair, point
from rtcdiag.probes.relay_rounds import Rounds
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import UdpWire, transact

MOST_HOSTS = 2
"""How many TURN hosts are used: two operators that agree."""
MOST_OTHERS = 2
"""How many other servers tell mapped addresses: one that lies or is down does not spoil the test."""
_BRIEF = Schedule((0, 100, 300, 700), 1200)
_AFTER_RFC5780_S = 0.6


async def observe(job: Job, net: Net, record: Record) -> None:
    """Test the filter of each family from the relays of the first hosts for which there are credentials."""
    hosts: dict[str, list[Server]] = {}
    for server in job.servers:
        if server.protocol == "turn" and server.credential is not None and server.transport is not Transport.DTLS:
            hosts.setdefault(server.host, []).append(server)
    async with asyncio.TaskGroup() as group:
        for letter, (host, servers) in zip("abcd"[:MOST_HOSTS], hosts.items(), strict=False):
            for ip in _first_of_each_family(await net.resolve(host)):
                paths = [Path(server, TransportAddress(ip, server.port), server.transport) for server in servers]
                others = await _others(job.servers, family_of(ip), net)
                group.create_task(_Vantage(paths, others, net, record, f"t{letter}").run())


def _first_of_each_family(addresses: Iterable[IPAddress]) -> list[IPAddress]:
    found: dict[Family, IPAddress] = {}
    for ip in addresses:
        found.setdefault(family_of(ip), ip)
    return list(found.values())


async def _others(servers: Iterable[Server], family: Family, net: Net) -> list[Other]:
    """Return the addresses of all servers over UDP, each IP address once, the first address of every server first."""
    ranked: list[tuple[int, Server, TransportAddress]] = []
    for server in servers:
        if server.transport is Transport.UDP:
            addresses = [ip for ip in await net.resolve(server.host) if family_of(ip) is family]
            ranked += [(rank, server, TransportAddress(ip, server.port)) for rank, ip in enumerate(addresses)]
    found: dict[IPAddress, Other] = {}
    for _, server, address in sorted(ranked, key=lambda item: item[0]):
        found.setdefault(address.ip, (server, address, "primary"))
    return list(found.values())


class _Vantage:
    """One TURN host in one family."""

    def __init__(self, paths: list[Path], others: list[Other], net: Net, record: Record, name: str) -> None:
        self._paths, self._others, self._net, self._record, self._name = paths, others, net, record, name
        self._began_ms = net.now_ms()
        self._pair = RelayPair(paths, net, record)
        self._tests: list[Doors] = []
        self._knocks: Knocks | None = None
        self._legs: list[Leg] = []
        self._outcome: VantageOutcome = "ready"
        """So too where the run ends before the relays could send."""
        self._error_code: int | None = None

    async def run(self) -> None:
        """Allocate, test, and give back, whatever happens; record what was seen."""
        try:
            await self._test()
        except OSError:
            self._outcome = "no-mapped-address"
        finally:
            await to_the_end(self._finish())

    async def _finish(self) -> None:
        for test in self._tests:
            test.end()
        for leg in self._legs if self._outcome == "ready" else self._legs[:1]:
            self._record(
                point(
                    leg.path,
                    self._began_ms,
                    self._net,
                    self._outcome,
                    relayed=leg.relayed,
                    error_code=self._error_code,
                )
            )
        seen = [item for test in self._tests for item in test.sockets.evidence()]
        for item in (*seen, *(self._knocks.evidence() if self._knocks else ())):
            self._record(item)
        await self._pair.release(hurry=False)
        self._pair.close()

    async def _test(self) -> None:
        server = self._paths[0].destination.ip
        ground = await self._ground([other for other in self._others if other[1].ip != server])
        self._legs = await self._pair.allocate()
        if not self._legs:
            return
        relays = {leg.relayed.ip for leg in self._legs if leg.relayed}
        if ground is None or any(other[1].ip in relays for other in ground.others):
            elsewhere = [other for other in self._others if other[1].ip not in relays]
            ground = await self._ground(elsewhere or await self._own_alternate(relays))
        if ground is None:
            self._outcome = "no-other-server"
            return
        await ground.told()
        if await self._permitted(ground):
            await self._knock(ground)

    async def _ground(self, others: list[Other]) -> Doors | None:
        """Open sockets and ask the first of the other servers, None where there is none."""
        if not others:
            return None
        name = self._name + "'" * len(self._tests)
        test = Doors(Sockets(self._net, self._paths[0].destination.family), name, others[:MOST_OTHERS])
        self._tests.append(test)
        await test.ask()
        return test

    async def _own_alternate(self, relays: set[IPAddress]) -> list[Other]:
        """Ask the TURN server for its other address (RFC 5780 section 7.4), where nobody named another server."""
        path, family = self._legs[0].path, self._paths[0].destination.family
        if path.transport is Transport.UDP:
            # The NAT experiment is asking that address too, and most often settles it: its requests go first.
            await asyncio.sleep(_AFTER_RFC5780_S)
        # Over TCP servers do not name it: a socket of its own asks over UDP.
        wire = UdpWire(self._net, await self._net.udp(family))
        await self._net.pacer.turn(path.destination.ip)
        call = await transact(wire, binding_request(), path.destination, schedule=_BRIEF)
        other = await alternate_of(call.message, path.destination, self._net)
        if other is None or other.ip in relays:
            return []
        return [(path.server, other, "alternate-address-and-port")]

    async def _permitted(self, test: Doors) -> bool:
        """Let the relays send to this network and hear from it, and ask the other servers."""
        relayed = self._legs[0].relayed
        assert relayed is not None
        told = {mapped.ip: mapped for mapped in test.mapped.values() if mapped.scope is relayed.scope}
        # The TURN server's word comes first: another server may lie, and every one may see another address of a NAT.
        seen = {leg.mapped.ip: leg.mapped for leg in self._legs if leg.mapped and leg.mapped.scope is relayed.scope}
        if not told:
            self._outcome = "no-mapped-address"
            return False
        for peers in filter(None, (seen, {ip: mapped for ip, mapped in told.items() if ip not in seen})):
            done = await side_by_side(*(leg.permit(peer) for peer in peers.values() for leg in self._legs))
            refused = next((call for call in done if not succeeded(call)), None)
            if refused is not None and (peers is seen or not seen):
                self._outcome = "peer-refused"
                self._error_code = refused.message.error.code if refused.message and refused.message.error else None
                return False
        return True

    async def _knock(self, test: Doors) -> None:
        self._knocks = Knocks(self._net, test.sockets, self._legs)
        rounds = Rounds(test, self._knocks, self._legs, self._net)
        async with asyncio.TaskGroup() as group:
            permitting = group.create_task(self._permit_others(test, rounds))
            await rounds.run()
            permitting.cancel()

    async def _permit_others(self, test: Doors, rounds: Rounds) -> None:
        """Let a relay ask the other servers what they see of it."""
        leg = self._legs[-1]
        for server, address, _ in test.others:
            if succeeded(await leg.permit(address)):
                rounds.askable.append((leg, server, address))
