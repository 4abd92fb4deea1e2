"""Binding requests: RFC 8489, the NAT behavior discovery of RFC 5780, and clients that still speak RFC 3489."""

from struct import pack
from typing import Any, NamedTuple

from rtcdiag.address import Family, TransportAddress
from rtcdiag.server.effects import Client, Send
from rtcdiag.server.replies import RefusedError, refusal, refuse_unknown, success
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.header import COOKIE, MessageClass, Method, StunError
from rtcdiag.stun.message import Message

_UNDERSTOOD = frozenset(
    {A.USERNAME, A.MESSAGE_INTEGRITY, A.REALM, A.NONCE, A.MESSAGE_INTEGRITY_SHA256, A.PRIORITY, A.USE_CANDIDATE}
)
_UNDERSTOOD_IN_PAIRS = _UNDERSTOOD | {A.CHANGE_REQUEST, A.RESPONSE_PORT, A.PADDING}
_MAX_PADDING_BYTES = 1500
_COOKIE_BYTES = pack("!I", COOKIE)


class Square(NamedTuple):
    """Two addresses and two ports of one family: the four places from which RFC 5780 section 6.1 answers."""

    addresses: tuple[TransportAddress, TransportAddress]
    """The primary and the alternate address, both with the primary port."""
    alternate_port: int

    def change(self, local: TransportAddress, *, ip: bool, port: bool) -> TransportAddress:
        """Return the place that differs from `local` in what is to change."""
        here, there = self.addresses if local.ip == self.addresses[0].ip else self.addresses[::-1]
        other_port = self.alternate_port if local.port == here.port else here.port
        return TransportAddress((there if ip else here).ip, other_port if port else local.port)


class Binder:
    """Answers Binding requests; without a square of some family, CHANGE-REQUEST is refused with 420 there."""

    def __init__(self, squares: dict[Family, Square]) -> None:
        self._squares = squares

    def answer(self, client: Client, request: Message) -> Send:
        """Answer a Binding request of RFC 8489, from the place that CHANGE-REQUEST asks for."""
        square = self._square(client)
        padding: bytes | None = request.first(A.PADDING)
        try:
            _check(request, square)
        except RefusedError as refused:
            return Send(client, refusal(request, refused))
        sender = self._sender(client, square, request)
        values: list[tuple[int, Any]] = [(A.XOR_MAPPED_ADDRESS, client.remote), (A.MAPPED_ADDRESS, client.remote)]
        announced = square or self._announced(client)
        if announced is not None:
            other = announced.change(client.local, ip=True, port=True)
            values += [(A.RESPONSE_ORIGIN, sender.local), (A.OTHER_ADDRESS, other)]
        if padding is not None:
            # As much as came: RFC 5780 section 7.6 would let a small request be answered with a large one.
            values.append((A.PADDING, bytes(min(len(padding), _MAX_PADDING_BYTES))))
        return Send(sender, success(request, values))

    def answer_classic(self, client: Client, data: bytes) -> Send | None:
        """Answer a Binding request without the magic cookie (RFC 3489 section 8.1); None for anything else."""
        request = _classic(data)
        square = self._square(client)
        if request is None or square is None:
            return None
        sender = self._sender(client, square, request)
        values = [
            (A.MAPPED_ADDRESS, client.remote),
            (A.SOURCE_ADDRESS, sender.local),
            (A.CHANGED_ADDRESS, square.change(client.local, ip=True, port=True)),
        ]
        answer = encode(MessageClass.SUCCESS, Method.BINDING, request.transaction_id, values, fingerprint=False)
        # Such a client compares 16 bytes of transaction id, the first four of which it chose itself.
        return Send(sender, answer[:4] + data[4:8] + answer[8:])

    def _square(self, client: Client) -> Square | None:
        return self._squares.get(client.local.family) if client.transport == "udp" else None

    def _announced(self, client: Client) -> Square | None:
        """Return the square that a client over TCP is told of: whom UDP does not reach, it tells what to try."""
        return self._squares.get(client.local.family) if client.transport == "tcp" else None

    def _sender(self, client: Client, square: Square | None, request: Message) -> Client:
        if square is None:
            return client
        ip, port = request.change_request
        remote_port: int | None = request.first(A.RESPONSE_PORT)
        remote = client.remote if not remote_port else TransportAddress(client.remote.ip, remote_port)
        return client._replace(local=square.change(client.local, ip=ip, port=port), remote=remote)


def _check(request: Message, square: Square | None) -> None:
    refuse_unknown(request, _UNDERSTOOD if square is None else _UNDERSTOOD_IN_PAIRS)
    if request.raw_of(A.PADDING) is not None and request.raw_of(A.RESPONSE_PORT) is not None:
        raise RefusedError(400)


def _classic(data: bytes) -> Message | None:
    try:
        request = decode(data[:4] + _COOKIE_BYTES + data[8:])
    except StunError:
        return None
    is_request = request.message_class is MessageClass.REQUEST and request.method == Method.BINDING
    return request if is_request else None
