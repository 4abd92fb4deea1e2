"""A TURN client, one request at a time (RFC 8656): it builds requests and says what an answer means for the next one.

It does nothing by itself: a probe sends each request as a step of its own, with its own evidence, and gives the answer
to `digest`. Realm, nonce and key are kept from answer to answer.
"""

from collections.abc import Callable, Iterator
from struct import pack
from typing import Any, Literal

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.stun.attributes import AttributeType, IcmpError
from rtcdiag.stun.codec import encode
from rtcdiag.stun.credentials import long_term_key
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.integrity import Check
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import Request, new_request, new_transaction_id
from rtcdiag.stun.security import SHA256, Offer, offer_of

TCP_PROTOCOL, UDP_PROTOCOL = 6, 17
"""REQUESTED-TRANSPORT: the IP protocol number of what is relayed."""
RESERVE_NEXT = 0x80
"""The R bit of EVEN-PORT (RFC 8656 section 18.7)."""
_FAMILY_BYTES = {Family.IPV4: 1, Family.IPV6: 2}

Step = Literal["done", "authenticate", "fresh-nonce", "refused"]
"""What an answer asks for: ``done`` nothing more; ``authenticate`` and ``fresh-nonce`` the same request, built again;
``refused`` is an error that building it again does not mend."""


class RelayedDatagram(msgspec.Struct, frozen=True):
    """What a Data indication carries: a peer's datagram, or the ICMP error that the relay got for that peer."""

    peer: TransportAddress
    data: bytes | None
    icmp: IcmpError | None = None


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What an Allocate asks for beyond a relayed UDP port (RFC 8656 section 7.1)."""

    family: Family | None = None
    """None: IPv4, and no attribute says so."""
    also: Family | None = None
    """A second relayed address, of this family."""
    lifetime_s: int | None = None
    dont_fragment: bool = False
    even_port: bool = False
    next_port: bool = False
    """With an even port: keep the one above for another allocation."""
    token: bytes | None = None
    """Of a port that was kept."""
    tcp: bool = False
    """Relay TCP connections (RFC 6062 section 4.1)."""


class TurnClient:
    """The credentials and the conversation state of one allocation; without a username it never authenticates."""

    def __init__(
        self, username: str | None, password: str | None, *, new_id: Callable[[], bytes] = new_transaction_id
    ) -> None:
        self._username = username
        self._password = password
        self._new_id = new_id
        self._realm: bytes | None = None
        self._nonce: bytes | None = None
        self._was_stale = False
        self._offer = Offer()
        self._before_8489 = False
        """Whether to sign as clients before RFC 8489 do, although the server offers more."""
        self._was_granted = False
        self.key: bytes | None = None
        """The key of MESSAGE-INTEGRITY, once a challenge has named the realm."""

    @property
    def signs_with_sha256(self) -> bool:
        """Whether the server offered that, and did not refuse it then."""
        return self._offer.chosen is not None

    def allocate_request(self, wishes: "Wishes | None" = None) -> Request:
        """Build an Allocate (RFC 8656 section 7.1): the first without credentials, which the server challenges."""
        return self._request(Method.ALLOCATE, list(_wished(wishes or Wishes())))

    def permission_request(self, *peers: TransportAddress) -> Request:
        """Build a CreatePermission for these peers; their ports mean nothing (RFC 8656 section 10)."""
        return self._request(Method.CREATE_PERMISSION, [(AttributeType.XOR_PEER_ADDRESS, peer) for peer in peers])

    def channel_request(self, channel: int, peer: TransportAddress) -> Request:
        """Build a ChannelBind (RFC 8656 section 12.1)."""
        return self._request(
            Method.CHANNEL_BIND, [(AttributeType.CHANNEL_NUMBER, channel), (AttributeType.XOR_PEER_ADDRESS, peer)]
        )

    def connect_request(self, peer: TransportAddress) -> Request:
        """Build a Connect (RFC 6062 section 4.3)."""
        return self._request(Method.CONNECT, [(AttributeType.XOR_PEER_ADDRESS, peer)])

    def connection_bind_request(self, number: int) -> Request:
        """Build a ConnectionBind for a CONNECTION-ID (RFC 6062 section 4.3)."""
        return self._request(Method.CONNECTION_BIND, [(AttributeType.CONNECTION_ID, number)])

    def refresh_request(self, lifetime_s: int | None = None) -> Request:
        """Build a Refresh (RFC 8656 section 8.1); LIFETIME 0 releases the allocation."""
        attributes: list[tuple[int, Any]] = [] if lifetime_s is None else [(AttributeType.LIFETIME, lifetime_s)]
        return self._request(Method.REFRESH, attributes)

    def send_indication(self, peer: TransportAddress, data: bytes, *, dont_fragment: bool = False) -> bytes:
        """Build a Send indication (RFC 8656 section 11.1), which is never signed nor answered."""
        flag = [(AttributeType.DONT_FRAGMENT, None)] if dont_fragment else []
        attributes = [(AttributeType.XOR_PEER_ADDRESS, peer), *flag, (AttributeType.DATA, data)]
        return encode(MessageClass.INDICATION, Method.SEND, self._new_id(), attributes, fingerprint=False)

    def digest(self, request: Request, answer: Message) -> Step:
        """Take the answer to a request: keep what the next request needs, and say what to do."""
        if answer.message_class is MessageClass.SUCCESS:
            self._was_stale = False
            self._was_granted |= request.signed
            return "done"
        code = answer.error.code if answer.error else None
        challenged = code == 401 and not request.signed
        stale = code == 438 and request.signed and not self._was_stale
        self._was_stale = stale
        if (challenged or stale) and self._take_challenge(answer):
            return "authenticate" if challenged else "fresh-nonce"
        if code in (400, 401) and request.signed and self._fall_back(answer):
            return "fresh-nonce"
        return "refused"

    def check(self, answer: Message) -> Check | Literal["unchecked"]:
        """Compare an answer's MESSAGE-INTEGRITY with the key; unchecked before there is one."""
        return "unchecked" if self.key is None else answer.check_integrity(self.key)

    def _take_challenge(self, answer: Message) -> bool:
        """Keep realm and nonce; False where the challenge or the credentials do not suffice (RFC 8489 section 9.2)."""
        realm = answer.raw_of(AttributeType.REALM)
        if (realm is None and self._realm is None) or answer.nonce is None:
            return False
        if self._username is None or self._password is None:
            return False
        self._nonce = answer.nonce
        self._realm = self._realm if realm is None else realm
        self._offer = Offer() if self._before_8489 else offer_of(answer)
        self._make_key()
        return True

    def _make_key(self) -> None:
        assert self._username is not None
        assert self._password is not None
        assert self._realm is not None
        algorithm: Literal["md5", "sha256"] = "sha256" if self._offer.chosen == SHA256 else "md5"
        self.key = long_term_key(self._username, self._realm, self._password, algorithm)

    def _fall_back(self, answer: Message) -> bool:
        """Sign as clients before RFC 8489 do where the server refuses what it has offered itself."""
        if self._offer.chosen is None or self._was_granted:
            return False
        self._before_8489, self._offer = True, Offer()
        self._nonce = answer.nonce or self._nonce
        self._make_key()
        return True

    def _request(self, method: Method, attributes: list[tuple[int, Any]]) -> Request:
        chosen = self._offer.chosen
        if self.key is not None:
            attributes = [
                *attributes,
                (AttributeType.USERNAME, self._username),
                (AttributeType.REALM, self._realm),
                (AttributeType.NONCE, self._nonce),
            ]
        if self.key is not None and chosen is not None:
            attributes.append((AttributeType.PASSWORD_ALGORITHMS, self._offer.raw))
            attributes.append((AttributeType.PASSWORD_ALGORITHM, pack("!HH", chosen, 0)))
        # Whoever was offered a choice signs with SHA-256 only, whichever way the key was made (RFC 8489 section 9.2.5).
        sha256 = self.signs_with_sha256
        return new_request(method, attributes, key=self.key, sha256=sha256, transaction_id=self._new_id())


