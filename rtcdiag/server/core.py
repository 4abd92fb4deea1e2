"""What comes in, and who deals with it: the whole server without its sockets."""

from struct import unpack_from

from rtcdiag.address import Family, TransportAddress
from rtcdiag.server.binding import Binder, Square
from rtcdiag.server.config import ServerConfig
from rtcdiag.server.door import Door
from rtcdiag.server.effects import Client, Effect
from rtcdiag.server.limiter import RateLimiter
from rtcdiag.server.relay import Relay
from rtcdiag.stun.codec import decode
from rtcdiag.stun.framing import Frame, split_channel_data
from rtcdiag.stun.header import MessageClass, Method, StunError, looks_like_stun, split_type
from rtcdiag.stun.message import Message


class Core:
    """Takes datagrams and frames, returns effects. Responses are never answered, so that two servers cannot loop."""

    def __init__(
        self,
        config: ServerConfig,
        squares: dict[Family, Square],
        own: frozenset[TransportAddress],
        *,
        nonce_secret: bytes,
        unix_s: float,
    ) -> None:
        """Take the places that RFC 5780 needs, all listening addresses, and the UNIX time at 0 of the clock."""
        self._binder = Binder(squares)
        self._limiter = RateLimiter(config.limits.responses_per_s, config.limits.sources)
        self._serves_turn = config.serves_turn
        self.relay = Relay(config, Door(config, nonce_secret, unix_s), own)

    def datagram(self, now_ms: float, client: Client, data: bytes) -> list[Effect]:
        """Take a UDP datagram from a client."""
        channel = split_channel_data(data)
        if channel is not None:
            return self.relay.channel(now_ms, client, channel)
        if looks_like_stun(data):
            return self._message(now_ms, client, data)
        if data[:2] == b"\0\1" and self._limiter.allow(now_ms, client.remote.ip):
            answer = self._binder.answer_classic(client, data)
            return [] if answer is None else [answer]
        return []

    def frame(self, now_ms: float, client: Client, frame: Frame) -> list[Effect]:
        """Take a frame of a TCP connection."""
        if frame.channel is not None:
            return self.relay.channel(now_ms, client, frame)
        return self._message(now_ms, client, frame.data)

    def _message(self, now_ms: float, client: Client, data: bytes) -> list[Effect]:
        message = self._read(now_ms, client, data)
        if message is None:
            return []
        if message.message_class is MessageClass.INDICATION:
            return self.relay.indication(now_ms, client, message)
        if message.method == Method.BINDING:
            return [self._binder.answer(client, message)]
        return self.relay.request(now_ms, client, message) if self._serves_turn else []

    def _read(self, now_ms: float, client: Client, data: bytes) -> Message | None:
        """Decode a request or an indication; None for what is to be discarded."""
        message_class, _ = split_type(unpack_from("!H", data)[0])
        if message_class not in (MessageClass.REQUEST, MessageClass.INDICATION):
            return None
        # The rate is checked before anything is decoded: a flood has to be cheap.
        if message_class is MessageClass.REQUEST and not self._limiter.allow(now_ms, client.remote.ip):
            return None
        try:
            message = decode(data)
        except StunError:
            return None
        return None if message.fingerprint == "invalid" else message
