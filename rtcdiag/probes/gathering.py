"""One gathering, with one server or with none, and the evidence of it.

Each agent has sockets of its own, so ports and foundations belong to one server's candidates and are not to be compared
with another's. aioice gathers server-reflexive candidates over IPv4 only; those over IPv6, which browsers gather, come
from Binding requests of our own.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, family_of, scope_of
from rtcdiag.evidence import Candidate, Failure, Gathering
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.ice import Gathered, Missed, Question, Relay, gather
from rtcdiag.net import Net
from rtcdiag.net.failures import failure_of
from rtcdiag.net.local import Local
from rtcdiag.net.routes import INTERNET, source_towards
from rtcdiag.net.stream import TlsSettings
from rtcdiag.net.udp import open_udp
from rtcdiag.probes.exposure import exposure
from rtcdiag.probes.job import Record
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import UDP, Schedule
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call, UdpWire, transact

_TYPE_PREFERENCES: dict[CandidateType, int] = {"host": 126, "prflx": 110, "srflx": 100, "relay": 0}
_HIGHEST_PREFERENCE = 65535
_BASES_A_SERVER = 64
"""More local addresses than these make local preferences meet."""


def priority(kind: CandidateType, local_preference: int, component: int = 1) -> int:
    """Return a candidate's priority (RFC 8445 section 5.1.2.1); the local preference is 0 to 65535."""
    return (_TYPE_PREFERENCES[kind] << 24) + (local_preference << 8) + (256 - component)


def foundation(kind: CandidateType, base: IPAddress, server: IPAddress) -> str:
    """Return 32 characters that two candidates over UDP share where type, base and server are the same.

    RFC 8445 section 5.1.1.3.
    """
    return hashlib.sha256(f"{kind}|udp|{base}|{server}".encode()).hexdigest()[:32]


