"""The filter of this network, tested from a TURN server's relays: no server has to know RFC 5780 for it.

Sockets of one TURN host, whose labels begin with ``ta`` (``tb`` of a second host): ``ta1`` and ``ta2`` send to nothing
but one other server each, which tells their mapped addresses; ``ta3`` sends to the second relay; ``ta4`` to those
servers and to both relays. The first relay sends to the mapped addresses of all of them, the second to that of ``ta3``:
`rtcdiag.nat.vantage` says what follows from what gets in. Beside that a relay asks the other servers for its own mapped
address, which is known: so a server that lies shows.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from statistics import median

from rtcdiag.address import Family, IPAddress, TransportAddress, family_of
from rtcdiag.evidence import Role
from rtcdiag.evidence.vantage import VantageOutcome
from rtcdiag.nat.loss import p_all_lost, tally, transmissions
from rtcdiag.nat.vantage import LIMIT, added, counted, knock_tally, wait_ms
from rtcdiag.net import Net
from rtcdiag.probes.alternates import alternate_of
from rtcdiag.probes.connection import Path
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.knocks import Knock, Knocks
from rtcdiag.probes.leg import Leg, to_the_end
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.probes.relay import side_by_side, succeeded
from rtcdiag.probes.relay_pair import RelayPair, point
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call, UdpWire, transact

MOST_HOSTS = 2
"""How many TURN hosts are used: two operators that agree."""
MOST_OTHERS = 2
"""How many other servers tell mapped addresses: one that lies or is down does not spoil the test."""
MOST_ROUNDS = 16
"""How often a relay sends to a socket at most; without loss four or five times suffice."""
_BRIEF = Schedule((0, 100, 300, 700), 1200)
_GAPS_MS = (50.0, 150.0)
_MARGIN = 0.3
"""The judgement knows more of the run's loss than this test sees."""
_GRACE_S = 0.06
"""How long the other servers are waited for when one has answered."""
_LAST_LOOK = 8
"""Until which round it goes on for the mapping, where the filter is known to be open."""
_PUNCH = 3
"""From which round on the relay sends first, to open a firewall in front of it, where nothing reached it."""

Other = tuple[Server, TransportAddress, Role]
"""A server at another address than the relay's, and what that address is to it."""


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
        self._tests: list[_Test] = []
        self._knocks: Knocks | None = None
        self._legs: list[Leg] = []
        self._outcome: VantageOutcome = "no-mapped-address"
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
        if ground.mapped and await self._permitted(ground):
            self._outcome = "ready"
            await self._knock(ground)

    async def _ground(self, others: list[Other]) -> "_Test | None":
        """Open sockets and ask the first of the other servers, None where there is none."""
        if not others:
            return None
        name = self._name + "'" * len(self._tests)
        test = _Test(Sockets(self._net, self._paths[0].destination.family), name, others[:MOST_OTHERS])
        self._tests.append(test)
        await test.ask()
        return test

    async def _own_alternate(self, relays: set[IPAddress]) -> list[Other]:
        """Ask the TURN server for its other address (RFC 5780 section 7.4), where nobody named another server."""
        path, family = self._legs[0].path, self._paths[0].destination.family
        # Over TCP servers do not name it: a socket of its own asks over UDP.
        wire = UdpWire(self._net, await self._net.udp(family))
        await self._net.pacer.turn(path.destination.ip)
        call = await transact(wire, binding_request(), path.destination, schedule=_BRIEF)
        other = await alternate_of(call.message, path.destination, self._net)
        if other is None or other.ip in relays:
            return []
        return [(path.server, other, "alternate-address-and-port")]

    async def _permitted(self, test: "_Test") -> bool:
        """Let the relays send to this network and hear from it, and ask the other servers."""
        relayed = self._legs[0].relayed
        assert relayed is not None
        told = {mapped.ip: mapped for mapped in test.mapped.values() if mapped.scope is relayed.scope}
        # The TURN server's word comes first: another server may lie, and every one may see another address of a NAT.
        seen = {leg.mapped.ip: leg.mapped for leg in self._legs if leg.mapped and leg.mapped.scope is relayed.scope}
        if not told:
            return False
        for peers in filter(None, (seen, {ip: mapped for ip, mapped in told.items() if ip not in seen})):
            done = await side_by_side(*(leg.permit(peer) for peer in peers.values() for leg in self._legs))
            refused = next((call for call in done if not succeeded(call)), None)
            if refused is not None and (peers is seen or not seen):
                self._outcome = "peer-refused"
                self._error_code = refused.message.error.code if refused.message and refused.message.error else None
                return False
        return True

    async def _knock(self, test: "_Test") -> None:
        self._knocks = Knocks(self._net, test.sockets, self._legs)
        rounds = _Rounds(test, self._knocks, self._legs, self._net)
        async with asyncio.TaskGroup() as group:
            permitting = group.create_task(self._permit_others(test, rounds))
            await rounds.run()
            permitting.cancel()

    async def _permit_others(self, test: "_Test", rounds: "_Rounds") -> None:
        """Let a relay ask the other servers what they see of it."""
        leg = self._legs[-1]
        for server, address, _ in test.others:
            if succeeded(await leg.permit(address)):
                rounds.askable.append((leg, server, address))


