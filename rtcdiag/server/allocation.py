"""One allocation (RFC 8656 section 6): a relayed transport address with its permissions and channels."""

import msgspec

from rtcdiag.address import Family, IPAddress, TransportAddress
from rtcdiag.server.effects import Client

PERMISSION_MS = 300_000
"""RFC 8656 section 9."""
CHANNEL_MS = 600_000
"""RFC 8656 section 12."""


class User(msgspec.Struct, frozen=True):
    """Who a request's signature proved to be."""

    name: str
    key: bytes


class _Channel(msgspec.Struct):
    peer: TransportAddress
    until_ms: float


class Allocation:
    """The state that one client holds on the server; every time is milliseconds of the server's clock."""

    def __init__(
        self,
        client: Client,
        user: User,
        relayed: TransportAddress,
        transaction_id: bytes,
        until_ms: float,
        *,
        token: bytes | None = None,
    ) -> None:
        self.client = client
        self.user = user
        self.relayed = relayed
        self.transaction_id = transaction_id
        """Of the Allocate, whose retransmission gets the same answer again."""
        self.until_ms = until_ms
        self.token = token
        """Of the port above, where it is held for another allocation."""
        self._permissions: dict[IPAddress, float] = {}
        self._channels: dict[int, _Channel] = {}

    @property
    def family(self) -> Family:
        """The family of the relayed address, and so of every peer."""
        return self.relayed.family

    def permit(self, now_ms: float, ips: frozenset[IPAddress], limit: int) -> bool:
        """Install or renew permissions; False, and nothing is changed, where there would be too many."""
        self._permissions = {ip: until for ip, until in self._permissions.items() if until > now_ms}
        if len(self._permissions.keys() | ips) > limit:
            return False
        self._permissions.update(dict.fromkeys(ips, now_ms + PERMISSION_MS))
        return True

    def permits(self, now_ms: float, ip: IPAddress) -> bool:
        """True where a peer may send and be sent to."""
        return self._permissions.get(ip, 0) > now_ms

    def bind(self, now_ms: float, number: int, peer: TransportAddress, limit: int) -> bool:
        """Bind or renew a channel; False where there would be too many."""
        self._channels = {key: channel for key, channel in self._channels.items() if channel.until_ms > now_ms}
        if len(self._channels.keys() | {number}) > limit:
            return False
        self._channels[number] = _Channel(peer, now_ms + CHANNEL_MS)
        return True

    def conflicts(self, now_ms: float, number: int, peer: TransportAddress) -> bool:
        """True where the channel has another peer, or the peer another channel (RFC 8656 section 12.2)."""
        bound = self.peer_of(now_ms, number)
        return (bound is not None and bound != peer) or self.channel_of(now_ms, peer) not in (None, number)

    def peer_of(self, now_ms: float, number: int) -> TransportAddress | None:
        """Return the peer to which a channel is bound."""
        channel = self._channels.get(number)
        return channel.peer if channel is not None and channel.until_ms > now_ms else None

    def channel_of(self, now_ms: float, peer: TransportAddress) -> int | None:
        """Return the channel that is bound to a peer."""
        bound = (number for number, found in self._channels.items() if found.peer == peer and found.until_ms > now_ms)
        return next(bound, None)