@dataclass
class Asking:
    """One gathering under way."""

    net: Net
    record: Record
    local: frozenset[IPAddress]
    uri: str | None = None
    relay_protocol: Literal["udp", "tcp", "tls"] | None = None
    found: int = 0
    redundant: int = 0
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def hosts(self) -> None:
        """Gather the host candidates, which need no server."""
        began, options = self.net.now_ms(), self.net.options
        if options.bind is not None or options.interface is not None:
            self.notes.append(f"only {options.bind or options.interface}, as asked for")
        await self._agent(Question(local=self.local, timeout_ms=options.timeout_ms), None)
        if not self.found:
            self.notes.append("this computer has no address but loopback and IPv6 link-local ones")
        self._conclude(began)

    async def server(self, server: Server, number: int) -> None:
        """Gather what a server gives, at one of its addresses a family; ``number`` keeps local preferences apart."""
        began = self.net.now_ms()
        addresses = await self.net.resolve(server.host)
        if not addresses:
            self.failures += [x.failure for x in self.net.resolutions if x.host == server.host and x.failure]
            self.notes.append(f"{server.host} has no address in the families that were asked for")
        firsts = {family_of(ip): TransportAddress(ip, server.port) for ip in reversed(addresses)}
        async with asyncio.TaskGroup() as group:
            for destination in firsts.values():
                group.create_task(self._at(server, destination, number))
        self._conclude(began)

    def _conclude(self, began: float) -> None:
        self.record(
            Gathering(
                t_ms=began,
                duration_ms=self.net.now_ms() - began,
                server=self.uri,
                candidates=self.found,
                redundant=self.redundant,
                failure=self.failures[0] if self.failures and not self.found else None,
                detail="; ".join(dict.fromkeys(self.notes)) or None,
            )
        )

    async def _at(self, server: Server, destination: TransportAddress, number: int) -> None:
        """Ask one address for all that it can give; browsers ask TURN servers over UDP for Binding too."""
        reflexive = server.transport is Transport.UDP and not self.net.options.relay_only
        async with asyncio.TaskGroup() as group:
            group.create_task(self._agent(self._question(server, destination, reflexive), destination))
            if reflexive and destination.family is Family.IPV6:
                for rank, base in enumerate(self._bases()):
                    preference = _HIGHEST_PREFERENCE - number * _BASES_A_SERVER - rank
                    group.create_task(self._reflexive(destination, base, preference))

    def _question(self, server: Server, destination: TransportAddress, reflexive: bool) -> Question:
        options = self.net.options
        by_agent = reflexive and destination.family is Family.IPV4
        relay = None
        if server.protocol == "turn" and self._may_relay(destination):
            self.relay_protocol = _relay_protocol(server.transport)
            tls = TlsSettings(options.server_name or server.host, options.ca_file)
            relay = Relay(address=destination, transport=server.transport, credential=server.credential, tls=tls)
        return Question(
            local=self.local if by_agent else frozenset(),
            stun=destination if by_agent else None,
            pace=partial(self.net.pacer.turn, destination.ip),
            relay=relay,
            relay_only=options.relay_only,
            timeout_ms=options.timeout_ms,
        )

    def _may_relay(self, destination: TransportAddress) -> bool:
        """Tell whether the address that the system chooses for the agent is one that the options allow."""
        options = self.net.options
        if (options.bind is None and options.interface is None) or source_towards(destination.ip) in self.local:
            return True
        self.notes.append(f"no relay asked of {destination}: an ICE agent cannot be bound to an address for that")
        return False

    def _bases(self) -> list[IPAddress]:
        """Return the IPv6 addresses for server-reflexive candidates, the default one first."""
        default = source_towards(INTERNET[Family.IPV6])
        usable: list[IPAddress] = [ip for ip in self.local if family_of(ip) is Family.IPV6]
        usable = [ip for ip in usable if scope_of(ip) in (Scope.GLOBAL, Scope.PRIVATE)]
        return sorted(usable, key=lambda ip: (ip != default, int(ip)))[:_BASES_A_SERVER]

    async def _agent(self, question: Question, destination: TransportAddress | None) -> None:
        def on_found(found: Gathered) -> None:
            # Every agent has host candidates of its own; they are recorded once, from the one without a server.
            if (found.type == "host") == (destination is None):
                self._found(found, destination)

        def on_missed(missed: Missed) -> None:
            source = f" from {missed.local.host}" if missed.local else ""
            self._missed(f"{missed.type}{source}: {missed.detail}", missed.failure)

        if not await gather(question, on_found, on_missed):
            self.notes.append(f"{destination} did not confirm that the allocation is released")

    async def _reflexive(self, destination: TransportAddress, base: IPAddress, preference: int) -> None:
        """Gather one server-reflexive candidate over IPv6."""
        try:
            wire = UdpWire(self.net, await open_udp(Family.IPV6, Local(base, self.net.options.interface)))
        except OSError as error:
            self._missed(f"srflx from {base}: {failure_of(error)}", failure_of(error))
            return
        try:
            await self.net.pacer.turn(destination.ip)
            schedule = Schedule(UDP.offsets_ms, self.net.options.timeout_ms)
            call = await transact(wire, binding_request(), destination, schedule=schedule)
            mapped = call.message.xor_mapped or call.message.mapped if call.message else None
            if mapped is None:
                self._no_address(base, call)
            else:
                local = TransportAddress(base, wire.bound.port)
                self._found(_reflexive_candidate(mapped, local, destination, preference), destination, "rtcdiag")
        finally:
            wire.close()

    def _no_address(self, base: IPAddress, call: Call) -> None:
        if call.message is None:
            failure = call.failure or Failure.TIMEOUT
            self._missed(f"srflx from {base}: {failure}", failure)
        else:
            self._missed(f"srflx from {base}: the server refused, or gave no address", None)

    def _missed(self, note: str, failure: Failure | None) -> None:
        self.notes.append(note)
        self.failures += [failure] if failure else []

    def _found(
        self,
        found: Gathered,
        destination: TransportAddress | None,
        gathered_by: Literal["aioice", "rtcdiag"] = "aioice",
    ) -> None:
        if found.type == "srflx" and found.address == found.related:
            # Redundant (RFC 8445 section 5.1.3), and worth a word: nothing translates this address.
            self.redundant += 1
            self.notes.append(f"srflx from {found.address.host}: the server sees this computer's own address")
            return
        self.found += 1
        base = _base(found, destination)
        interface = self.net.interface_of(base) if base else None
        chosen = source_towards(destination.ip if destination else INTERNET[found.address.family])
        without, with_permission = exposure(found.type, base, interface, on_default_route=base == chosen)
        self.record(
            Candidate(
                t_ms=self.net.now_ms(),
                type=found.type,
                address=found.address,
                related=found.related,
                component=found.component,
                priority=found.priority,
                foundation=found.foundation,
                relay_protocol=self.relay_protocol if found.type == "relay" else None,
                interface=interface,
                server=self.uri,
                gathered_by=gathered_by,
                browser_without_permission=without,
                browser_with_permission=with_permission,
                sdp=found.sdp,
            )
        )


def _base(found: Gathered, destination: TransportAddress | None) -> IPAddress | None:
    """Return the local address behind a candidate; for a relay, the one that talks to the server."""
    if found.type == "host":
        return found.address.ip
    if found.type == "relay" and destination is not None:
        source = source_towards(destination.ip)
        return None if isinstance(source, Failure) else source
    return found.related.ip if found.related else None


def _relay_protocol(transport: Transport) -> Literal["udp", "tcp", "tls"]:
    match transport:
        case Transport.UDP:
            return "udp"
        case Transport.TCP:
            return "tcp"
        case _:
            return "tls"


def _reflexive_candidate(
    mapped: TransportAddress, local: TransportAddress, server: TransportAddress, preference: int
) -> Gathered:
    """Make a candidate as RFC 8445 and RFC 8839 section 5.1 say."""
    value, name = priority("srflx", preference), foundation("srflx", local.ip, server.ip)
    sdp = f"candidate:{name} 1 udp {value} {mapped.host} {mapped.port} typ srflx raddr {local.host} rport {local.port}"
    return Gathered("srflx", mapped, local, 1, value, name, sdp)
