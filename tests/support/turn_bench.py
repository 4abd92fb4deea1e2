"""The embedded server without sockets: a clock that stands still, relay ports that are numbers, and TURN clients."""

import itertools
from typing import Any

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.server.binding import Square
from rtcdiag.server.config import ServerConfig
from rtcdiag.server.core import Core
from rtcdiag.server.effects import Client, CloseRelay, Effect, OpenRelay, Send, SendToPeer
from rtcdiag.stun.codec import decode
from rtcdiag.stun.framing import Frame
from rtcdiag.stun.header import MessageClass
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import Request
from rtcdiag.stun.turn import TurnClient, Wishes
from rtcdiag.targets import Credential

UNIX_S = 1_700_000_000
SERVER = TransportAddress("203.0.113.1", 3478)
SERVER6 = TransportAddress("2001:db8::1", 3478)
ALTERNATE = TransportAddress("203.0.113.2", 3479)
PEER = TransportAddress("198.51.100.9", 4000)
PEER6 = TransportAddress("2001:db8::9", 4000)
SQUARE = Square((SERVER, TransportAddress(ALTERNATE.ip, SERVER.port)), ALTERNATE.port)
PLACES = frozenset({*SQUARE.addresses, TransportAddress(SERVER.ip, ALTERNATE.port), ALTERNATE, SERVER6})
ALICE, BOB = Credential("alice", "wonderland"), Credential("bob", "builder")
CONFIG = ServerConfig(listen=(SERVER.ip,), users=(ALICE, BOB), realm="lab")


class Bench:
    """A core, and a record of the effects that were no answers."""

    def __init__(self, config: ServerConfig = CONFIG, **changes: Any) -> None:
        config = msgspec.structs.replace(config, **changes)
        squares = {Family.IPV4: SQUARE}
        self.core = Core(config, squares, PLACES, nonce_secret=b"secret", unix_s=UNIX_S)
        self.now_ms = 0.0
        self.opened: dict[Client, TransportAddress] = {}
        self.closed: list[Client] = []
        self.to_peers: list[SendToPeer] = []
        self.wanted: list[OpenRelay] = []
        self.sockets_left = 1000
        self._ports = itertools.count(50000, 2)

    def datagram(self, client: Client, data: bytes) -> list[Send]:
        """Give a datagram to the server, and return what it sends to clients."""
        return self.carry_out(self.core.datagram(self.now_ms, client, data))

    def frame(self, client: Client, data: bytes, channel: int | None = None) -> list[Send]:
        """Give a frame of a TCP connection to the server."""
        return self.carry_out(self.core.frame(self.now_ms, client, Frame(channel, data)))

    def from_peer(self, client: Client, peer: TransportAddress, data: bytes) -> list[Send]:
        """Give a datagram of a peer to the relayed address of a client."""
        return self.carry_out(self.core.relay.from_peer(self.now_ms, client, peer, data))

    def carry_out(self, effects: list[Effect]) -> list[Send]:
        """Do what the server's sockets would do, and return what is sent to clients."""
        sent: list[Send] = []
        for effect in effects:
            match effect:
                case Send():
                    sent.append(effect)
                case SendToPeer():
                    self.to_peers.append(effect)
                case CloseRelay(client):
                    self.closed.append(client)
                    self.opened.pop(client, None)
                case OpenRelay():
                    sent += self.carry_out(self._open(effect))
        return sent

    def _open(self, wanted: OpenRelay) -> list[Effect]:
        self.wanted.append(wanted)
        if len(self.opened) >= self.sockets_left:
            return self.core.relay.relay_failed(wanted.client)
        ip = SERVER.ip if wanted.family is Family.IPV4 else SERVER6.ip
        self.opened[wanted.client] = TransportAddress(ip, next(self._ports))
        token = b"12345678" if wanted.reserve_next else None
        return self.core.relay.relay_opened(self.now_ms, wanted.client, self.opened[wanted.client], token)


class Caller:
    """A TURN client of the bench."""

    def __init__(
        self,
        bench: Bench,
        credential: Credential = ALICE,
        *,
        port: int = 1000,
        tcp: bool = False,
    ) -> None:
        self.bench = bench
        self.turn = TurnClient(credential.username, credential.password)
        self.client = Client("tcp" if tcp else "udp", SERVER, TransportAddress("192.0.2.7", port))

    def send(self, data: bytes) -> list[Message]:
        """Send bytes, and return the messages that come back."""
        give = self.bench.frame if self.client.transport == "tcp" else self.bench.datagram
        return [decode(sent.data) for sent in give(self.client, data)]

    def ask(self, request: Request) -> Message:
        """Send a request that is answered, and return the answer."""
        (answer,) = self.send(request.data)
        assert answer.transaction_id == request.transaction_id
        return answer

    def challenge(self) -> None:
        """Get a realm and a nonce."""
        request = self.turn.allocate_request()
        assert self.turn.digest(request, self.ask(request)) == "authenticate"

    def allocate(self, **wishes: Any) -> Message:
        """Go through the challenge and allocate; return the answer to the signed request."""
        self.challenge()
        return self.ask(self.turn.allocate_request(Wishes(**wishes)))

    def permit(self, *peers: TransportAddress) -> int:
        """Create permissions; return 0 or the error code."""
        return code_of(self.ask(self.turn.permission_request(*peers)))

    def bind(self, channel: int, peer: TransportAddress) -> int:
        """Bind a channel; return 0 or the error code."""
        return code_of(self.ask(self.turn.channel_request(channel, peer)))

    def refresh(self, lifetime_s: int | None = None) -> int:
        """Refresh; return 0 or the error code."""
        return code_of(self.ask(self.turn.refresh_request(lifetime_s)))


def code_of(answer: Message) -> int:
    """Return 0 for a success response, otherwise the error code."""
    if answer.message_class is MessageClass.SUCCESS:
        return 0
    assert answer.error is not None
    return answer.error.code
