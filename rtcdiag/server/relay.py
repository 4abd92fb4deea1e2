"""The TURN relay (RFC 8656): requests, indications and datagrams in, effects out. No socket, no clock of its own."""

from collections.abc import Callable
from typing import Any

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.server.allocation import Allocation, User
from rtcdiag.server.config import ServerConfig
from rtcdiag.server.door import Door
from rtcdiag.server.effects import Client, CloseRelay, Effect, OpenRelay, Send, SendToPeer
from rtcdiag.server.peers import is_refused_peer
from rtcdiag.server.replies import RefusedError, refusal, refuse_unknown, success
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.codec import encode
from rtcdiag.stun.framing import FIRST_CHANNEL, LAST_OLD_CHANNEL, Frame, channel_data
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import new_transaction_id
from rtcdiag.stun.turn import RESERVE_NEXT, UDP_PROTOCOL

_FAMILIES = {1: Family.IPV4, 2: Family.IPV6}
_MAX_DATAGRAM = 65_000
"""Larger payloads do not fit an indication, and no path carries them."""
_UNDERSTOOD = frozenset(
    {
        *(A.USERNAME, A.MESSAGE_INTEGRITY, A.REALM, A.NONCE, A.MESSAGE_INTEGRITY_SHA256),
        *(A.CHANNEL_NUMBER, A.LIFETIME, A.XOR_PEER_ADDRESS, A.DATA, A.REQUESTED_ADDRESS_FAMILY),
        *(A.EVEN_PORT, A.REQUESTED_TRANSPORT, A.RESERVATION_TOKEN, A.PASSWORD_ALGORITHM),
    }
)


class _Pending(msgspec.Struct, frozen=True):
    """An Allocate whose relay socket is being opened."""

    request: Message
    user: User
    lifetime_s: int


