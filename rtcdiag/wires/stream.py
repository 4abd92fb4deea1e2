"""A TCP or TLS connection as a wire."""

import asyncio

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.net import Net
from rtcdiag.net.stream import NetError, Stream
from rtcdiag.stun.framing import Frame, StreamFrames
from rtcdiag.stun.header import HEADER_BYTES
from rtcdiag.stun.request import Request
from rtcdiag.stun.transaction import STREAM, Schedule, Transaction
from rtcdiag.wires.call import Call, OnOther, is_stray, receive

MOST_UNASKED = 1000
"""After how many messages that nobody asked for a connection is no STUN connection: reading on would never end."""


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
            receive(call, self.net.now_ms(), frame.data, self._stream.destination)
            return
        self.on_other(frame, self._stream.destination)
        # Nothing is relayed before the server has answered anything.
        stray = is_stray(frame) or not self._answered
        self._unasked += stray
        for waiting in self._calls.values() if stray else ():
            if not waiting.transaction.is_finished(self.net.now_ms()):
                waiting.transaction.receive(self.net.now_ms(), frame.data, self._stream.destination)

    def _end(self, failure: Failure, detail: str) -> None:
        self._failure, self.detail = failure, detail
        for call in self._calls.values():
            if not call.transaction.is_finished(self.net.now_ms()):
                call.fail(failure)