class _Test:
    """The test sockets, and the mapped addresses that the other servers told of them."""

    def __init__(self, sockets: Sockets, name: str, others: list[Other]) -> None:
        self.sockets, self.others = sockets, others
        self.closed = {f"{name}{number}": other for number, other in enumerate(others, 1)}
        self.near, self.own = f"{name}3", f"{name}4"
        self._asking: dict[tuple[str, Other], asyncio.Task[Call]] = {}

    @property
    def mapped(self) -> dict[tuple[str, Other], TransportAddress]:
        """By socket and server: the mapped address, where it was told."""
        done = {key: task.result() for key, task in self._asking.items() if task.done() and not task.cancelled()}
        told = {key: call.message.xor_mapped or call.message.mapped for key, call in done.items() if call.message}
        return {key: mapped for key, mapped in told.items() if mapped is not None}

    @property
    def doors(self) -> dict[str, TransportAddress]:
        """The mapped addresses of the sockets that send nothing to a relay."""
        return {label: mapped for (label, _), mapped in self.mapped.items() if label in self.closed}

    def told_of(self, label: str) -> dict[Other, TransportAddress]:
        """Return what each server that answered said of a socket."""
        return {other: mapped for (socket, other), mapped in self.mapped.items() if socket == label}

    async def ask(self) -> None:
        """Open the sockets, and begin to ask: a closed one asks one server, that which sends to the relays all."""
        asked = {label: [other] for label, other in self.closed.items()}
        await self.sockets.wire(self.near)
        for label, others in (asked | {self.own: self.others}).items():
            await self.sockets.wire(label)
            for other in others:
                server, address, role = other
                asking = self.sockets.ask(label, server, "mapping", address, role=role, kept=False)
                self._asking[label, other] = asyncio.create_task(asking)

    async def told(self) -> None:
        """Wait until one server has told all that it was asked, or none is to be waited for any more."""
        pending = set(self._asking.values())
        while pending and not any(map(self._has_told_all, self.others)):
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if pending:
            await asyncio.wait(pending, timeout=_GRACE_S)

    def _has_told_all(self, other: Other) -> bool:
        mine = [key for key in self._asking if key[1] == other]
        mapped = self.mapped
        return all(key in mapped for key in mine)

    def end(self) -> None:
        """Wait for no answer any more."""
        for task in self._asking.values():
            task.cancel()


