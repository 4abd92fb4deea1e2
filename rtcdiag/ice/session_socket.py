"""The sockets of a session: one datagram a request, every answer timed, data handed over with its source.

Extends ``ice.StunProtocol`` of aioice and its undocumented ``transactions``, and drives the TURN client behind a relay
candidate (``TurnTransport``'s inner protocol: ``send_data``, ``transactions``, ``channel_refresh_time``). Each part has
a contract test that fails the day it changes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

from aioice import ice, stun

from rtcdiag.address import TransportAddress
from rtcdiag.ice.traffic import OnTraffic, unrecorded
from rtcdiag.net.arrival import StampedSocket

Address = tuple[str, int]
LISTEN_MS = 10_000.0
"""How long an answer is waited for; checks go on meanwhile."""
MOST_UNSENT = 400
"""Datagrams that may wait for a channel to be bound."""
CHANNEL_REFRESH_S = 120
"""A permission lasts 300 s (RFC 8656 section 9), and binding a channel again refreshes it."""
_STUN_FIRST_BYTES = range(4)
"""RFC 7983 section 7: what else starts otherwise."""
OnAnswer = Callable[[stun.Message, Address, float], None]
"""Takes a response, its source, and the round-trip time in milliseconds."""


class Owner(Protocol):
    """Who is told what comes in."""

    def now_ms(self) -> float:
        """Return the run's clock."""
        ...

    def datagram(self, sock: "SessionSocket", data: bytes, source: Address) -> None:
        """Take what is no STUN message."""
        ...

    def forbidden(self, sock: "SessionSocket", peer: Address) -> None:
        """Take that a TURN server does not relay to an address."""
        ...


@dataclass
class Asked:
    """One request under way, where aioice has its own transactions."""

    sent_ms: float
    key: bytes | None
    now_ms: Callable[[], float]
    on_answer: OnAnswer

    def response_received(self, message: stun.Message, source: Address) -> None:
        """Take a response (aioice); what is not signed as the request was is not one (RFC 8489 section 9.1.4)."""
        if self.key is None or message.check_message_integrity(self.key):
            self.on_answer(message, source, self.now_ms() - self.sent_ms)


