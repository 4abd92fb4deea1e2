"""Filtering tests (RFC 5780 section 4.4) and, side by side with them, their controls.

Behind a NAT that filters, the tests stay silent, and the time that the whole run takes is the time to be sure of that.
So they are sent again quickly, and every time the control's request of the same kind with them, although it was
answered: where that gets through, so would the test have. Only where something was lost they are sent again for longer,
and with more time between, for a burst of loss ends.
"""

import asyncio
from collections.abc import Coroutine

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Change, Role
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.stun.transaction import Schedule
from rtcdiag.targets import Server
from rtcdiag.wires import Call

PLACES = 10
"""How many transactions one RFC 5780 server's primary address gets for the whole experiment."""
_UNKNOWN_RTT_MS = 200.0
_LEAST_RTO_MS = 80.0
_LEAST_GAP_MS, _MOST_GAP_MS = 50.0, 150.0
"""Between transmissions of a test: half a round trip. More, as RFC 8489's timers have it, would not spare a datagram
behind a NAT that filters, which answers none, and there would make the wait for certainty as long again."""
_DENSE = 4
"""So many transmissions decide a run without loss; what follows them is spread."""
_FOLLOW_UP_MS = 1000.0
"""What is asked after the silence has at least so long: on a busy computer, or far from the server, the silence alone
takes all the time that there is."""
_HORIZON_MS = 1400.0
"""How long a silent test is sent again at most."""


class Rfc5780(msgspec.Struct, frozen=True):
    """A server with alternates, and how far it is."""

    server: Server
    primary: TransportAddress
    other: TransportAddress
    rtt_ms: float | None

    @property
    def alternate_address(self) -> TransportAddress:
        """The alternate IP address with the primary port."""
        return TransportAddress(self.other.ip, self.primary.port)

    @property
    def alternate_port(self) -> TransportAddress:
        """The primary IP address with the alternate port."""
        return TransportAddress(self.primary.ip, self.other.port)

    def source(self, change: Change) -> TransportAddress:
        """Return from where a changed answer has to come."""
        return self.other if change == "address-and-port" else self.alternate_port

    @property
    def asking(self) -> Schedule:
        """When it is asked again for what it is to answer: after one and a half round trips, then more often."""
        rtt_ms = _UNKNOWN_RTT_MS if self.rtt_ms is None else self.rtt_ms
        return _until_horizon([0.0, max(1.5 * rtt_ms, _LEAST_RTO_MS)], max(rtt_ms / 2, _LEAST_RTO_MS), rtt_ms)

    @property
    def testing(self) -> Schedule:
        """When it is asked again where silence is as good as an answer: see ``_LEAST_GAP_MS``."""
        rtt_ms = _UNKNOWN_RTT_MS if self.rtt_ms is None else self.rtt_ms
        gap_ms = min(max(rtt_ms / 2, _LEAST_GAP_MS), _MOST_GAP_MS)
        dense = [number * gap_ms for number in range(_DENSE)]
        return _until_horizon(dense, min(2 * gap_ms, _MOST_GAP_MS), rtt_ms)


def _until_horizon(offsets_ms: list[float], gap_ms: float, rtt_ms: float) -> Schedule:
    while offsets_ms[-1] + gap_ms <= _HORIZON_MS:
        offsets_ms.append(offsets_ms[-1] + gap_ms)
    return Schedule(tuple(offsets_ms), offsets_ms[-1] + max(3 * rtt_ms, 500.0))


_CHANGES: tuple[Change, ...] = ("address-and-port", "port")


async def filtering(sockets: Sockets, name: str, both: Rfc5780) -> None:
    """Ask a server for filtering from a socket that sends nothing but to its primary address, and run the control."""
    experiment = _Experiment(sockets, both, "f" + name, "c" + name)
    await sockets.wire(experiment.tests)
    await sockets.wire(experiment.controls)
    await asyncio.gather(experiment.test(), experiment.control())


class _Experiment(msgspec.Struct, frozen=True):
    """The tests and the control of one server."""

    sockets: Sockets
    both: Rfc5780
    tests: str
    controls: str
    """The labels of the two sockets."""
    shown: dict[Change, Call] = {}
    """The control's requests that were answered from where they had to be."""

    async def test(self) -> None:
        """Ask for both changed answers, and plainly: does the socket work. Last, what the silence did to its port."""
        both = self.both
        _, _, by_port = await asyncio.gather(
            self.sockets.ask(self.tests, both.server, "filtering", both.primary, schedule=both.asking),
            *map(self._silent, _CHANGES),
        )
        await self._follow_up(by_port)

    async def _follow_up(self, test: Call) -> None:
        """Ask where a swallowed answer came from: did it cost the port, as where Linux takes it for its own.

        Behind a filter that lets in other ports nothing was swallowed. The primary address has one more place than
        the alternate, for whose answer the same holds.
        """
        both = self.both
        if not test.transaction.arrivals:
            await self.sockets.ask(
                self.tests,
                both.server,
                "tracking",
                both.alternate_port,
                role="alternate-port",
                schedule=both.asking,
                least_ms=_FOLLOW_UP_MS,
            )

    def _silent(self, change: Change) -> Coroutine[None, None, Call]:
        both = self.both
        return self.sockets.ask(
            self.tests,
            both.server,
            "filtering",
            both.primary,
            change=change,
            expected=both.source(change),
            schedule=both.testing,
            beside=lambda: self._accompany(change),
        )

    def _accompany(self, change: Change) -> None:
        if change in self.shown:
            self.sockets.repeat(self.controls, self.shown[change])

    async def control(self) -> None:
        """Open the NAT towards the alternates, then ask for the same changed answers: what comes, the server can send.

        A NAT whose mapping depends on the destination opened another public port for each alternate: the server is
        asked to send its changed answer there (RESPONSE-PORT, RFC 5780 section 7.5), or none could ever get through.
        """
        both = self.both
        holes: dict[Change, tuple[Role, TransportAddress]] = {
            "none": ("primary", both.primary),
            "address-and-port": ("alternate-address-and-port", both.other),
            "port": ("alternate-port", both.alternate_port),
        }
        asked = (self._hole(role, destination) for role, destination in holes.values())
        opened = dict(zip(holes, map(_mapped_port, await asyncio.gather(*asked)), strict=True))
        elsewhere = {change: port for change, port in opened.items() if port != opened["none"]}
        await asyncio.gather(*(self._show(change, elsewhere.get(change)) for change in _CHANGES))

    def _hole(self, role: Role, destination: TransportAddress) -> Coroutine[None, None, Call]:
        both = self.both
        return self.sockets.ask(self.controls, both.server, "control", destination, role=role, schedule=both.asking)

    async def _show(self, change: Change, port: int | None) -> None:
        both = self.both
        call = await self.sockets.ask(
            self.controls,
            both.server,
            "control",
            both.primary,
            change=change,
            expected=both.source(change),
            response_port=port,
            schedule=both.asking,
        )
        if call.message is not None:
            self.shown[change] = call


def _mapped_port(call: Call) -> int | None:
    reflexive = call.message and (call.message.xor_mapped or call.message.mapped)
    return reflexive.port if reflexive else None