class _Rounds:
    """Round after round, until what is silent is proven to be, or what was to be shown got in."""

    def __init__(self, test: _Test, knocks: Knocks, legs: list[Leg], net: Net) -> None:
        self._test, self._knocks, self._net = test, knocks, net
        self._first, self._second = legs[0], legs[1] if len(legs) > 1 else None
        self.askable: list[tuple[Leg, Server, TransportAddress]] = []
        for label in (test.near, test.own):
            knocks.listen(label)
        for label in test.closed:
            knocks.listen(label, closed=True)

    async def run(self) -> None:
        """Send and wait, again and again until nothing more is to be learned, or so often."""
        gap_s = self._gap_ms() / 1000
        for number in range(MOST_ROUNDS):
            self._send(number)
            await asyncio.sleep(gap_s)
            if self._settled(number):
                return
            if self._proven(0.0) or number == MOST_ROUNDS - 1:
                awaited_ms = wait_ms(self._knocks.knocked())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, awaited_ms / 1000 - gap_s)):
                        await self._knocks.let_in.wait()
                if self._knocks.let_in.is_set() or self._proven(awaited_ms):
                    return

    def _gap_ms(self) -> float:
        rtts = [item.exchange.rtt_ms for item in self._test.sockets.evidence() if item.exchange.rtt_ms is not None]
        low, high = _GAPS_MS
        return min(max(median(rtts) if rtts else high, low), high)

    def _send(self, number: int) -> None:
        """Send what is silent before what gets in: on a stream, what arrives shows that all before it was relayed."""
        test, knocks = self._test, self._knocks
        for label, mapped in test.doors.items():
            if self._is_credible(mapped, test.closed[label]):
                knocks.knock(self._first, label, mapped)
        if self._second is not None:
            seen = knocks.open(test.near, self._second).mapped
            if seen is not None:
                knocks.knock(self._first, test.near, seen)
                knocks.knock(self._second, test.near, seen)
            knocks.open(test.own, self._second)
        seen = knocks.open(test.own, self._first).mapped
        if seen is not None:
            knocks.knock(self._first, test.own, seen)
        elif number >= _PUNCH:
            for other, mapped in test.told_of(test.own).items():
                if self._is_credible(mapped, other):
                    knocks.knock(self._first, test.own, mapped)
        for leg, server, address in self.askable:
            knocks.ask(leg, server, address)

    def _is_credible(self, mapped: TransportAddress, other: Other) -> bool:
        """Tell whether to send to a mapped address: a lie may lead to somebody else, or to nowhere.

        A relay that sends to nowhere may break: coturn closes it when an ICMP error comes back.
        """
        legs = [leg for leg in (self._first, self._second) if leg is not None]
        seen = {leg.mapped.ip for leg in legs if leg.mapped is not None}
        asked = [item for item in self._knocks.questions if item.destination == other[1]]
        return mapped.ip in seen or any(item.told == item.leg.relayed for item in asked)

    def _settled(self, number: int) -> bool:
        """Whether the filter is open, and the mappings are seen by relays and servers that are shown to be honest."""
        knocks = self._knocks
        seen = all(opening.mapped for opening in knocks.openings) and any(k.got_in for k in self._of(self._test.own))
        return knocks.let_in.is_set() and ((seen and self._all_vouched()) or number >= _LAST_LOOK)

    def _all_vouched(self) -> bool:
        """Whether every other server has told a relay what it sees."""
        asked = self._knocks.questions
        return len(asked) == len(self._test.others) and all(item.answered for item in asked)

    def _proven(self, awaited_ms: float) -> bool:
        """Whether so much was sent, and waited for so long, that loss cannot have swallowed it all."""
        control = [self._knocks.knocked_by(knock) for knock in self._of(self._test.own) if knock.got_in]
        silent = [knock for knock in self._of(*self._test.closed, self._test.near) if not knock.got_in]
        silent = [knock for knock in silent if knock.leg is self._first]
        no_near = self._second is not None and not any(self._of(self._test.near))
        no_closed = not any(self._of(*self._test.closed)) and not self._all_vouched()
        if self._knocks.let_in.is_set() or not control or no_near or no_closed:
            return False
        bindings = self._test.sockets.evidence()
        knocked = self._knocks.knocked()
        lost = added(tally(transmissions(bindings, self._net.now_ms())), knock_tally(knocked))
        sent = (counted(self._knocks.knocked_by(knock), control, awaited_ms) for knock in silent)
        sends = min(sent, default=MOST_ROUNDS)
        return p_all_lost(lost, sends) < LIMIT * _MARGIN

    def _of(self, *labels: str) -> Iterator[Knock]:
        return (knock for knock in self._knocks.knocks if knock.socket in labels)
