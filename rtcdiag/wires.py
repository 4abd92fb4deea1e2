"""Wires carry STUN transactions over one local port: they feed sans-IO transactions from real sockets and clocks.

A wire keeps every transaction until it is closed, so that a late answer is recorded with its own transaction instead of
being taken for the answer to the next.
"""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import replace

from rtcdiag.address import Scope, TransportAddress
from rtcdiag.evidence import Exchange, Failure
from rtcdiag.net import Net
from rtcdiag.net.dtls import DtlsSocket
from rtcdiag.net.icmp import Refusal
from rtcdiag.net.stream import NetError, Stream
from rtcdiag.net.udp import UdpSocket
from rtcdiag.stun.answer import exchange_of
from rtcdiag.stun.framing import Frame, StreamFrames, split_channel_data
from rtcdiag.stun.header import HEADER_BYTES, MessageClass, looks_like_stun, split_type
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import Request
from rtcdiag.stun.transaction import STREAM, UDP, Schedule, Transaction

MOST_UNASKED = 1000
"""After how many messages that nobody asked for a connection is no STUN connection: reading on would never end."""
LOOK_AGAIN_MS = 50.0
"""How often to see whether what was enough still is: what is learned meanwhile may ask for one more transmission."""
OnOther = Callable[[Frame, TransportAddress], None]
"""Takes what is no response (ChannelData, indications, anything else) and its source."""


class Call:
    """One transaction on a wire, and why it failed where a socket said so."""

    def __init__(self, transaction: Transaction) -> None:
        """Start without an answer."""
        self.transaction = transaction
        self.failure: Failure | None = None
        self.refused_by: str | None = None
        self.woken = asyncio.Event()
        self.heard_by: UdpWire | None = None
        """By which of the UDP wires that listen for it the answer came."""
        self.enough_ms: Callable[[], float | None] = lambda: None
        """Until when to wait for an answer, once it need not be sent again; None while the schedule stands."""
        self.on_sent: Callable[[], None] = lambda: None
        """Called after each transmission."""
        self.unfinished_bytes: Callable[[], int] = lambda: 0
        """How much of a message is there whose rest has not come."""

    @property
    def message(self) -> Message | None:
        """The answer that counts."""
        answer = self.transaction.answer
        return answer.message if answer is not None else None

    def fail(self, failure: Failure) -> None:
        """End the wait for an answer."""
        self.failure = failure
        self.woken.set()

    def exchange(self, *, key: bytes | None = None, secrets: frozenset[str] = frozenset()) -> Exchange:
        """Return what a report keeps of it, as known now."""
        failure = self.failure or Failure.TIMEOUT
        found = exchange_of(self.transaction, failure=failure, refused_by=self.refused_by, key=key, secrets=secrets)
        return found if found.answers else replace(found, unfinished_bytes=self.unfinished_bytes())


async def finish(wire: "Wire", call: Call) -> Call:
    """Drive a transaction until it has its answer, is refused, or is given up; then return it.

    Where it is cancelled, the transaction has failed by the run's deadline, or by the user who ended the run.
    """
    try:
        while call.failure is None and not call.transaction.is_finished(wire.net.now_ms()):
            await _step(wire, call)
    except asyncio.CancelledError:
        call.fail(wire.net.cut_off_by)
        raise
    return call


async def _step(wire: "Wire", call: Call) -> None:
    """Send what is due, and wait for an answer or for the next timer."""
    transaction, now_ms = call.transaction, wire.net.now_ms
    timer = call.enough_ms()
    if timer is None:
        for data in transaction.datagrams_to_send(now_ms()):
            wire.transmit(call, data)
            call.on_sent()
        timer = transaction.next_timer()
    elif now_ms() >= timer:
        call.fail(Failure.TIMEOUT)
    else:
        timer = min(timer, now_ms() + LOOK_AGAIN_MS)
    if timer is None or call.failure is not None:
        return
    call.woken.clear()
    await until(call.woken, max(0.0, timer - now_ms()) / 1000)


