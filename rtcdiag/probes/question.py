"""One question to the gateway over UDP: datagrams to send, and the first answer that makes sense."""

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from typing import Generic, TypeVar

from rtcdiag.address import TransportAddress, family_of
from rtcdiag.evidence import Failure, GatewayQuery
from rtcdiag.evidence.gateway import GatewayProblem, GatewayQuestion, PortMappingProtocol
from rtcdiag.net import Net
from rtcdiag.net.failures import failure_of
from rtcdiag.net.icmp import Refusal
from rtcdiag.probes.listening import listen
from rtcdiag.probes.way_out import Way

T = TypeVar("T")
MOST_DATAGRAMS = 64
"""So many datagrams of the gateway are looked at; the rest is noise."""


class OddAnswerError(Exception):
    """A datagram of the gateway that answers nothing."""

    def __init__(self, problem: GatewayProblem) -> None:
        """Say what is wrong with it."""
        super().__init__(problem)
        self.problem = problem


class Question(Generic[T]):
    """What was sent and what came back."""

    def __init__(self, net: Net, way: Way, port: int, accept: Callable[[bytes], T]) -> None:
        """Take what makes an answer of a datagram, or raises OddAnswerError."""
        self.answer: T | None = None
        self._net = net
        self._way = way
        self._port = port
        self._accept = accept
        self._began_ms = net.now_ms()
        self._answered_ms: float | None = None
        self._sent_ms: list[float] = []
        self._datagrams = 0
        self._failure = Failure.TIMEOUT
        self._problem: GatewayProblem | None = None
        self._done = asyncio.Event()

    async def ask(self, sends: Sequence[tuple[bytes, TransportAddress]], *, ends_refused: bool = True) -> None:
        """Send until there is an answer or nobody listens any more; a refusal ends it unless others may answer."""
        try:
            sock = await self._net.udp(family_of(self._way.gateway))
            if isinstance(self._way.source, IPv4Address):
                sock.multicast_from(self._way.source)
        except OSError as error:
            self._failure = failure_of(error)
            return

        def send() -> None:
            self._sent_ms.append(self._net.now_ms())
            for data, destination in sends:
                sock.send(data, destination)

        def fail(refusal: Refusal) -> None:
            self._failure = refusal.failure
            if ends_refused:
                self._done.set()

        sock.on_datagram, sock.on_error = self._receive, fail
        await listen(self._net, self._done, send)

    def _receive(self, data: bytes, source: TransportAddress) -> None:
        if self._done.is_set() or not self._way.is_gateway(source) or self._datagrams == MOST_DATAGRAMS:
            return
        self._datagrams += 1
        try:
            self.answer = self._accept(data)
        except OddAnswerError as odd:
            self._problem = self._problem or odd.problem
            return
        self._answered_ms = self._net.now_ms()
        self._done.set()

    def query(self, protocol: PortMappingProtocol, question: GatewayQuestion) -> GatewayQuery:
        """Return what a report keeps of it; the answer's own fields are for the caller to fill in."""
        ended_ms = self._answered_ms if self._answered_ms is not None else self._net.now_ms()
        missing = self.answer is None
        return GatewayQuery(
            t_ms=self._began_ms,
            duration_ms=ended_ms - self._began_ms,
            protocol=protocol,
            question=question,
            destination=TransportAddress(str(self._way.gateway).partition("%")[0], self._port),
            local=str(self._way.source).partition("%")[0],
            interface=self._way.interface,
            sent_ms=tuple(self._sent_ms),
            failure=self._failure if missing and self._problem is None else None,
            problem=self._problem if missing else None,
        )
