"""From the connection to a TURN server to data in both directions and back to nothing, at one of its addresses.

A step whose predecessor broke is not tried. Whatever happens, allocations are given back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Allocation, Challenge, Connect, Failure, Observation, ProxyTunnel, TlsHandshake
from rtcdiag.evidence.turn import Side
from rtcdiag.net import Net
from rtcdiag.net.stream import Stream
from rtcdiag.probes.clock import ask_clocks
from rtcdiag.probes.connection import Path, connect, open_wire, shake_hands, stream_limit_ms
from rtcdiag.probes.cross_check import checked_beside, plain_binding, tls_handshake
from rtcdiag.probes.dtls import open_dtls, plain_binding_over_udp
from rtcdiag.probes.ice_agents import observe_agents
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.leg import Leg, forget, to_the_end
from rtcdiag.probes.reach import Answer, Reach, family_beyond, first_heard
from rtcdiag.probes.redirect import path_after, redirect_of
from rtcdiag.probes.relay import PlainSocket, Relay, side_by_side, succeeded
from rtcdiag.probes.tcp_relay import observe_tcp_relay
from rtcdiag.probes.tls_trials import tell_silence, tried_beside, try_old_versions
from rtcdiag.probes.trials import PATIENCE_MS, Trials
from rtcdiag.stun.credentials import shape_of
from rtcdiag.targets import Server, Transport
from rtcdiag.wires import Call, StreamWire, UdpWire, Wire

_SILENT = frozenset({Failure.TIMEOUT, Failure.CONNECTION_CLOSED, Failure.CONNECTION_RESET})
_CHECKS: dict[Transport, tuple[Callable[[Path, Net, Record], Awaitable[None]], frozenset[Failure]]] = {
    Transport.UDP: (plain_binding, frozenset({Failure.TIMEOUT, Failure.CONNECTION_REFUSED, Failure.ADMIN_PROHIBITED})),
    Transport.TCP: (tls_handshake, _SILENT | {Failure.NOT_STUN_TLS}),
    Transport.TLS: (tell_silence, _SILENT | {Failure.TLS_NOT_SPOKEN}),
    Transport.DTLS: (plain_binding_over_udp, _SILENT | {Failure.TLS_NOT_SPOKEN}),
}
"""What is asked beside a transport that fails, and which failures it can explain."""
_OTHER_FAMILY = (420, 440)
"""REQUESTED-ADDRESS-FAMILY is not known to the server, or the family is not supported (RFC 8656 section 7.2)."""

_MISMATCH = 437
"""Allocation Mismatch: this port has an allocation already, perhaps of a program that died (RFC 8656 section 7.2)."""
_NO_ROOM = (486, 508)
"""Allocation Quota Reached and Insufficient Capacity (RFC 8656 section 19)."""
_FORGOTTEN_S = 1.2
"""After which coturn has forgotten what was given back: its timer looks once a second."""
_WHO_ASKS = (400, 401)
"""How servers refuse a user: pion's library says 400."""
_JITTER_S = 0.15
_Outcome = TypeVar("_Outcome")