async def until(event: asyncio.Event, limit_s: float) -> None:
    """Wait until somebody sets an event, or so long, after which it is set as well.

    A timer that wakes the waiter costs a fraction of a time-out that cancels it, and every transaction waits twice.
    """
    timer = asyncio.get_running_loop().call_later(limit_s, event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()


class UdpWire:
    """One UDP socket; many transactions, to any destinations. Where it speaks DTLS, to the one server."""

    def __init__(self, net: Net, sock: UdpSocket | DtlsSocket) -> None:
        """Take over a socket's callbacks."""
        self.net = net
        self.on_other: OnOther = lambda _frame, _source: None
        self._sock = sock
        self._calls: dict[bytes, tuple[Call, TransportAddress]] = {}
        sock.on_datagram = self._on_datagram
        sock.on_error = self._on_error

    @property
    def bound(self) -> TransportAddress:
        """The socket's address, which may be unspecified."""
        return self._sock.bound

    def forbid_fragments(self) -> bool:
        """Let no packet be cut on its way, and say whether this system can."""
        return self._sock.forbid_fragments()

    def stamp_arrivals(self) -> None:
        """Let the system note when each datagram arrives; Linux only."""
        self._sock.stamp_arrivals()

    def heard_ms(self) -> float:
        """Return when what is handed over arrived, by the run's clock; the system's own stamp where there is one."""
        return self.net.now_ms() - self._sock.waited_ms

    def local_towards(self, destination: TransportAddress) -> TransportAddress | None:
        """Return the local transport address that packets to a destination carry; None where there is no route."""
        source = self.net.source_towards(destination.ip)
        return None if isinstance(source, Failure) else TransportAddress(source, self._sock.bound.port)

    def start(
        self,
        request: Request,
        destination: TransportAddress,
        *,
        expected: frozenset[TransportAddress] | None = None,
        schedule: Schedule | None = None,
    ) -> Call:
        """Register a transaction whose answers count from ``destination``, or from ``expected`` where given."""
        sources = frozenset({destination}) if expected is None else expected
        chosen = schedule or Schedule(UDP.offsets_ms, self.net.options.timeout_ms)
        transaction = Transaction(request, chosen, start_ms=self.net.now_ms(), expected=sources)
        call = Call(transaction)
        self._calls[request.transaction_id] = (call, destination)
        return call

    def listen_for(self, call: Call, destination: TransportAddress) -> None:
        """Take the answer of a transaction that another wire began, where it comes here (RESPONSE-PORT)."""
        self._calls[call.transaction.request.transaction_id] = (call, destination)

    def transmit(self, call: Call, data: bytes) -> None:
        """Send one transmission of a transaction."""
        self._sock.send(data, self._calls[call.transaction.request.transaction_id][1])

    def repeat(self, call: Call) -> None:
        """Send a request once more, whether it was answered or not."""
        self.transmit(call, call.transaction.repeat(self.net.now_ms()))

    def send(self, data: bytes, destination: TransportAddress) -> None:
        """Send a datagram that awaits no answer."""
        self._sock.send(data, destination)

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def _on_datagram(self, data: bytes, source: TransportAddress) -> None:
        found = self._calls.get(data[8:HEADER_BYTES])
        if found is not None:
            self.net.heard_udp |= source.scope is not Scope.LOOPBACK
            if _receive(found[0], self.heard_ms(), data, source):
                found[0].heard_by = self
            return
        frame = split_channel_data(data) or Frame(None, data)
        self.on_other(frame, source)
        for call in self._about(source) if _is_stray(frame) else ():
            call.transaction.receive(self.net.now_ms(), data, source)

    def _about(self, source: TransportAddress) -> list[Call]:
        """Return the transactions to which what comes from a server unasked is evidence: open ones, or the last."""
        asked = [call for call, destination in self._calls.values() if destination == source]
        return [call for call in asked if not call.transaction.is_finished(self.net.now_ms())] or asked[-1:]

    def _on_error(self, refusal: Refusal) -> None:
        for call, to in self._calls.values():
            if refusal.destination in (None, to) and not call.transaction.is_finished(self.net.now_ms()):
                call.refused_by = None if refusal.reporter is None else str(refusal.reporter)
                call.fail(refusal.failure)


class StreamWire:
    """One TCP or TLS connection to one server."""

    def __init__(self, net: Net, stream: Stream) -> None:
        """Begin to read."""
        self.net = net
        self.on_other: OnOther = lambda _frame, _source: None
        self.detail = ""
        """The first words of what came instead of STUN, printable ASCII."""
        self._stream = stream
        self._calls: dict[bytes, Call] = {}
        self._failure: Failure | None = None
        self._unasked = 0
        self._answered = False
        self._frames = StreamFrames()
        net.watch(stream)
        self._reading = asyncio.create_task(self._read())

    def heard_ms(self) -> float:
        """Return the run's clock: nobody notes when bytes of a stream arrive."""
        return self.net.now_ms()

    def local_towards(self, destination: TransportAddress) -> TransportAddress:
        """Return the connection's own address."""
        del destination
        return self._stream.local

    def start(
        self,
        request: Request,
        destination: TransportAddress,
        *,
        expected: frozenset[TransportAddress] | None = None,
        schedule: Schedule | None = None,
    ) -> Call:
        """Register a transaction; on a stream every answer comes from the one server, so ``expected`` is not used."""
        del destination, expected
        chosen = schedule or Schedule(STREAM.offsets_ms, 2 * self.net.options.timeout_ms)
        call = Call(Transaction(request, chosen, start_ms=self.net.now_ms()))
        call.unfinished_bytes = lambda: self._frames.unfinished_bytes
        self._calls[request.transaction_id] = call
        if self._failure is not None:
            call.fail(self._failure)
        return call

    def transmit(self, call: Call, data: bytes) -> None:
        """Send a transaction's one transmission."""
        del call
        self._stream.send(data)

    def send(self, data: bytes, destination: TransportAddress) -> None:
        """Send what awaits no answer."""
        del destination
        self._stream.send(data)

    def close(self) -> None:
        """Close the connection."""
        self._reading.cancel()
        self._stream.close()

    async def _read(self) -> None:
        frames = self._frames
        try:
            while frames.failure is None and self._unasked < MOST_UNASKED and (data := await self._stream.read()):
                for frame in frames.feed(data):
                    self._on_frame(frame)
            frames.end()
            flooded = self._unasked >= MOST_UNASKED
            self._end(Failure.NOT_STUN if flooded else frames.failure or Failure.CONNECTION_CLOSED, frames.detail)
        except NetError as error:
            self._end(error.failure, "")

    def _on_frame(self, frame: Frame) -> None:
        call = self._calls.get(frame.data[8:HEADER_BYTES]) if frame.channel is None else None
        if call is not None:
            self._unasked += call.transaction.answer is not None
            self._answered = True
            _receive(call, self.net.now_ms(), frame.data, self._stream.destination)
            return
        self.on_other(frame, self._stream.destination)
        # Nothing is relayed before the server has answered anything.
        stray = _is_stray(frame) or not self._answered
        self._unasked += stray
        for waiting in self._calls.values() if stray else ():
            if not waiting.transaction.is_finished(self.net.now_ms()):
                waiting.transaction.receive(self.net.now_ms(), frame.data, self._stream.destination)

    def _end(self, failure: Failure, detail: str) -> None:
        self._failure, self.detail = failure, detail
        for call in self._calls.values():
            if not call.transaction.is_finished(self.net.now_ms()):
                call.fail(failure)


Wire: TypeAlias = UdpWire | StreamWire


async def transact(
    wire: Wire,
    request: Request,
    destination: TransportAddress,
    *,
    expected: frozenset[TransportAddress] | None = None,
    schedule: Schedule | None = None,
) -> Call:
    """Start a transaction and drive it to its end."""
    return await finish(wire, wire.start(request, destination, expected=expected, schedule=schedule))


def _is_stray(frame: Frame) -> bool:
    """Tell a TURN server's relayed data, which may come at any time, from what nobody asked for."""
    if frame.channel is not None:
        return False
    if not looks_like_stun(frame.data):
        return True
    message_class, _ = split_type(int.from_bytes(frame.data[:2], "big"))
    return message_class is not MessageClass.INDICATION


def _receive(call: Call, now_ms: float, data: bytes, source: TransportAddress | None) -> bool:
    counts = call.transaction.receive(now_ms, data, source)
    if counts:
        call.woken.set()
    return counts
