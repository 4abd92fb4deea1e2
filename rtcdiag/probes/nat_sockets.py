"""The sockets of one family's NAT experiment, and every transaction on them, kept until the end of the run."""

from collections.abc import Callable, Iterator
from functools import partial
from math import inf

import msgspec
from msgspec.structs import replace

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Binding, Change, Failure, Purpose, Role
from rtcdiag.nat.loss import FLOOR, p_all_lost, tally, telling, transmissions
from rtcdiag.nat.silence import LIMIT, patience_ms
from rtcdiag.nat.ways import by_way, way_of
from rtcdiag.net import Net
from rtcdiag.stun.attributes import AttributeType
from rtcdiag.stun.request import Request, binding_request
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Server
from rtcdiag.wires import Call, UdpWire, finish

MARGIN = 5
"""Where something was lost, other transactions may lose more after a test has ended: so much surer it has to be."""
_FLAGS: dict[Change, tuple[bool, bool]] = {
    "none": (False, False),
    "address-and-port": (True, True),
    "port": (False, True),
}


class _Asked(msgspec.Struct):
    """One transaction, and what is needed to make evidence of it when the run ends."""

    server: Server
    purpose: Purpose
    socket: str
    role: Role
    change: Change
    destination: TransportAddress
    expected: TransportAddress
    local: TransportAddress | None
    interface: str | None
    began_ms: float
    wire: UdpWire
    call: Call
    response_port: int | None = None
    also_on: str | None = None
    """The socket to which RESPONSE-PORT leads."""
    ended_ms: float | None = None
    known: tuple[tuple[int, float | None], Binding] | None = None
    """The evidence of it, of how many packets it tells, and when it had ended."""