class Chain:
    """One address of one server."""

    def __init__(
        self,
        path: Path,
        net: Net,
        record: Record,
        job: Job,
        *,
        port: int = 0,
        before: tuple[TransportAddress, ...] = (),
    ) -> None:
        """Take the servers that sent on to this one, of which each may do that once."""
        self._path, self._net, self._outer, self._job, self._port = path, net, record, job, port
        self._asked = (*before, path.destination)
        self._next: Path | None = None
        self._legs: list[Leg] = []
        self._wires: list[Wire] = []
        self._place = net.crowd.enter(path.destination.ip)
        self._lacked_room = False
        self._bound: Answer = asyncio.get_running_loop().create_future()
        self._trials = Trials(path, record, self._place, self._for_trials)

    async def run(self) -> bool:
        """Try everything at this address, and where it sends on to. Whether it connected."""
        try:
            connected = await self._try()
        finally:
            self._place.leave()
        if self._next is not None:
            await Chain(self._next, self._net, self._outer, self._job, before=self._asked).run()
        return connected

    async def _try(self) -> bool:
        """Go from step to step until one breaks; then give back what was allocated, and close."""
        wire = await self._open()
        if wire is None:
            return False
        a = self._leg("a", wire)
        reach = Reach(self._path, wire, self._record, self._job.samples or self._net.options.samples)
        self._bound = reach.answer
        try:
            async with tried_beside(self._path, self._net, self._record), asyncio.TaskGroup() as group:
                group.create_task(reach.run())
                ready = await self._challenged(a, reach)
                if ready is not None and self._job.depth != "reach":
                    if self._job.trials:
                        group.create_task(self._trials.run())
                    await self._relay_beside_others(ready)
                self._trials.over.set()
                await to_the_end(self._release(hurry=False))
        finally:
            await to_the_end(self._release(hurry=True))
            for opened in self._wires:
                opened.close()
        if self._path.server.via is None and any(leg.relayed for leg in self._legs):
            await self._what_is_left()
        return True

    async def _what_is_left(self) -> None:
        """Do what was asked for besides, once this chain holds nothing any more; ICE agents have the last word."""
        if self._net.options.tcp_relay:
            await observe_tcp_relay(self._path, self._net, self._outer)
        if self._net.options.ice:
            await observe_agents(self._path, self._net, self._outer)

    def _record(self, seen: Observation) -> None:
        """Record a step, and where it sends on: what the second allocation alone is told does not count.

        A proxy is asked for the servers that the user named, and no others.
        """
        self._outer(seen)
        if self._path.server.via is None and isinstance(seen, (Challenge, Allocation)) and seen.allocation == "a":
            redirect = redirect_of(seen, self._asked, self._net)
            if redirect is not None:
                self._outer(redirect)
                self._next = path_after(self._path, redirect)

    async def _open(self) -> Wire | None:
        path, net, record = self._path, self._net, self._record
        if path.transport is Transport.DTLS:
            wire = await self._checked(open_dtls(path, net, record, self._port))
            return wire if isinstance(wire, UdpWire) else None
        if path.transport is not Transport.TLS or path.server.via is not None:
            return await open_wire(path, net, record, port=self._port)
        limit_ms = stream_limit_ms(net)
        sock = await connect(path, net, record, limit_ms=limit_ms)
        if isinstance(sock, Failure):
            return None
        stream = await self._checked(shake_hands(path, net, record, sock, limit_ms=limit_ms))
        if stream is Failure.TLS_PROTOCOL_VERSION:
            await try_old_versions(path, net, record)
        return StreamWire(net, stream) if isinstance(stream, Stream) else None

    async def _challenged(self, a: Leg, reach: Reach) -> Leg | None:
        """Ask for a Binding and for a challenge at once; return the leg that has a challenge to answer.

        It is another one where this port has an allocation: coturn says so before it asks for a password.
        """
        async with asyncio.TaskGroup() as group:
            challenge = group.create_task(a.challenge())
            heard = first_heard(reach.answer, challenge)
            encrypted = self._path.transport in (Transport.TLS, Transport.DTLS)
            alone = encrypted or self._path.server.via is not None
            await (heard if alone else self._checked(heard))
            reach.over.set()
        if _code(challenge.result()) == _MISMATCH:
            return await self._another(a.side, self._record)
        return a if a.authenticates else None

    async def _relay_beside_others(self, a: Leg) -> None:
        """Relay, and once more by itself where there was no room beside what other parts of this run held."""
        async with self._place.beside_others():
            await self._relay(a)
            again = self._lacked_room and self._place.met_others
            if not again:
                self._trials.over.set()
            await to_the_end(self._release(hurry=False))
        if again:
            async with self._place.alone():
                await asyncio.sleep(_FORGOTTEN_S)
                fresh = await self._another("a")
                if fresh is not None:
                    await self._relay(fresh)
                await to_the_end(self._release(hurry=False))

    async def _relay(self, a: Leg) -> None:
        """Allocate twice and send data: between the two, and between the first and a plain socket."""
        if self._job.depth == "auth":
            await self._allocated(a)
            return
        relay = Relay(self._net, self._record, brief=self._job.brief)
        async with asyncio.TaskGroup() as group:
            second = group.create_task(self._another("b"))
            allocating = group.create_task(self._allocated(a))
            if self._path.server.via is None:
                group.create_task(self._to_plain_socket(relay, allocating))
            first = await allocating
            if first is None:
                return
            b = await second
            b = await self._allocated(b) if b else None
            if b is not None:
                self._trials.granted.set()
                self._place.leave()
                await relay.between(first, b)

    async def _another(self, side: Side, record: Record | None = None) -> Leg | None:
        """Return a leg from another port, ready to allocate; what goes as it went before is not recorded again.

        With `record` its challenge is.
        """
        wire = await open_wire(self._path, self._net, self._unless_good)
        if wire is None:
            return None
        leg = self._leg(side, wire)
        await leg.challenge(record or (lambda step: None if leg.authenticates else self._record(step)))
        return leg if leg.authenticates else None

    async def _for_trials(self) -> Leg | None:
        wire = await open_wire(self._path, self._net, forget)
        return None if wire is None else Leg(self._path, "c", wire, forget, patience_ms=PATIENCE_MS)

    def _unless_good(self, observation: Observation) -> None:
        again = isinstance(observation, (Connect, TlsHandshake, ProxyTunnel)) and observation.failure is None
        if not again or (isinstance(observation, ProxyTunnel) and not observation.opened):
            self._record(observation)

    async def _allocated(self, leg: Leg) -> Leg | None:
        """Allocate; once more from another port where this one has an allocation, and over IPv4 where only that is."""
        family = await family_beyond(self._bound, self._path)
        call = await leg.allocate(family)
        if _code(call) == _MISMATCH and (fresh := await self._another(leg.side)) is not None:
            leg, call = fresh, await fresh.allocate(family)
        if _code(call) in _OTHER_FAMILY and family is Family.IPV6:
            call = await leg.allocate(Family.IPV4)
        if _code(call) in _WHO_ASKS and is_time_limited(self._path.server) and self._net.options.control:
            await ask_clocks(self._path.server.host, self._net, self._outer)
        self._lacked_room = self._lacked_room or _code(call) in _NO_ROOM
        return leg if succeeded(call) and leg.relayed is not None else None

    async def _to_plain_socket(self, relay: Relay, allocating: "asyncio.Task[Leg | None]") -> None:
        destination = self._path.destination
        try:
            wire = UdpWire(self._net, await self._net.udp(destination.family))
        except OSError:
            return
        self._wires.append(wire)
        plain = PlainSocket(wire)
        async with asyncio.TaskGroup() as group:
            learning = group.create_task(plain.learn(destination))
            a = await allocating
            # Asked at the same time, it takes as long; where it takes longer, UDP may not be answered here at all.
            await asyncio.wait({learning}, timeout=_JITTER_S)
            learning.cancel()
        if a is not None:
            await relay.to_plain_socket(a, plain)

    def _leg(self, side: Side, wire: Wire) -> Leg:
        leg = Leg(self._path, side, wire, self._record)
        self._legs.append(leg)
        self._wires.append(wire)
        return leg

    async def _checked(self, main: Awaitable[_Outcome | Failure]) -> _Outcome | Failure:
        check, telling = _CHECKS[self._path.transport]
        return await checked_beside(main, partial(check, self._path, self._net), telling, self._net, self._record)

    async def _release(self, *, hurry: bool) -> None:
        await side_by_side(*(leg.release(hurry=hurry) for leg in self._legs))


def is_time_limited(server: Server) -> bool:
    """Tell whether the username says until when it is valid."""
    return server.credential is not None and shape_of(server.credential.username).form == "time-limited"


def _code(call: Call) -> int | None:
    return call.message.error.code if call.message and call.message.error else None