def _wished(wishes: Wishes) -> Iterator[tuple[int, Any]]:
    yield AttributeType.REQUESTED_TRANSPORT, TCP_PROTOCOL if wishes.tcp else UDP_PROTOCOL
    if wishes.family is not None:
        yield AttributeType.REQUESTED_ADDRESS_FAMILY, _FAMILY_BYTES[wishes.family]
    if wishes.also is not None:
        yield AttributeType.ADDITIONAL_ADDRESS_FAMILY, _FAMILY_BYTES[wishes.also]
    if wishes.lifetime_s is not None:
        yield AttributeType.LIFETIME, wishes.lifetime_s
    if wishes.dont_fragment:
        yield AttributeType.DONT_FRAGMENT, None
    if wishes.even_port or wishes.next_port:
        yield AttributeType.EVEN_PORT, RESERVE_NEXT if wishes.next_port else 0
    if wishes.token is not None:
        yield AttributeType.RESERVATION_TOKEN, wishes.token


def relayed_datagram(message: Message) -> RelayedDatagram | None:
    """Read a Data indication (RFC 8656 section 11.4); None for any other message."""
    if (message.message_class, message.method) != (MessageClass.INDICATION, Method.DATA) or not message.peers:
        return None
    icmp: IcmpError | None = message.first(AttributeType.ICMP)
    if message.data is None and icmp is None:
        return None
    return RelayedDatagram(message.peers[0], message.data, icmp)