class Sockets(msgspec.Struct):
    """The sockets, by label, and what was asked on them in the order asked."""

    net: Net
    family: Family
    asked: list[_Asked] = []
    sockets: dict[str, UdpWire] = {}
    end_ms: float = inf
    """When those transactions end at the latest that have a schedule."""
    ports_asked: bool = False
    """Whether some server was asked how ports are chosen; one suffices."""

    @property
    def answered(self) -> bool:
        """Whether anything was answered so far."""
        return any(asked.call.transaction.arrivals for asked in self.asked)

    async def wire(self, label: str) -> UdpWire:
        """Open a socket; only the first has the port that the user asked for."""
        port = self.net.options.port if label == "m1" else 0
        wire = UdpWire(self.net, await self.net.udp(self.family, port))
        self.sockets[label] = wire
        return wire

    async def ask(
        self,
        label: str,
        server: Server,
        purpose: Purpose,
        destination: TransportAddress,
        *,
        role: Role = "primary",
        change: Change = "none",
        expected: TransportAddress | None = None,
        response_port: int | None = None,
        also_on: str | None = None,
        schedule: Schedule | None = None,
        least_ms: float = 0.0,
        beside: Callable[[], None] | None = None,
        kept: bool = True,
    ) -> Call:
        """Run one transaction on a socket and keep it; ``beside`` is called after each transmission.

        With a schedule it ends before that, as soon as silence is proof; ``least_ms`` is what it has at least, however
        little is left for all. ``also_on`` names the socket whose public port
        ``response_port`` is, where that is another one. ``kept`` tells whether it is one of those that have their place
        among the transactions with an address.
        """
        await self.net.pacer.turn(destination.ip, kept=kept)
        wire = self.sockets[label]
        source = expected or destination
        request = _request(change, response_port)
        in_time = self._in_time(schedule, least_ms)
        call = wire.start(request, destination, expected=frozenset({source}), schedule=in_time)
        way, now_ms = (wire.local_towards(destination), self.net.interface_towards(destination.ip)), self.net.now_ms()
        of_whom = (server, purpose, label, role, change, destination, source)
        asked = _Asked(*of_whom, *way, now_ms, wire, call, response_port, also_on)
        self.asked.append(asked)
        if also_on is not None:
            self.sockets[also_on].listen_for(call, destination)
        call.on_sent = beside or call.on_sent
        if schedule is not None:
            call.enough_ms = partial(self._enough_ms, asked)
        await finish(wire, call)
        asked.ended_ms = self.net.now_ms()
        return call

    def _in_time(self, schedule: Schedule | None, least_ms: float) -> Schedule | None:
        """Let a transaction with a schedule of its own take no longer than is left for all."""
        left_ms = max(least_ms, self.end_ms - self.net.now_ms())
        return schedule and Schedule(schedule.offsets_ms, min(schedule.give_up_ms, left_ms))

    def repeat(self, label: str, call: Call) -> None:
        """Send once more what was answered: what gets through now tells what else would."""
        self.sockets[label].repeat(call)

    def is_waiting(self, server: Server) -> bool:
        """Tell whether a server has not answered something yet."""
        return any(self._open(server))

    def again(self, server: Server) -> int:
        """Send once more all that a server has not answered; return how much that was."""
        still = list(self._open(server))
        for asked in still:
            self.repeat(asked.socket, asked.call)
        return len(still)

    def give_up(self) -> None:
        """End the wait for everything, where silence is proof."""
        for asked in self.asked:
            if asked.ended_ms is None:
                asked.call.fail(Failure.TIMEOUT)

    def _open(self, server: Server) -> Iterator[_Asked]:
        return (asked for asked in self.asked if asked.server is server and asked.ended_ms is None)

    def _enough_ms(self, asked: _Asked) -> float | None:
        """Return when silence is proof: after the transmissions that loss, as measured so far, cannot all swallow.

        Without loss that are few, and the answer comes sooner; with loss they are as many as it takes. What is still on
        its way is taken to arrive; whoever waits has to ask again. Another way out of this computer has a loss of its
        own.
        """
        sent = asked.call.transaction.sent_ms
        if FLOOR ** len(sent) >= LIMIT:
            return None
        test = _kept(asked, self.net)
        bindings = by_way(self._so_far(), way_of(test))
        others = transmissions(bindings, self.net.now_ms())
        seen = tally(others)
        if p_all_lost(seen, telling(test, others)) >= (LIMIT / MARGIN if seen[0] else LIMIT):
            return None
        return sent[-1] + patience_ms(bindings, asked.server.uri)

    def _so_far(self) -> tuple[Binding, ...]:
        """Return the evidence as it is now."""
        return tuple(_kept(asked, self.net) for asked in self.asked)

    def evidence(self) -> tuple[Binding, ...]:
        """Return what a report keeps of every transaction, late answers included."""
        return tuple(_binding(asked, self.net) for asked in self.asked)


def _request(change: Change, response_port: int | None) -> Request:
    change_ip, change_port = _FLAGS[change]
    attributes = [(AttributeType.RESPONSE_PORT, response_port)] if response_port is not None else []
    return binding_request(change_ip=change_ip, change_port=change_port, attributes=attributes)


def _kept(asked: _Asked, net: Net) -> Binding:
    """Return the evidence of one transaction, made anew only where something was sent or came since, or it ended."""
    call = asked.call.transaction
    state = len(call.sent_ms) + len(call.arrivals) + call.reject_count, asked.ended_ms
    if asked.known is None or asked.known[0] != state:
        asked.known = state, _binding(asked, net)
    kept = asked.known[1]
    return kept if asked.ended_ms is not None else replace(kept, duration_ms=net.now_ms() - asked.began_ms)


def _binding(asked: _Asked, net: Net) -> Binding:
    return Binding(
        t_ms=asked.began_ms,
        duration_ms=(asked.ended_ms or net.now_ms()) - asked.began_ms,
        server=asked.server.uri,
        purpose=asked.purpose,
        socket=asked.socket,
        local=asked.local,
        interface=asked.interface,
        destination=asked.destination,
        role=asked.role,
        change=asked.change,
        response_port=asked.response_port,
        heard_on=asked.also_on if asked.call.heard_by not in (None, asked.wire) else None,
        answer_from=asked.expected,
        exchange=asked.call.exchange(),
    )