class SessionSocket(ice.StunProtocol):
    """A base: its datagrams, and the requests under way on it."""

    def __init__(self, agent: ice.Connection, owner: Owner) -> None:
        """Take the agent that authenticates requests, and who is told the rest."""
        super().__init__(agent)
        self._owner = owner
        self._listening: deque[tuple[float, bytes]] = deque()
        self.told: list[TransportAddress] = []
        """What the other end was told of this base: its host, server-reflexive and relay candidates."""
        self.mapped: dict[TransportAddress, TransportAddress] = {}
        """As what each server saw it last."""
        self.kept_ms = 0.0
        """When its servers were asked last."""
        self.on_traffic: OnTraffic = unrecorded
        self.stamped: StampedSocket | None = None
        """The socket itself, where the system can tell when datagrams arrive."""

    @property
    def base(self) -> TransportAddress:
        """Where checks are sent from."""
        return TransportAddress(self.local_candidate.host, self.local_candidate.port)

    @property
    def relayed(self) -> bool:
        """Whether it is a TURN server that sends."""
        return bool(self.local_candidate.type == "relay")

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Give STUN messages to aioice, and the rest to the owner (asyncio)."""
        self._note("received", cast("bytes", data), (addr[0], addr[1]))
        if data and cast("bytes", data)[0] not in _STUN_FIRST_BYTES:
            self._owner.datagram(self, cast("bytes", data), (addr[0], addr[1]))
        else:
            super().datagram_received(data, addr)

    def ask(self, message: stun.Message, to: Address, on_answer: OnAnswer, *, key: bytes | None = None) -> None:
        """Send a request once, and tell each of its answers."""
        now_ms = self._owner.now_ms()
        self._forget(now_ms)
        if key is not None:
            message.add_message_integrity(key)
        asked = Asked(now_ms, key, self._owner.now_ms, on_answer)
        self.transactions[message.transaction_id] = cast("stun.Transaction", asked)
        self._listening.append((now_ms, message.transaction_id))
        self.send_stun(message, to)

    def _forget(self, now_ms: float) -> None:
        while self._listening and self._listening[0][0] < now_ms - LISTEN_MS:
            self.transactions.pop(self._listening.popleft()[1], None)

    def send_stun(self, message: stun.Message, addr: Address) -> None:
        """Send a message (aioice)."""
        self.post(bytes(message), addr)

    def post(self, data: bytes, to: Address) -> None:
        """Send a datagram."""
        if not self.transport.is_closing():
            self._note("sent", data, to)
            self.transport.sendto(data, to)

    def _note(self, way: Literal["sent", "received"], data: bytes, peer: Address) -> None:
        if self.on_traffic is not unrecorded:
            self.on_traffic("udp", way, data, self.base, TransportAddress(*peer))

    @property
    def local_host(self) -> str:
        """The address of this computer behind it."""
        return self.base.host

    def abandon(self) -> None:
        """Give it up at once: its address is gone, and nothing that is sent arrives."""
        self.transport.abort()

    def waited_ms(self) -> float:
        """Return how long the datagram that is being handed over had waited to be read, where that is known."""
        return 1000 * self.stamped.waited_s if self.stamped is not None else 0.0

    @property
    def seen_as(self) -> set[TransportAddress]:
        """Every address under which it is known."""
        return {self.base, *self.told, *self.mapped.values()}


class RelaySocket(SessionSocket):
    """A base on a TURN server."""

    def __init__(self, agent: ice.Connection, owner: Owner) -> None:
        """Start without datagrams that wait."""
        super().__init__(agent, owner)
        self._sending: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def client(self) -> Any:
        """The TURN client (aioice)."""
        return self.transport._TurnTransport__inner_protocol  # type: ignore[attr-defined] # noqa: SLF001 - see above

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and its permissions fresh (aioice)."""
        super().connection_made(transport)
        self.client.channel_refresh_time = CHANNEL_REFRESH_S

    def post(self, data: bytes, to: Address) -> None:
        """Send a datagram through the relay, once there is a channel for its destination."""
        if self._closing or len(self._sending) >= MOST_UNSENT or self.client.transport.is_closing():
            return
        task = asyncio.create_task(self._relay(data, to))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _relay(self, data: bytes, to: Address) -> None:
        try:
            await self.client.send_data(data, to)
        except stun.TransactionFailed:
            self._owner.forbidden(self, to)
        except (stun.TransactionError, OSError):
            # The server is silent, or gone: the check stays unanswered.
            return

    def ask_server(self, on_answer: OnAnswer) -> None:
        """Send a Binding request to the TURN server itself, so that no NAT forgets the way to it."""
        client, now_ms = self.client, self._owner.now_ms()
        for known in [known for known, asked in client.transactions.items() if _is_old(asked, now_ms)]:
            del client.transactions[known]
        message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        client.transactions[message.transaction_id] = Asked(now_ms, None, self._owner.now_ms, on_answer)
        client.send_stun(message, client.server)

    @property
    def local_host(self) -> str:
        """The address of this computer that talks with the TURN server."""
        return str(self.client.transport.get_extra_info("sockname")[0])

    def abandon(self) -> None:
        """Give it up at once: the server knows the allocation by an address that nobody has any more."""
        self._stop_sending()
        if self.client.refresh_task is not None:
            self.client.refresh_task.cancel()
        self.client.transport.abort()

    def _stop_sending(self) -> None:
        self._closing = True
        for task in list(self._sending):
            task.cancel()

    async def close(self) -> None:
        """Give up what waits for a channel, and release the allocation (aioice)."""
        self._stop_sending()
        await super().close()


def _is_old(asked: object, now_ms: float) -> bool:
    return isinstance(asked, Asked) and asked.sent_ms < now_ms - LISTEN_MS
