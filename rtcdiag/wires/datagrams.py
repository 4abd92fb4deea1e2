"""A UDP socket as a wire."""

from rtcdiag.address import Scope, TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.net import Net
from rtcdiag.net.dtls import DtlsSocket
from rtcdiag.net.icmp import Refusal
from rtcdiag.net.udp import UdpSocket
from rtcdiag.stun.framing import Frame, split_channel_data
from rtcdiag.stun.header import HEADER_BYTES
from rtcdiag.stun.request import Request
from rtcdiag.stun.transaction import UDP, Schedule, Transaction
from rtcdiag.wires.call import Call, OnOther, is_stray, receive


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
            if receive(found[0], self.heard_ms(), data, source):
                found[0].heard_by = self
            return
        frame = split_channel_data(data) or Frame(None, data)
        self.on_other(frame, source)
        for call in self._about(source) if is_stray(frame) else ():
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
