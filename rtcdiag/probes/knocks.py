"""Datagrams between test sockets and relays, in both directions, known by a token that nobody can guess."""

import asyncio
from dataclasses import dataclass, field
from secrets import token_bytes
from struct import Struct

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import KnockArrival, Observation, VantageBinding, VantageKnock, VantageOpening
from rtcdiag.net import Net
from rtcdiag.probes.leg import Leg
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.stun.codec import decode
from rtcdiag.stun.header import MessageClass, StunError
from rtcdiag.stun.request import Request, binding_request
from rtcdiag.targets import Server

_BYTES = 48
_HEAD = Struct("!4s12sBBB")
# The first byte keeps it from looking like STUN or ChannelData (RFC 8656 section 12).
_MAGIC = b"\xf5rtc"
_OPENING, _KNOCK = 1, 2


@dataclass
class Opening:
    """What a test socket sends to a relay."""

    leg: Leg
    socket: str
    sent_ms: list[float] = field(default_factory=list)
    seen_ms: float | None = None
    mapped: TransportAddress | None = None
    """From where the relay saw the first come."""


@dataclass
class Knock:
    """What a relay sends to one mapped address of a test socket."""

    leg: Leg
    socket: str
    peer: TransportAddress
    sent_ms: list[float] = field(default_factory=list)
    arrivals: dict[int, KnockArrival] = field(default_factory=dict)

    @property
    def got_in(self) -> bool:
        """Whether any came from where it had to come from."""
        return any(item.source == self.leg.relayed for item in self.arrivals.values())


@dataclass
class Question:
    """A Binding request that a relay sends to a STUN server."""

    leg: Leg
    server: Server
    destination: TransportAddress
    request: Request = field(default_factory=binding_request)
    sent_ms: list[float] = field(default_factory=list)
    told: TransportAddress | None = None
    answered: bool = False