class Relay:
    """All allocations of the server."""

    def __init__(self, config: ServerConfig, door: Door, own: frozenset[TransportAddress]) -> None:
        """Take the transport addresses on which the server itself listens: it never sends to them."""
        self._config = config
        self._door = door
        self._own = own
        self._families = frozenset(address.family for address in own)
        self._allocations: dict[Client, Allocation] = {}
        self._pending: dict[Client, _Pending] = {}
        self._methods: dict[int, Callable[[float, Client, Message, User], list[Effect]]] = {
            Method.ALLOCATE: self._allocate,
            Method.REFRESH: self._refresh,
            Method.CREATE_PERMISSION: self._create_permission,
            Method.CHANNEL_BIND: self._channel_bind,
        }

    def holds(self, client: Client) -> bool:
        """True while a client has an allocation or is about to get one."""
        return client in self._allocations or client in self._pending

    def request(self, now_ms: float, client: Client, message: Message) -> list[Effect]:
        """Take a request of any TURN method; methods that are not served are discarded (RFC 8489 section 6.3)."""
        method = self._methods.get(message.method)
        if method is None:
            return []
        user: User | None = None
        try:
            user = self._door.admit(now_ms, client, message)
            refuse_unknown(message, _UNDERSTOOD)
            return method(now_ms, client, message, user)
        except RefusedError as refused:
            return [Send(client, refusal(message, refused, user.key if user else None))]

    def relay_opened(
        self, now_ms: float, client: Client, relayed: TransportAddress, token: bytes | None = None
    ) -> list[Effect]:
        """Take the address of a socket that `OpenRelay` asked for, and the token of the one above where one is held."""
        pending = self._pending.pop(client, None)
        if pending is None:
            return [CloseRelay(client)]
        until_ms = now_ms + pending.lifetime_s * 1000
        made = Allocation(client, pending.user, relayed, pending.request.transaction_id, until_ms, token=token)
        self._allocations[client] = made
        return [self._allocated(now_ms, made, pending.request)]

    def relay_failed(self, client: Client) -> list[Effect]:
        """Answer 508 where no socket could be had."""
        pending = self._pending.pop(client, None)
        if pending is None:
            return []
        return [Send(client, refusal(pending.request, RefusedError(508), pending.user.key))]

    def client_gone(self, client: Client) -> list[Effect]:
        """Drop what a closed connection held."""
        self._pending.pop(client, None)
        return [CloseRelay(client)] if self._allocations.pop(client, None) else []

    def expire(self, now_ms: float) -> list[Effect]:
        """Drop the allocations whose lifetime has ended."""
        ended = [client for client, held in self._allocations.items() if held.until_ms <= now_ms]
        for client in ended:
            del self._allocations[client]
        return [CloseRelay(client) for client in ended]

    def indication(self, now_ms: float, client: Client, message: Message) -> list[Effect]:
        """Take a Send indication (RFC 8656 section 11.2); what is wrong with it is discarded without a word."""
        held = self._find(now_ms, client)
        # DONT-FRAGMENT is not supported, and so the datagram must not be sent.
        unwanted = message.method != Method.SEND or message.raw_of(A.DONT_FRAGMENT) is not None
        if held is None or unwanted or not message.peers or message.data is None:
            return []
        return self._to_peer(now_ms, held, message.peers[0], message.data)

    def channel(self, now_ms: float, client: Client, frame: Frame) -> list[Effect]:
        """Take ChannelData (RFC 8656 section 12.6)."""
        held = self._find(now_ms, client)
        peer = None if held is None or frame.channel is None else held.peer_of(now_ms, frame.channel)
        return [] if held is None or peer is None else self._to_peer(now_ms, held, peer, frame.data)

    def from_peer(self, now_ms: float, client: Client, peer: TransportAddress, data: bytes) -> list[Effect]:
        """Take a datagram that came to a relayed address (RFC 8656 sections 11.3 and 12.7)."""
        held = self._find(now_ms, client)
        if held is None or not held.permits(now_ms, peer.ip) or len(data) > _MAX_DATAGRAM:
            return []
        channel = held.channel_of(now_ms, peer)
        if channel is not None:
            return [Send(client, channel_data(channel, data, stream=client.transport == "tcp"))]
        values: list[tuple[int, Any]] = [(A.XOR_PEER_ADDRESS, peer), (A.DATA, data)]
        made = encode(MessageClass.INDICATION, Method.DATA, new_transaction_id(), values, fingerprint=False)
        return [Send(client, made)]

    def _to_peer(self, now_ms: float, held: Allocation, peer: TransportAddress, data: bytes) -> list[Effect]:
        if not held.permits(now_ms, peer.ip) or peer in self._own or peer.port == 0 or len(data) > _MAX_DATAGRAM:
            return []
        return [SendToPeer(held.client, peer, data)]

    def _find(self, now_ms: float, client: Client) -> Allocation | None:
        held = self._allocations.get(client)
        return held if held is not None and held.until_ms > now_ms else None

    def _mine(self, now_ms: float, client: Client, user: User) -> Allocation:
        held = self._find(now_ms, client)
        if held is None:
            raise RefusedError(437)
        if held.user.name != user.name:
            raise RefusedError(441)
        return held

    def _allocate(self, now_ms: float, client: Client, message: Message, user: User) -> list[Effect]:
        held = self._find(now_ms, client)
        if held is not None and (held.transaction_id, held.user.name) == (message.transaction_id, user.name):
            return [self._allocated(now_ms, held, message)]
        pending = self._pending.get(client)
        if pending is not None and pending.request.transaction_id == message.transaction_id:
            return []  # a retransmission; the answer comes with the socket
        if held is not None or pending is not None:
            raise RefusedError(437)
        wanted = self._wanted(client, message)
        self._check_quota(user)
        self._pending[client] = _Pending(message, user, self._lifetime_s(message))
        # An allocation that has just ended may still have its socket.
        ended = [CloseRelay(client)] if self._allocations.pop(client, None) else []
        return [*ended, wanted]

    def _wanted(self, client: Client, message: Message) -> OpenRelay:
        """Check an Allocate in the order of RFC 8656 section 7.2."""
        if message.requested_transport != UDP_PROTOCOL:
            raise RefusedError(400 if message.requested_transport is None else 442)
        asked, even = message.requested_family, message.first(A.EVEN_PORT)
        token: bytes | None = message.first(A.RESERVATION_TOKEN)
        if token is not None and (asked is not None or even is not None):
            raise RefusedError(400)
        family = _FAMILIES.get(1 if asked is None else asked)
        # A held port has its own family, whatever the default is.
        if family is None or (token is None and family not in self._families):
            raise RefusedError(440)
        return OpenRelay(client, family, even is not None, bool((even or 0) & RESERVE_NEXT), token)

    def _check_quota(self, user: User) -> None:
        holders: list[Allocation | _Pending] = [*self._allocations.values(), *self._pending.values()]
        owners = [holder.user.name for holder in holders]
        if owners.count(user.name) >= self._config.limits.allocations_per_user:
            raise RefusedError(486)
        if len(owners) >= self._config.limits.allocations:
            raise RefusedError(508)

    def _lifetime_s(self, message: Message) -> int:
        asked = message.lifetime_s or 0
        return max(self._config.default_lifetime_s, min(asked, self._config.max_lifetime_s))

    def _allocated(self, now_ms: float, held: Allocation, request: Message) -> Send:
        values: list[tuple[int, Any]] = [
            (A.XOR_RELAYED_ADDRESS, held.relayed),
            (A.LIFETIME, round((held.until_ms - now_ms) / 1000)),
            (A.XOR_MAPPED_ADDRESS, held.client.remote),
        ]
        if held.token is not None:
            values.append((A.RESERVATION_TOKEN, held.token))
        return Send(held.client, success(request, values, held.user.key))

    def _refresh(self, now_ms: float, client: Client, message: Message, user: User) -> list[Effect]:
        held = self._mine(now_ms, client, user)
        asked = message.requested_family
        if asked is not None and _FAMILIES.get(asked) is not held.family:
            raise RefusedError(443)
        lifetime_s = 0 if message.lifetime_s == 0 else self._lifetime_s(message)
        held.until_ms = now_ms + lifetime_s * 1000
        answer = Send(client, success(message, [(A.LIFETIME, lifetime_s)], user.key))
        return [answer, *(self.expire(now_ms) if lifetime_s == 0 else [])]

    def _create_permission(self, now_ms: float, client: Client, message: Message, user: User) -> list[Effect]:
        held = self._mine(now_ms, client, user)
        if not message.peers:
            raise RefusedError(400)
        for peer in message.peers:
            self._check_peer(held, peer)
        self._permit(now_ms, held, message.peers)
        return [Send(client, success(message, [], user.key))]

    def _channel_bind(self, now_ms: float, client: Client, message: Message, user: User) -> list[Effect]:
        held = self._mine(now_ms, client, user)
        number, peers = message.channel, message.peers
        if number is None or not FIRST_CHANNEL <= number <= LAST_OLD_CHANNEL or not peers:
            raise RefusedError(400)
        self._check_peer(held, peers[0])
        if held.conflicts(now_ms, number, peers[0]):
            raise RefusedError(400)
        if peers[0] in self._own:
            raise RefusedError(403)
        self._permit(now_ms, held, peers[:1])
        if not held.bind(now_ms, number, peers[0], self._config.limits.channels):
            raise RefusedError(508)
        return [Send(client, success(message, [], user.key))]

    def _check_peer(self, held: Allocation, peer: TransportAddress) -> None:
        if peer.family is not held.family:
            raise RefusedError(443)
        if is_refused_peer(peer.ip, allow_loopback=self._config.allow_loopback_peers):
            raise RefusedError(403)

    def _permit(self, now_ms: float, held: Allocation, peers: tuple[TransportAddress, ...]) -> None:
        if not held.permit(now_ms, frozenset(peer.ip for peer in peers), self._config.limits.permissions):
            raise RefusedError(508)
