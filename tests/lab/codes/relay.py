"""A scripted TURN server that does relay, between its own clients: for faults behind the first datagram."""

import os
from typing import Any

from lab.codes.scripts import Replies, Turn
from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.header import MessageClass, Method
from support.ports import free_ports
from support.scripted import Reply

_Source = tuple[str, int]
_MOST_CLIENTS = 4


class Relay(Turn):
    """Grants what `Turn` does, and takes Send indications and ChannelData to another client's relayed address."""

    def __init__(self, refuse: dict[int, int] | None = None, *, channels: bool = True, **more: Any) -> None:
        super().__init__(refuse or {}, **more)
        self._channels = channels
        self._first = free_ports(_MOST_CLIENTS)
        """At the relayed addresses nobody listens."""
        self._clients: list[_Source] = []
        self._bound: dict[_Source, TransportAddress] = {}

    def __call__(self, data: bytes, source: _Source) -> Replies:
        if data[:1] == b"\x40":
            return self._passed_on(data[4:], source, self._bound[source]) if self._channels else []
        request = decode(data)
        if request.message_class is MessageClass.INDICATION:
            return self._passed_on(request.data or b"", source, request.peers[0])
        if request.method == Method.CHANNEL_BIND:
            self._bound[source] = request.peers[0]
        if request.method == Method.ALLOCATE and request.username and source not in self._clients:
            self._clients.append(source)
            self.relayed = self._relayed_of(source)
        return super().__call__(data, source)

    def _relayed_of(self, client: _Source) -> TransportAddress:
        return TransportAddress("127.0.0.1", self._first + self._clients.index(client))

    def _passed_on(self, data: bytes, source: _Source, peer: TransportAddress) -> Replies:
        number = peer.port - self._first
        if not 0 <= number < len(self._clients):
            return []
        attributes = [(A.XOR_PEER_ADDRESS, self._relayed_of(source)), (A.DATA, data)]
        indication = encode(MessageClass.INDICATION, Method.DATA, os.urandom(12), attributes, fingerprint=False)
        return [Reply(indication, to=self._clients[number])]