class Knocks:
    """All that goes to and fro between the test sockets and the relays of one TURN server."""

    def __init__(self, net: Net, sockets: Sockets, legs: list[Leg]) -> None:
        """Listen at the relays; `listen` does so at a socket."""
        self.openings: list[Opening] = []
        self.knocks: list[Knock] = []
        self.questions: list[Question] = []
        self.let_in = asyncio.Event()
        """Set by the first knock that gets in to a closed socket."""
        self._closed: set[str] = set()
        self._net, self._sockets = net, sockets
        self._token = token_bytes(12)
        for leg in legs:
            leg.on_data = lambda data, peer, leg=leg: self._at_relay(leg, data, peer)  # type: ignore[misc]  # bound now

    def listen(self, socket: str, *, closed: bool = False) -> None:
        """Take what arrives at a test socket; a closed one has sent nothing to a relay."""
        self._closed |= {socket} if closed else set()
        self._sockets.sockets[socket].on_other = lambda frame, source: self._at_socket(socket, frame.data, source)

    def open(self, socket: str, leg: Leg) -> Opening:
        """Send from a test socket to a relay, unless it was seen there already."""
        found = next((item for item in self.openings if (item.socket, item.leg) == (socket, leg)), None)
        if found is None:
            found = Opening(leg, socket)
            self.openings.append(found)
        if found.mapped is None and leg.relayed is not None:
            data = self._payload(_OPENING, self.openings.index(found), len(found.sent_ms))
            found.sent_ms.append(self._net.now_ms())
            self._sockets.sockets[socket].send(data, leg.relayed)
        return found

    def knock(self, leg: Leg, socket: str, peer: TransportAddress) -> Knock:
        """Let a relay send to a mapped address of a test socket."""
        found = next((k for k in self.knocks if (k.leg, k.socket, k.peer) == (leg, socket, peer)), None)
        if found is None:
            found = Knock(leg, socket, peer)
            self.knocks.append(found)
        data = self._payload(_KNOCK, self.knocks.index(found), len(found.sent_ms))
        found.sent_ms.append(self._net.now_ms())
        leg.send(data, peer)
        return found

    def ask(self, leg: Leg, server: Server, destination: TransportAddress) -> None:
        """Let a relay ask a STUN server for its mapped address, unless it answered already."""
        found = next((item for item in self.questions if item.destination == destination), None)
        if found is None:
            found = Question(leg, server, destination)
            self.questions.append(found)
        if not found.answered:
            found.sent_ms.append(self._net.now_ms())
            leg.send(found.request.data, destination)

    def _payload(self, kind: int, number: int, copy: int) -> bytes:
        return _HEAD.pack(_MAGIC, self._token, kind, number, copy).ljust(_BYTES, b"\0")

    def _read(self, data: bytes, kind: int) -> tuple[int, int] | None:
        """Return the number and the copy of a datagram of ours, None for any other."""
        if len(data) != _BYTES:
            return None
        magic, token, found, number, copy = _HEAD.unpack_from(data)
        return (number, copy) if (magic, token, found) == (_MAGIC, self._token, kind) else None

    def _at_relay(self, leg: Leg, data: bytes, peer: TransportAddress) -> None:
        read = self._read(data, _OPENING)
        if read is None:
            self._answered(data, peer)
            return
        opening = self.openings[read[0]] if read[0] < len(self.openings) else None
        if opening is not None and opening.leg is leg and opening.mapped is None:
            opening.seen_ms, opening.mapped = self._net.now_ms(), peer

    def _answered(self, data: bytes, peer: TransportAddress) -> None:
        """Take a STUN server's answer to a relay's question."""
        found = next((item for item in self.questions if item.request.transaction_id == data[8:20]), None)
        if found is None or found.answered or peer != found.destination:
            return
        try:
            message = decode(data)
        except StunError:
            return
        found.answered = True
        if message.message_class is MessageClass.SUCCESS:
            found.told = message.xor_mapped or message.mapped

    def _at_socket(self, socket: str, data: bytes, source: TransportAddress) -> None:
        read = self._read(data, _KNOCK)
        knock = self.knocks[read[0]] if read is not None and read[0] < len(self.knocks) else None
        if read is None or knock is None or knock.socket != socket or read[1] >= len(knock.sent_ms):
            return
        knock.arrivals.setdefault(read[1], KnockArrival(number=read[1], t_ms=self._net.now_ms(), source=source))
        if socket in self._closed and knock.got_in:
            self.let_in.set()

    def evidence(self) -> tuple[Observation, ...]:
        """Return what a report keeps, as known now."""
        return (*map(self._opened, self.openings), *self.knocked(), *map(self._asked, self.questions))

    def knocked(self) -> tuple[VantageKnock, ...]:
        """Return the knocks as known now."""
        return tuple(self.knocked_by(item) for item in self.knocks)

    def knocked_by(self, knock: Knock) -> VantageKnock:
        """Return one knock as known now."""
        assert knock.leg.relayed is not None
        began_ms = min(knock.sent_ms)
        return VantageKnock(
            t_ms=began_ms,
            duration_ms=self._net.now_ms() - began_ms,
            server=knock.leg.path.server.uri,
            transport=knock.leg.path.transport,
            relayed=knock.leg.relayed,
            socket=knock.socket,
            local=self._sockets.sockets[knock.socket].local_towards(knock.leg.relayed),
            peer=knock.peer,
            sent_ms=tuple(knock.sent_ms),
            arrivals=tuple(knock.arrivals.values()),
        )

    def _opened(self, opening: Opening) -> VantageOpening:
        assert opening.leg.relayed is not None
        local = self._sockets.sockets[opening.socket].local_towards(opening.leg.relayed)
        began_ms, last_ms = min(opening.sent_ms), opening.seen_ms or max(opening.sent_ms)
        return VantageOpening(
            t_ms=began_ms,
            duration_ms=last_ms - began_ms,
            server=opening.leg.path.server.uri,
            relayed=opening.leg.relayed,
            socket=opening.socket,
            local=local,
            interface=self._net.interface_of(local.ip) if local else None,
            sent_ms=tuple(opening.sent_ms),
            seen_ms=opening.seen_ms,
            mapped=opening.mapped,
        )

    def _asked(self, question: Question) -> VantageBinding:
        assert question.leg.relayed is not None
        began_ms = min(question.sent_ms)
        return VantageBinding(
            t_ms=began_ms,
            duration_ms=max(question.sent_ms) - began_ms,
            server=question.server.uri,
            destination=question.destination,
            via=question.leg.path.server.uri,
            relayed=question.leg.relayed,
            sent_ms=tuple(question.sent_ms),
            told=question.told,
        )
